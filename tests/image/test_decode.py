"""Image to backbone: exact, with the right hand, for every chain; and honest about what it cannot do."""

from typing import Any

import numpy as np
import pytest
import torch
from array_api_compat import array_namespace
from scipy.stats import spearmanr

from foldpix.generation import sample_backbones
from foldpix.geometry import peptide_bonds, rmsd, superpose, synchronize
from foldpix.image import decode, encode, from_pixels, to_pixels
from foldpix.image.likelihood import misfit
from foldpix.image.normal_equations import gauss_newton_step
from foldpix.image.views import read_views
from foldpix.structure import Backbone, read_structure
from tests.conftest import random_rotation, run_jax

MIRROR = np.float32([1, 1, -1])


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    return float(rmsd(np.reshape(a, (-1, 3)).astype(float), np.reshape(b, (-1, 3)).astype(float)))


def errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Of each residue, root mean square over its atoms, after superposition."""
    moved = superpose(found.reshape(-1, 3).astype(float), truth.reshape(-1, 3).astype(float))
    return np.sqrt(((moved.reshape(truth.shape) - truth) ** 2).sum(axis=-1).mean(axis=-1))


def noisy_image(coords: np.ndarray, levels: float = 0.0, seed: int = 0) -> np.ndarray:
    """As an 8-bit picture holds it, with Gaussian noise of so many grey levels."""
    pixels = to_pixels(encode(coords)).astype(float)
    pixels += np.random.default_rng(seed).normal(0.0, levels, pixels.shape)
    return from_pixels(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def one_round(image: Any) -> Any:
    """Frames by the angles of an image of ``coords``, and the first shift of a bent chain towards it."""
    xp = array_namespace(image)
    mask = xp.ones_like(image[0, 0])
    views = read_views(image, 80.0 * xp.ones_like(image[0, :1, :1]), mask)
    bent = next(sample_backbones(1, 60, 60, seed=1)).coords + 0.2 * np.sin(np.arange(60))[:, None, None]
    start = xp.asarray(bent, dtype=image.dtype)
    found = misfit(start, views, views.known(mask[0]))
    shift = gauss_newton_step(start, found, views, peptide_bonds(start, mask), 0.02 * mask[0])
    return xp.stack([shift, synchronize(views.rotation, mask)[0]])


@pytest.fixture(scope="module")
def coords() -> np.ndarray:
    return next(sample_backbones(1, 60, 60, seed=1)).coords


@pytest.fixture
def real_chains(real_structures) -> list[Backbone]:
    """Of the pieces beside the repository, some of each length, one in eight beyond 80 angstrom."""
    paths = sorted((real_structures / "chains").glob("*.pdb.gz"))
    long = ["1xrd_A", "1aa0_A", "3hd7_B", "1igy_B"]  # a lone helix of 73 angstrom, and up to 148
    chosen = paths[::130] + [real_structures / "chains" / f"{name}.pdb.gz" for name in long]
    return [read_structure(path)[0] for path in chosen]


@pytest.mark.parametrize("seed", range(8))
def test_ideal_backbones_come_back_exactly_with_their_hand(seed):
    backbone = next(sample_backbones(1, 40, 64, seed=seed)).coords.astype(np.float64)
    exact = decode(encode(backbone), refine=False)
    assert deviation(exact.coords, backbone) < 1e-3  # made of ideal residues
    refined = decode(encode(backbone))
    assert deviation(refined.coords, backbone) < 0.02
    assert deviation(refined.coords, backbone * MIRROR) > 1
    assert refined.margin > 0.99 and refined.plausible


@pytest.mark.parametrize("seed", range(4))
def test_mirrored_coordinates_come_back_mirrored(seed):
    mirrored = next(sample_backbones(1, 60, 60, seed=seed)).coords * MIRROR
    for refine in (False, True):
        assert deviation(decode(encode(mirrored), refine=refine).coords, mirrored) < 0.05


def test_rigid_motion_of_the_input_changes_nothing(coords, rng):
    moved = coords @ random_rotation(rng).T.astype(np.float32) + 30.0
    assert deviation(decode(encode(moved)).coords, decode(encode(coords)).coords) < 1e-3


@pytest.mark.parametrize("levels", [0.0, 4.0])
@pytest.mark.parametrize("refine", [False, True])
def test_libraries_and_precisions_agree(coords, levels, refine):
    image = noisy_image(coords, levels)
    reference = decode(image, refine=refine)
    on_torch = decode(torch.from_numpy(image), refine=refine)
    assert deviation(on_torch.coords.numpy(), reference.coords) < 1e-3
    assert on_torch.error.numpy() == pytest.approx(reference.error, rel=0.01, abs=1e-3)
    assert deviation(decode(image.astype(np.float64), refine=refine).coords, reference.coords) < 1e-2


@pytest.mark.slow  # JAX compiles some five hundred operations one by one
def test_jax_agrees(coords):
    image = noisy_image(coords[:16], 2.0)
    both = "jax.numpy.stack([foldpix.image.decode(x, refine=refine).coords for refine in (False, True)])"
    for refine, found in zip((False, True), run_jax(both, image), strict=True):
        assert deviation(found, decode(image, refine=refine).coords) < 1e-3


@pytest.mark.slow  # compiled for half a minute
def test_jax_agrees_on_a_round_of_refinement(coords):
    """Views, frames, misfit and normal equations, compiled as one."""
    image = noisy_image(coords)
    found = run_jax("jax.jit(one_round)(x)", image, setup="from tests.image.test_decode import one_round")
    assert found == pytest.approx(one_round(image), abs=1e-3)
    assert np.abs(found[0]).mean() > 0.02


def test_padded_batches_equal_single_images(rng):
    backbones = [b.coords for b in sample_backbones(6, 40, 90, seed=3)]
    size = 96
    images = np.full((2, 3, 3, size, size), np.nan, dtype=np.float32)  # padding may hold anything
    mask, d_max = np.zeros((2, 3, size), dtype=bool), np.full((2, 3), 80.0)
    d_max[1, 2] = 60.0
    for k, coords in enumerate(backbones):
        place, length = divmod(k, 3), len(coords)
        images[place][:, :length, :length] = encode(coords, float(d_max[place]))
        mask[place][:length] = True
    batch = decode(images, d_max, mask)
    assert batch.coords.shape == (2, 3, size, 3, 3) and batch.bonded.shape == (2, 3, size - 1)
    assert np.isnan(batch.coords[~mask]).all() and np.isnan(batch.error[~mask]).all()
    for k, coords in enumerate(backbones):
        place, length = divmod(k, 3), len(coords)
        alone = decode(images[place][:, :length, :length], float(d_max[place]))
        assert deviation(batch.coords[place][:length], alone.coords) < 1e-3
        assert batch.error[place][:length] == pytest.approx(alone.error, rel=1e-3, abs=1e-3)
        assert batch.residual[place] == pytest.approx(alone.residual, rel=1e-3)
        assert batch.bonded[place][: length - 1].all() and not batch.bonded[place][length - 1 :].any()


def test_noisy_neighbours_change_nothing(coords):
    """Nor do clean ones: each chain is started, weighed and finished by itself."""
    images = np.stack([noisy_image(coords, levels, seed=1) for levels in (0.0, 12.0, 2.0)])
    for refine in (False, True):
        together = decode(images, refine=refine)
        for k, image in enumerate(images):
            assert deviation(together.coords[k], decode(image, refine=refine).coords) < 1e-4


def test_an_empty_batch_is_an_empty_batch():
    empty = decode(np.zeros((0, 3, 10, 10), dtype=np.float32))
    assert empty.coords.shape == (0, 10, 3, 3)
    assert empty.plausible.shape == (0,)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 9])
def test_the_shortest_chains_come_back(length):
    for seed in range(4):
        truth = next(sample_backbones(1, 40, 40, seed=seed)).coords[10 : 10 + length]
        for chain in (truth, truth * MIRROR):
            decoded = decode(encode(chain))
            assert deviation(decoded.coords, chain) < 0.1
            assert decoded.plausible and decoded.bonded.all() and np.isfinite(decoded.error).all()


def test_a_long_chain_comes_back():
    truth = next(sample_backbones(1, 1024, 1024, seed=0)).coords
    decoded = decode(encode(truth))
    assert np.tril(encode(truth)[0]).max() == 1.0  # most of it is out of sight of most of it
    assert deviation(decoded.coords, truth) < 0.05
    assert decoded.plausible


@pytest.mark.parametrize("d_max", [15.0, 20.0])
def test_clipped_distances_are_not_needed(coords, d_max):
    image = from_pixels(to_pixels(encode(coords, d_max)))
    assert (np.tril(image[0], -1) == 1.0).sum() > 50
    assert deviation(decode(image, d_max).coords, coords) < 0.05


def test_real_chains_come_back(real_chains):
    """The targets: refined 0.04 angstrom on average, in closed form 0.10, every hand right."""
    fast, refined = [], []
    for backbone in real_chains:
        image = noisy_image(backbone.coords)
        for refine, deviations in ((False, fast), (True, refined)):
            decoded = decode(image, refine=refine)
            deviations.append(deviation(decoded.coords, backbone.coords))
            assert deviations[-1] < deviation(decoded.coords, backbone.coords * MIRROR)
            assert decoded.plausible and decoded.bonded.all() and decoded.margin > 0.9
    assert np.mean(fast) < 0.10
    assert np.mean(refined) < 0.04
    assert np.max(refined) < 0.2


@pytest.mark.parametrize(("levels", "most"), [(1, 0.10), (2, 0.14), (4, 0.28), (8, 0.7), (16, 1.8)])
def test_noise_does_little_harm(levels, most, real_chains):
    chosen = [chain for chain in real_chains if len(chain) < 200][::2]
    fast, refined = [], []
    for seed, backbone in enumerate(chosen):
        image = noisy_image(backbone.coords, levels, seed)
        fast.append(deviation(decode(image, refine=False).coords, backbone.coords))
        decoded = decode(image)
        refined.append(deviation(decoded.coords, backbone.coords))
        assert refined[-1] < deviation(decoded.coords, backbone.coords * MIRROR)
        assert decoded.residual == pytest.approx(levels, rel=0.15)
    assert np.mean(refined) < most
    assert np.mean(refined) < 0.7 * np.mean(fast)


def test_expected_errors_are_those_that_happen(real_chains):
    """Of the refined form on average, of the closed form residue by residue."""
    chosen = [chain for chain in real_chains if len(chain) < 200][::2]
    true, expected, fast_true, fast_expected = [], [], [], []
    for seed, backbone in enumerate(chosen):
        image = noisy_image(backbone.coords, 4.0, seed)
        refined, fast = decode(image), decode(image, refine=False)
        true.append(errors(refined.coords, backbone.coords))
        fast_true.append(errors(fast.coords, backbone.coords))
        expected.append(refined.error)
        fast_expected.append(fast.error)
    assert np.mean(np.concatenate(expected)) == pytest.approx(np.mean(np.concatenate(true)), rel=0.25)
    ranks = spearmanr(np.concatenate(fast_expected), np.concatenate(fast_true))
    assert ranks.statistic > 0.6


def test_expected_errors_grow_with_noise(coords):
    for refine in (False, True):
        expected = [
            decode(noisy_image(coords, levels), refine=refine).error.mean() for levels in (0, 4, 12, 32)
        ]
        assert sorted(expected) == expected
        assert expected[-1] > 5 * expected[0]


def test_expected_errors_tell_good_pixels_from_bad_ones(coords):
    """Where only some residues' rows are noisy, these are the ones to doubt."""
    pixels = to_pixels(encode(coords)).astype(float)
    noise = np.random.default_rng(0).normal(0, 12, pixels.shape)
    doubtful = np.zeros(60, dtype=bool)
    doubtful[20:35] = True
    noise[~doubtful] = 0.0
    decoded = decode(from_pixels(np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)))
    assert decoded.error[doubtful].min() > decoded.error[~doubtful].max()


def test_gaps_are_found_and_not_closed(real_structures):
    paths = sorted((real_structures / "chains_gapped").glob("*.pdb.gz"))[::25]
    missed = false = 0
    for path in paths:
        backbone = read_structure(path)[0]
        decoded = decode(noisy_image(backbone.coords))
        gaps, found = set(backbone.chain_breaks.tolist()), set(np.flatnonzero(~decoded.bonded).tolist())
        missed, false = missed + len(gaps - found), false + len(found - gaps)
        assert deviation(decoded.coords, backbone.coords) < 0.15
    assert len(paths) > 15
    assert missed <= 1 and false <= 1


@pytest.mark.parametrize("length", [2, 3, 4, 6, 12, 24])
def test_gaps_of_short_and_of_broken_chains_are_found(length):
    """One missing residue in the middle, and every sixth one missing of a longer chain."""
    for seed in range(4):
        chain = next(sample_backbones(1, 60, 60, seed=seed)).coords
        kept = np.delete(np.arange(10, 11 + length), length // 2)
        decoded = decode(noisy_image(chain[kept]))
        assert np.flatnonzero(~decoded.bonded).tolist() == [length // 2 - 1]
        assert deviation(decoded.coords, chain[kept]) < 0.15
        kept = np.delete(np.arange(60), np.arange(5, 60, 6))
        broken = decode(noisy_image(chain[kept]))
        assert np.flatnonzero(~broken.bonded).tolist() == np.flatnonzero(np.diff(kept) > 1).tolist()


def test_cis_peptides_stay_cis(real_structures):
    found = 0
    for path in sorted((real_structures / "chains").glob("1a*.pdb.gz"))[:40]:
        truth = read_structure(path)[0].coords
        cis = np.linalg.norm(truth[1:, 1] - truth[:-1, 1], axis=-1) < 3.2
        if not cis.any():
            continue
        decoded = decode(noisy_image(truth)).coords
        assert np.linalg.norm(decoded[1:, 1] - decoded[:-1, 1], axis=-1)[cis] == pytest.approx(2.95, abs=0.2)
        found += cis.sum()
    assert found > 5


@pytest.mark.parametrize("value", [-1.0, -0.9, -0.5, 0.0, 0.3, 1.0])
@pytest.mark.parametrize("length", [30, 70])
def test_constant_images_are_not_plausible(value, length):
    decoded = decode(np.full((3, length, length), value, dtype=np.float32))
    assert not decoded.plausible
    assert np.isfinite(decoded.coords).all()


def test_random_and_clipped_images_are_not_plausible(coords, rng):
    assert not decode(rng.uniform(-1, 1, (3, 50, 50))).plausible
    blind = encode(coords)
    blind[0][np.tril_indices(60, -1)] = 1.0
    decoded = decode(blind)
    assert decoded.residual == np.inf and not decoded.plausible
    two = decode(np.ones((3, 2, 2)))
    assert two.residual == np.inf and not two.plausible


@pytest.mark.parametrize(
    "shape", [(3, 1, 1), (3, 0, 0), (3, 10, 9), (1, 10, 10), (4, 10, 10), (10, 10), (10, 10, 3)]
)
def test_wrong_shapes_are_told(shape):
    with pytest.raises(ValueError, match=r"image must have shape \(..., 3, L, L\) with L >= 2"):
        decode(np.zeros(shape))


def test_wrong_values_are_told(coords):
    image = encode(coords)
    for value in (np.nan, np.inf):
        broken = image.copy()
        broken[1, 3, 4] = value
        with pytest.raises(ValueError, match="values that are not finite"):
            decode(broken)
    for dtype in (np.uint8, np.float16, np.int64):
        with pytest.raises(ValueError, match=f"not {np.dtype(dtype)}; see from_pixels"):
            decode(np.zeros((3, 8, 8), dtype=dtype))
    with pytest.raises(ValueError, match=r"not torch\.bfloat16; see from_pixels"):
        decode(torch.zeros(3, 8, 8, dtype=torch.bfloat16))
    for d_max in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="d_max must be positive and finite"):
            decode(image, d_max)


@pytest.mark.parametrize("mask", [[1] * 9, [0] + [1] * 7, [1, 0, 1, 1, 1, 1, 1, 1], [1] + [0] * 7, [0] * 8])
def test_wrong_masks_are_told(mask):
    with pytest.raises(ValueError, match="mask"):
        decode(np.zeros((3, 8, 8)), mask=np.array(mask, dtype=bool))
