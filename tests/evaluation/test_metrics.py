import biotite.structure as struc
import numpy as np
import pytest

from foldpix.evaluation import metrics
from foldpix.evaluation.metrics import (
    _best_score,
    _windows,
    backbone_lddt,
    backbone_rmsd,
    ca_rmsd,
    compare,
    tm_scale,
    tm_score,
)
from foldpix.geometry import superpose
from tests.evaluation.conftest import random_chain, rigidly_moved


def atoms(coords):
    """biotite's view of (L, 3, 3)."""
    array = struc.AtomArray(3 * len(coords))
    array.coord = coords.reshape(-1, 3).astype(np.float32)
    array.res_id = np.repeat(np.arange(1, len(coords) + 1), 3)
    array.atom_name = np.tile(["N", "CA", "C"], len(coords))
    array.res_name[:] = "ALA"
    return array


def hinged(coords, seed, noise=0.5):
    """The first 45 % turned about its last CA, and noise."""
    rng = np.random.default_rng(seed)
    moved = coords + rng.normal(scale=noise, size=coords.shape)
    k = int(0.45 * len(coords))
    pivot = moved[k, 1].copy()
    moved[:k] = rigidly_moved(moved[:k] - pivot, seed)
    return moved


def biotite_tm(truth, superposed):
    """biotite's TM-score as the coordinates lie."""
    ca = np.arange(len(truth)) * 3 + 1
    return struc.tm_score(atoms(truth), atoms(superposed), ca, ca)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length", [4, 40, 173])
def test_rigidly_moved_copy_is_perfect(length, seed):
    truth = random_chain(length, seed)
    closeness = compare(rigidly_moved(truth, seed), truth)
    assert closeness.backbone_rmsd < 1e-4 and closeness.ca_rmsd < 1e-4
    assert closeness.tm_score == pytest.approx(1.0, abs=1e-5)
    assert closeness.lddt == 1.0
    assert closeness.right_handed


@pytest.mark.parametrize("seed", range(5))
def test_mirror_image_has_the_wrong_hand_and_only_that_tells(seed):
    truth = random_chain(90, seed)
    closeness = compare(rigidly_moved(truth * [1, 1, -1], seed), truth)
    assert not closeness.right_handed
    assert closeness.backbone_rmsd > 2.0
    assert closeness.lddt == 1.0  # distances are the same


@pytest.mark.parametrize("seed", range(4))
def test_rmsd_agrees_with_biotite(seed):
    truth = random_chain(70, seed)
    decoded = rigidly_moved(hinged(truth, seed), seed)
    for ours, a, b in [
        (backbone_rmsd(decoded, truth), decoded.reshape(-1, 3), truth.reshape(-1, 3)),
        (ca_rmsd(decoded, truth), decoded[:, 1], truth[:, 1]),
    ]:
        fitted, _ = struc.superimpose(b, a)
        assert ours == pytest.approx(float(struc.rmsd(b, fitted)), rel=1e-3)


def test_rmsd_of_a_known_stretch():
    # A straight rod stretched by 1 % about its centre: deviations are 1 % of the distances from it.
    x = np.arange(41.0) - 20
    rod = np.zeros((41, 3, 3))
    rod[:, :, 0] = x[:, None]
    assert backbone_rmsd(1.01 * rod, rod) == pytest.approx(0.01 * np.sqrt(np.mean(x**2)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length", [30, 80, 160])
def test_tm_score_is_the_best_biotite_finds_or_better(length, seed):
    truth = random_chain(length, seed)
    decoded = hinged(truth, seed)
    kabsch = superpose(decoded.reshape(-1, 3), truth.reshape(-1, 3).astype(float)).reshape(truth.shape)
    # Kabsch on either half alone: what a good search has to find.
    half = [_fitted_on(part, decoded, truth) for part in (slice(0, length // 3), slice(length // 2, length))]
    found = tm_score(rigidly_moved(decoded[:, 1], seed + 9), truth[:, 1])
    assert found >= max(biotite_tm(truth, each) for each in (kabsch, *half)) - 1e-4
    assert found < 1


def _fitted_on(part, decoded, truth):
    _, transform = struc.superimpose(truth[part, 1], decoded[part, 1])
    return transform.apply(decoded.reshape(-1, 3)).reshape(decoded.shape)


@pytest.mark.parametrize("seed", range(3))
def test_tm_score_of_nearly_identical_chains_needs_one_start_only(seed, monkeypatch):
    truth = random_chain(150, seed)
    decoded = truth[:, 1] + np.random.default_rng(seed).normal(scale=0.1, size=(150, 3))
    decoded[:4] += 1.0
    searched = _best_score(_windows(150), decoded, truth[:, 1])
    assert 0.99 < searched < 1
    monkeypatch.delattr(metrics, "_windows")
    assert tm_score(decoded, truth[:, 1]) == pytest.approx(searched, abs=1e-9)


@pytest.mark.parametrize("length", [15, 20, 40, 300, 1024])
def test_tm_score_of_a_known_displacement(length):
    # Points so far apart that any turn costs more than it gains: the unmoved count 1, those 3 d0 away 1 / 10.
    rng = np.random.default_rng(0)
    truth = rng.normal(scale=2000.0, size=(length, 3))
    decoded = truth.copy()
    decoded[::4] += [3 * tm_scale(length), 0, 0]
    far = len(truth[::4])
    assert tm_score(decoded, truth) == pytest.approx((length - far + far / 10) / length, abs=0.02)


def test_tm_scale_is_biotite_s():
    for length in (5, 15, 16, 21, 22, 100, 500):
        pair = struc.AtomArray(length)
        pair.res_name[:], pair.atom_name[:] = "GLY", "CA"
        pair.res_id = np.arange(length)
        moved = pair.copy()
        moved.coord = pair.coord = np.zeros((length, 3), np.float32)
        moved.coord = moved.coord + np.float32([tm_scale(length), 0, 0])
        index = np.arange(length)
        assert struc.tm_score(pair, moved, index, index) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_lddt_by_brute_force(seed):
    truth = random_chain(50, seed)
    decoded = hinged(truth, seed)
    a, b = (x.reshape(-1, 3).astype(np.float64) for x in (truth, decoded))
    d, e = (np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (a, b))
    residue = np.repeat(np.arange(50), 3)
    near = (d <= 15) & (residue[:, None] != residue[None])
    kept = [(np.abs(d - e)[near] <= cut).mean() for cut in (0.5, 1, 2, 4)]
    assert backbone_lddt(decoded, truth) == pytest.approx(np.mean(kept), abs=1e-3)
