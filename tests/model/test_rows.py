import numpy as np
import pytest
import torch
from torch.nn.functional import pad

from foldpix.generation import sample_backbones
from foldpix.image import encode
from foldpix.model.config import RowsConfig
from foldpix.model.lifted import lifted_picture, pairs_of
from foldpix.model.row_encoder import REACH, band, stretches
from foldpix.model.rows import RowTokenizer
from tests.conftest import random_rotation

LENGTHS = (40, 45, 48)


def tiny(**options):
    sizes = {"n_embd": 16, "n_head": 2, "mlp_hidden_dim": 32, "pair_dim": 4, "codebook_size": 16}
    depths = {"encoder_depth": 1, "decoder_depth": 1, "refine_depth": 1}
    return RowsConfig(**(sizes | depths | options))


@pytest.fixture
def batch():
    chains = [next(sample_backbones(1, n, n, seed=n)).coords for n in LENGTHS]
    coords = torch.zeros(len(chains), max(LENGTHS), 3, 3)
    for row, chain in zip(coords, chains, strict=True):
        row[: len(chain)] = torch.from_numpy(chain)
    return coords, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]


def started(batch, **options):
    """A model whose codebooks have seen data."""
    torch.manual_seed(0)
    model = RowTokenizer(tiny(**options)).train()
    for _ in range(3):
        model(*batch)
    return model.eval()


@pytest.mark.parametrize("strides", [[1], [1, 4], [2, 8]])
def test_padding_and_neighbours_change_nothing(batch, strides):
    coords, mask = batch
    model = started(batch, strides=strides, codebook_size=8)  # of more, some would be next to one another
    further = (pad(coords, (0, 0, 0, 0, 0, 16)), pad(mask, (0, 16)))
    whole, wide = model(*batch), model(*further)
    assert torch.allclose(whole.losses.total, wide.losses.total, rtol=1e-4)
    for number, length in enumerate(LENGTHS):
        own = -(-length // model.stride) * model.stride
        alone = model(coords[number : number + 1, :own], mask[number : number + 1, :own])
        for level, stride in enumerate(strides):
            expected = alone.codes[level][0, : -(-length // stride)]
            for output in (whole, wide):
                assert torch.equal(output.codes[level][number, : len(expected)], expected)
                assert not output.codes[level][number, len(expected) :].any()
        for output in (whole, wide):
            error = output.coords[number, :length] - alone.coords[0, :length]
            assert error.abs().max() < 1e-3


def test_codes_are_those_of_the_image_and_come_back_alike(batch):
    coords, mask = batch
    model = started(batch, strides=[1, 2])
    output = model(coords, mask)
    image = torch.zeros(len(LENGTHS), 3, 48, 48)
    for row, chain, length in zip(image, coords, LENGTHS, strict=True):
        row[:, :length, :length] = encode(chain[:length])
    codes = model.encode(image, mask)
    for found, expected in zip(codes, output.codes, strict=True):
        assert found.shape == expected.shape
        assert (found == expected).float().mean() > 0.98  # but for a pixel at the seam of two codes
    decoded = model.decode(output.codes, torch.tensor(LENGTHS))
    assert torch.allclose(decoded, output.coords, atol=1e-4)


def test_rigid_motions_change_no_token(batch, rng):
    coords, mask = batch
    model = started(batch)
    rotation = torch.from_numpy(random_rotation(rng)).float()
    moved = (coords @ rotation.T + torch.tensor([10.0, -20.0, 5.0])) * mask[..., None, None]
    same = model(moved, mask).codes[0] == model(coords, mask).codes[0]
    assert same[mask].float().mean() > 0.98


def test_mirror_images_are_far_in_the_loss(batch):
    """What comes back as the mirror image costs more than what comes back askew by 1 A."""
    coords, mask = batch
    model = started(batch)
    mirrored = coords * torch.tensor([-1.0, 1.0, 1.0])
    noisy = coords + torch.randn(coords.shape, generator=torch.Generator().manual_seed(0)) / 3**0.5
    target = model(coords, mask)

    def cost(draft):
        picture = lifted_picture(coords) * pairs_of(mask)[:, None]
        return model._losses([draft], picture, mask, target.losses.commitment).total

    assert cost(coords) < 1e-6 + model.config.beta * target.losses.commitment
    assert cost(mirrored) > cost(noisy)


def test_residues_are_rigid(batch):
    coords = started(batch)(*batch).coords
    n, ca, c = coords.unbind(-2)
    assert torch.allclose((n - ca).norm(dim=-1), torch.tensor(1.459), atol=1e-3)
    assert torch.allclose((c - ca).norm(dim=-1), torch.tensor(1.525), atol=1e-3)
    angle = torch.linalg.cross(n - ca, c - ca).norm(dim=-1) / (1.459 * 1.525)
    assert torch.allclose(angle, torch.tensor(np.sin(np.radians(111.0)), dtype=torch.float32), atol=2e-3)


def test_training_finds_the_chain(batch):
    torch.manual_seed(0)
    coords, mask = (part[:1, :40] for part in batch)
    model = RowTokenizer(tiny(n_embd=32, codebook_size=64)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        output = model(coords, mask)
        optimizer.zero_grad()
        output.losses.total.backward()
        optimizer.step()
        losses.append(output.losses.total.item())
    assert min(losses[-5:]) < 0.5 * losses[0]


@pytest.mark.parametrize("refine_depth", [0, 1])
def test_every_parameter_learns(batch, refine_depth):
    """Or processes that train together would wait for its gradient."""
    torch.manual_seed(0)
    model = RowTokenizer(tiny(strides=[1, 4], refine_depth=refine_depth)).train()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model(*batch).losses.total.backward()
    without = [name for name, each in model.named_parameters() if each.grad is None or not each.grad.any()]
    assert not without


def test_near_columns_and_means_of_far_ones():
    length = 100
    picture = torch.randn(1, 6, length, length, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(length)[None] < 90
    picture = picture * (mask[:, None, :, None] & mask[:, None, None, :])
    near, far = band(picture)[0], stretches(picture, mask)[0].unflatten(-1, (7, -1))
    for row in (0, 30, 89):
        for offset in (-REACH, -3, 0, 7, REACH):
            expected = picture[0, :, row, row + offset] if 0 <= row + offset < length else torch.zeros(6)
            found = near[row].unflatten(-1, (6, -1))[:, REACH + offset]
            assert torch.equal(found, expected)
        ahead = picture[0, :, row, row + 25 : min(row + 33, 90)]  # offsets 25 to 32 ahead
        if ahead.shape[-1]:
            assert torch.allclose(far[row, :6, 9 + 1], ahead.mean(dim=-1), atol=1e-5)
            assert far[row, 6, 9 + 1] == ahead.shape[-1] / 64
        behind = picture[0, :, row, max(0, row - 24) : max(0, row - 16)]  # offsets 17 to 24 behind
        if behind.shape[-1]:
            assert torch.allclose(far[row, :6, 0], behind.mean(dim=-1), atol=1e-5)
