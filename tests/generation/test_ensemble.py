"""Ensembles: superposition, the medoid, and sizes."""

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import ensemble
from foldpix.generation.ensemble import analyze_ensemble, end_to_end, pairwise_rmsd, radius_of_gyration
from foldpix.geometry import build_backbone, rmsd
from tests.conftest import random_rotation


def helices(rng: np.random.Generator, num: int, length: int, drift: float) -> np.ndarray:
    """N, CA, C (B, N, 3) of helices whose phi and psi scatter by ``drift`` degrees."""
    torsions = np.array([-57, -47, 180]) + drift * rng.normal(size=(num, length, 3)) * np.array([1, 1, 0])
    return build_backbone(np.radians(torsions)).reshape(num, 3 * length, 3)


def moved(rng: np.random.Generator, coords: np.ndarray) -> np.ndarray:
    """Every member turned and shifted on its own."""
    rotations = np.stack([random_rotation(rng) for _ in coords])
    return coords @ np.swapaxes(rotations, 1, 2) + 100 * rng.normal(size=(len(coords), 1, 3))


def on_their_mean(coords: np.ndarray) -> np.ndarray:
    """Members superposed on their mean in turns, by biotite."""
    mean = coords[0]
    for _ in range(100):
        fitted = np.stack([struc.superimpose(mean, member)[0] for member in coords])
        before, mean = mean, fitted.mean(axis=0)
        if np.abs(mean - before).max() < 1e-7:
            break
    return fitted


@pytest.fixture(params=range(3))
def coords(request) -> np.ndarray:
    rng = np.random.default_rng(request.param)
    return helices(rng, int(rng.integers(3, 30)), int(rng.integers(4, 40)), rng.uniform(2, 60))


def test_every_two_members_are_superposed_best(coords):
    matrix = pairwise_rmsd(coords)
    assert matrix == pytest.approx(rmsd(coords[:, None], coords[None]), abs=1e-6)
    for i, j in ((0, 1), (2, 0), (1, -1)):
        fitted, _ = struc.superimpose(coords[i], coords[j])
        assert matrix[i, j] == pytest.approx(struc.rmsd(coords[i], fitted), abs=1e-4)
    assert np.array_equal(matrix, matrix.T)
    assert not np.diagonal(matrix).any()


def test_mean_is_that_of_superposed_members(coords):
    result, fitted = analyze_ensemble(coords), on_their_mean(coords)
    squared = np.sum((fitted - fitted.mean(axis=0)) ** 2, axis=-1)
    assert result["avg_rmsd"] == pytest.approx(np.sqrt(squared.mean(axis=1)).mean(), abs=1e-4)
    assert result["rmsf"] == pytest.approx(np.sqrt(squared.mean(axis=0)), abs=2e-3)
    assert rmsd(result["avg_coords"], fitted.mean(axis=0)) < 1e-3
    # It lies on the medoid: no motion brings it closer.
    medoid = coords[result["medoid_index"]]
    apart = np.sqrt(np.mean(np.sum((result["avg_coords"] - medoid) ** 2, axis=-1)))
    assert apart == pytest.approx(rmsd(medoid, result["avg_coords"]), abs=1e-9)


def test_medoid_has_the_least_sum_of_rmsds(coords):
    sums = [sum(rmsd(coords[i], coords[j]) for j in range(len(coords))) for i in range(len(coords))]
    assert analyze_ensemble(coords)["medoid_index"] == np.argmin(sums)


def test_rigid_motions_of_members_change_nothing(coords, rng):
    still, turned = analyze_ensemble(coords), analyze_ensemble(moved(rng, coords))
    assert turned["medoid_index"] == still["medoid_index"]
    assert rmsd(turned["avg_coords"], still["avg_coords"]) < 1e-6
    for name in ("avg_rmsd", "rmsf", "rmsd_matrix", "radius_of_gyration", "end_to_end"):
        assert turned[name] == pytest.approx(still[name], abs=1e-5), name


def test_superposing_takes_out_what_is_no_difference_in_shape(rng):
    coords = helices(rng, 100, 20, 5.0)
    superposed, in_place = analyze_ensemble(coords), analyze_ensemble(coords, superimpose=False)
    assert 0.4 < superposed["avg_rmsd"] < 1.0
    assert in_place["avg_rmsd"] > 2 * superposed["avg_rmsd"]
    assert analyze_ensemble(moved(rng, coords), superimpose=False)["avg_rmsd"] > 20
    assert superposed["avg_rmsd"] > 3 * analyze_ensemble(helices(rng, 100, 20, 1.0))["avg_rmsd"]


def test_order_of_members_does_not_matter(coords, rng):
    order = rng.permutation(len(coords))
    first, second = analyze_ensemble(coords), analyze_ensemble(coords[order])
    assert order[second["medoid_index"]] == first["medoid_index"]
    assert second["avg_rmsd"] == pytest.approx(first["avg_rmsd"])
    assert second["rmsf"] == pytest.approx(first["rmsf"])
    assert second["rmsd_matrix"] == pytest.approx(first["rmsd_matrix"][np.ix_(order, order)], abs=1e-6)


def test_in_place_nothing_is_moved(coords, rng):
    coords = coords + 50 * rng.normal(size=3)
    result = analyze_ensemble(coords, superimpose=False)
    difference = coords[:, None] - coords[None]
    matrix = np.sqrt(np.mean(np.sum(difference**2, axis=-1), axis=-1))
    assert result["rmsd_matrix"] == pytest.approx(matrix, abs=1e-6)
    assert np.array_equal(result["rmsd_matrix"], result["rmsd_matrix"].T)
    assert result["medoid_index"] == np.argmin(matrix.sum(axis=1))
    assert result["avg_coords"] == pytest.approx(coords.mean(axis=0))
    squared = np.sum((coords - coords.mean(axis=0)) ** 2, axis=-1)
    assert result["avg_rmsd"] == pytest.approx(np.sqrt(squared.mean(axis=1)).mean())
    assert result["rmsf"] == pytest.approx(np.sqrt(squared.mean(axis=0)))


def test_sizes(coords):
    for member, radius, length in zip(coords, radius_of_gyration(coords), end_to_end(coords), strict=True):
        atoms = struc.AtomArray(len(member))
        atoms.coord = member
        assert radius == pytest.approx(struc.gyration_radius(atoms, np.ones(len(member))), rel=1e-5)
        assert length == pytest.approx(struc.distance(member[0], member[-1]), rel=1e-5)
    result = analyze_ensemble(coords)
    assert result["radius_of_gyration"] == pytest.approx(radius_of_gyration(coords))
    assert np.array_equal(result["end_to_end"], end_to_end(coords))


def degenerate(rng: np.random.Generator) -> dict[str, np.ndarray]:
    cloud = rng.normal(size=(7, 9, 3))
    return {
        "on lines": cloud[:, :, :1] * rng.normal(size=(7, 1, 3)),
        "in planes": cloud[:, :, :2] @ rng.normal(size=(7, 2, 3)),
        "one atom": cloud[:, :1],
        "two atoms": cloud[:, :2],
        "mirrored": np.concatenate([cloud, cloud * np.array([1, 1, -1])]),
        "on axes": np.repeat(np.eye(3)[None], 4, axis=0)
        * np.array([1, 1, -1]) ** np.arange(4)[:, None, None],
        "one point": np.zeros((3, 5, 3)),
    }


@pytest.mark.parametrize("kind", degenerate(np.random.default_rng(0)))
@pytest.mark.parametrize("seed", range(3))
def test_degenerate_shapes(kind, seed):
    rng = np.random.default_rng(seed)
    coords = moved(rng, degenerate(rng)[kind])
    assert pairwise_rmsd(coords) == pytest.approx(rmsd(coords[:, None], coords[None]), abs=3e-6)
    result = analyze_ensemble(coords)
    assert all(np.isfinite(value).all() for value in result.values())
    assert result["avg_rmsd"] <= result["rmsd_matrix"].mean() + 1e-5


def test_a_mirror_image_is_not_superposed(rng):
    coords = helices(rng, 1, 20, 5.0)
    pair = np.concatenate([coords, coords * np.array([-1, 1, 1])])
    assert pairwise_rmsd(pair)[0, 1] == pytest.approx(rmsd(*pair))
    assert pairwise_rmsd(pair)[0, 1] > 1


def test_identical_members_are_identical(rng):
    coords = moved(rng, np.repeat(helices(rng, 1, 20, 5.0), 10, axis=0))
    result = analyze_ensemble(coords)
    assert result["avg_rmsd"] < 1e-5
    assert result["rmsd_matrix"].max() < 1e-5
    assert result["rmsf"].max() < 1e-5


def test_one_member_is_its_own_mean(rng):
    coords = moved(rng, helices(rng, 1, 10, 5.0))
    result = analyze_ensemble(coords)
    assert (result["medoid_index"], type(result["medoid_index"])) == (0, int)
    assert (result["avg_rmsd"], type(result["avg_rmsd"])) == (pytest.approx(0, abs=1e-6), float)
    assert result["avg_coords"] == pytest.approx(coords[0], abs=1e-6)
    assert np.array_equal(result["rmsd_matrix"], [[0.0]])


def test_float32_and_views_give_the_same(coords):
    wide = np.zeros((len(coords), 2 * coords.shape[1], 3), dtype=np.float32)
    wide[:, ::2] = coords
    result, exact = analyze_ensemble(wide[:, ::2]), analyze_ensemble(coords)
    assert result["avg_rmsd"] == pytest.approx(exact["avg_rmsd"], abs=1e-4)
    assert result["rmsd_matrix"].dtype == result["avg_coords"].dtype == np.float64


def test_pairs_are_the_same_in_parts(coords, monkeypatch):
    whole = pairwise_rmsd(coords)
    monkeypatch.setattr(ensemble, "_MAX_PAIRS", 2 * len(coords))
    assert pairwise_rmsd(coords) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("function", [analyze_ensemble, pairwise_rmsd, radius_of_gyration, end_to_end])
def test_what_is_no_ensemble_is_refused(function):
    for shape in ((0, 5, 3), (5, 0, 3), (5, 3), (5, 5, 2)):
        with pytest.raises(ValueError, match=r"coords of shape .*; they must be \(B, N, 3\)"):
            function(np.zeros(shape))
    coords = np.zeros((4, 5, 3))
    coords[2, 1] = np.nan
    with pytest.raises(ValueError, match="member 2 has coordinates that are not finite"):
        function(coords)
