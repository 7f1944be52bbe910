"""The quantiser against plain loops and against what the literature's versions get wrong."""

import copy

import pytest
import torch

from foldpix.model.quantize import Quantize


def quantizer(size=8, dim=3, decay=0.9, revive_below=0.0) -> Quantize:
    torch.manual_seed(0)
    return Quantize(5, size, dim, decay, revive_below)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.manual_seed(1)
    x = torch.randn(2, 5, 4, 4, generator=generator)
    mask = torch.rand(2, 4, 4, generator=generator) < 0.7
    return x, mask


def test_nearest_code_commitment_and_straight_through(batch):
    layer, (x, mask) = quantizer().eval(), batch
    x.requires_grad_()
    result = layer(x, mask)
    encoded = layer.project(x).permute(0, 2, 3, 1)
    detached = encoded.detach()
    total = 0.0
    for place in torch.argwhere(mask):
        b, i, j = place.tolist()
        distances = [float((detached[b, i, j] - code).square().sum()) for code in layer.codebook]
        nearest = min(range(8), key=distances.__getitem__)
        assert result.codes[b, i, j] == nearest
        assert torch.allclose(result.vectors[b, :, i, j], layer.codebook[nearest], atol=1e-6)
        total += distances[nearest] / 3
    assert (result.codes[~mask] == 0).all()
    assert result.commitment.item() == pytest.approx(total / int(mask.sum()), rel=1e-5)
    (gradient,) = torch.autograd.grad(result.vectors.sum(), x, retain_graph=True)
    (expected,) = torch.autograd.grad(encoded.sum(), x)
    assert torch.allclose(gradient, expected, atol=1e-6)


def test_moving_averages_agree_with_the_textbook_form(batch):
    layer, (x, mask) = quantizer(), batch
    layer(x, mask)  # starts from data
    size, total = layer.cluster_size.clone(), layer.codebook * layer.cluster_size[:, None]
    for step in range(5):
        x = x + 0.1 * step
        vectors = layer.project(x).permute(0, 2, 3, 1)[mask]
        codes = torch.cdist(vectors, layer.codebook).argmin(dim=-1)
        layer(x, mask)
        counts = torch.bincount(codes, minlength=8).float()
        sums = torch.stack([vectors[codes == code].sum(dim=0) for code in range(8)])
        size, total = 0.9 * size + 0.1 * counts, 0.9 * total + 0.1 * sums
        assert torch.allclose(layer.cluster_size, size, atol=1e-5)
        assert torch.allclose(layer.codebook, total / size[:, None], atol=1e-4)


def test_codebook_starts_from_unpadded_data(batch):
    layer, (x, mask) = quantizer(size=6, decay=1 - 1e-7), batch  # hardly moves in its first step
    vectors = layer.project(x).permute(0, 2, 3, 1)[mask]
    layer(torch.where(mask[:, None], x, torch.tensor(99.0)), mask)
    for code in layer.codebook:
        assert (vectors - code).abs().sum(dim=-1).min() < 1e-4
    assert len(torch.unique(layer.codebook, dim=0)) == 6


def test_unused_codes_stay_finite_and_are_revived(batch):
    far = torch.full((3, 3), 1e3)
    x, mask = batch
    for revive_below, revived in ((0.0, False), (0.5, True)):
        layer = quantizer(revive_below=revive_below)
        layer(x, mask)
        layer.codebook[:3] = far
        for _ in range(30):
            layer(x, mask)
        assert layer.codebook.isfinite().all()
        assert bool(layer.codebook[:3].abs().max() < 100) is revived


def test_padded_cells_change_nothing(batch):
    x, mask = batch
    one, other = quantizer(revive_below=0.2), quantizer(revive_below=0.2)
    noisy = torch.where(mask[:, None], x, torch.tensor(99.0))
    for _ in range(3):
        torch.manual_seed(5)
        first = one(x, mask)
        torch.manual_seed(5)
        second = other(noisy, mask)
        assert torch.equal(first.codes, second.codes)
        assert torch.equal(first.commitment, second.commitment)
    assert torch.equal(one.codebook, other.codebook)


def test_a_batch_that_overflowed_leaves_the_codebook_sound(batch):
    layer, (x, mask) = quantizer(revive_below=0.2), batch
    layer(x, mask)
    hurt = x.clone()
    hurt[0, :, 1, 1], hurt[1, 0, 2, 2] = float("nan"), float("inf")
    layer(hurt, mask)
    assert layer.codebook.isfinite().all() and layer.cluster_size.isfinite().all()
    assert layer(torch.full_like(x, float("nan")), mask).codes.min() >= 0
    assert layer.codebook.isfinite().all() and layer.cluster_size.isfinite().all()


def test_evaluation_changes_nothing(batch):
    layer = quantizer()
    layer(*batch)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()(*batch)
    with torch.no_grad():
        layer.train()(*batch)
    assert all(torch.equal(before[key], value) for key, value in layer.state_dict().items())


def test_autocast_keeps_float32(batch):
    layer, (x, mask) = quantizer().eval(), batch
    plain = layer(x, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = layer(x.bfloat16().float(), mask)
    assert cast.vectors.dtype == torch.float32
    assert torch.equal(layer(x.bfloat16().float(), mask).codes, cast.codes)
    assert plain.vectors.dtype == torch.float32


def test_many_codes_are_used_on_clustered_data():
    """512 clusters, 2,048 codes: quantisers without data start or revival use a few dozen."""
    generator = torch.manual_seed(0)
    centres = torch.randn(512, 16, generator=generator)
    layer = Quantize(16, 2048, 16, 0.95, 0.25)
    torch.nn.init.dirac_(layer.project.weight)
    torch.nn.init.zeros_(layer.project.bias)
    mask = torch.ones(1, 64, 64, dtype=torch.bool)
    used: set[int] = set()
    for step in range(40):
        points = centres[torch.randint(512, (4096,), generator=generator)]
        points = points + 0.1 * torch.randn(4096, 16, generator=generator)
        codes = layer(points.T.reshape(1, 16, 64, 64), mask).codes
        if step >= 38:
            used |= set(codes.flatten().tolist())
    assert len(used) > 1000
