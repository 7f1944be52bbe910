"""The whole model: shapes, padding, tokens, learning."""

import dataclasses

import pytest
import torch

from foldpix.image import decode
from foldpix.model.config import HVQVAEConfig, Space
from foldpix.model.hvqvae import HVQVAE
from tests.model.conftest import LENGTHS, padded


@pytest.mark.parametrize("rates", [[2], [4, 2], [2, 2, 2], [8, 2]])
@pytest.mark.parametrize("space", list(Space))
def test_any_levels_and_rates(config, images, rates, space):
    config = dataclasses.replace(config, scaling_rates=rates, space=space)
    model = HVQVAE(config)
    image, mask = padded(images, 48)
    output = model(image, mask)
    sides, side = [], 48
    for rate in rates:
        side //= rate
        sides.append(side)
    assert [tuple(codes.shape) for codes in output.codes] == [(3, s, s) for s in sides]
    output.losses.total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_more_padding_changes_nothing(started, images):
    for narrow, wide in ((48, 56), (48, 96)):
        outputs = [started(*padded(images, side)) for side in (narrow, wide)]
        for a, b in zip(outputs[0].losses, outputs[1].losses, strict=True):
            assert torch.allclose(a, b, atol=1e-5)
        for a, b in zip(outputs[0].codes, outputs[1].codes, strict=True):
            assert torch.equal(a, b[:, : a.shape[1], : a.shape[2]])
            assert int(b.sum()) == int(a.sum())
        assert torch.allclose(
            outputs[0].channels[..., :40, :40], outputs[1].channels[..., :40, :40], atol=1e-4
        )


def test_more_padding_trains_the_same(config, images):
    states = []
    for side in (48, 96):
        torch.manual_seed(0)
        model = HVQVAE(config).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for step in range(3):
            torch.manual_seed(step)
            model(*padded(images, side)).losses.total.backward()
            optimizer.step()
            optimizer.zero_grad()
        states.append(model.state_dict())
    for name, value in states[0].items():
        assert torch.allclose(value.float(), states[1][name].float(), atol=1e-4), name


def test_padding_holds_no_information(started, images):
    image, mask = padded(images, 56)
    noisy = torch.where((mask[:, :, None] & mask[:, None, :])[:, None], image, torch.tensor(0.7))
    clean, dirty = started(image, mask), started(noisy, mask)
    assert torch.equal(clean.losses.total, dirty.losses.total)
    assert torch.equal(clean.channels, dirty.channels)


def test_decoding_codes_gives_the_reconstruction(started, images):
    image, mask = padded(images, 48)
    output = started(image, mask)
    decoded = started.decode(started.encode(image, mask), torch.tensor(LENGTHS))
    for row, length in enumerate(LENGTHS):
        expected = started.space.lower(output.channels)[row, :, :length, :length]
        assert torch.allclose(decoded[row, :, :length, :length], expected, atol=1e-4)


def test_a_chain_does_not_depend_on_its_batch(started, images):
    together = started.decode(started.encode(*padded(images, 48)), torch.tensor(LENGTHS))
    for row, image in enumerate(images):
        length = LENGTHS[row]
        alone = started.decode(started.encode(*padded([image], 48)), length)
        assert torch.allclose(alone[0], together[row, :, :length, :length], atol=1e-4)


def test_finer_levels_are_conditioned_on_coarser_ones(started, images):
    codes = started.encode(*padded(images[:1], 48))
    changed = [codes[0], (codes[1] + 1) % started.codebook_size]
    assert not torch.allclose(started.decode(codes, 40), started.decode(changed, 40))


def test_it_learns_a_chain_by_heart(config, images):
    torch.manual_seed(0)
    model = HVQVAE(dataclasses.replace(config, n_embd=32, latent_dim=32, codebook_size=64)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    image, mask = padded(images[:1], 40)
    totals = []
    for _ in range(150):
        losses = model(image, mask).losses
        totals.append(losses.total.item())
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
    assert totals[-1] < 0.1 * totals[0]
    backbone = decode(model.eval().decode(model.encode(image, mask), 40)[0].numpy()).coords
    assert backbone.shape == (40, 3, 3)


def test_gradient_under_autocast_is_finite(config, images):
    model = HVQVAE(config).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model(*padded(images, 48)).losses
    losses.total.backward()
    assert losses.total.dtype == torch.float32
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scaling_rates": []}, "scaling_rates"),
        ({"scaling_rates": [3]}, "power of two"),
        ({"scaling_rates": [8, 1]}, "power of two"),
        ({"latent_dim": 20}, "multiple of 4 x n_head"),
        ({"codebook_size": 0}, "codebook_size"),
        ({"n_head": 0}, "n_head"),
        ({"codebook_decay": 1.0}, "codebook_decay"),
        ({"channel_weights": [1.0]}, "channel_weights has 1"),
    ],
)
def test_contradictions_are_told(config, change, message):
    with pytest.raises(ValueError, match=message):
        HVQVAE(dataclasses.replace(config, **change))


def test_default_size():
    with torch.device("meta"):
        model = HVQVAE(HVQVAEConfig())
    assert 10e6 < sum(p.numel() for p in model.parameters()) < 30e6
