"""Matching of residues against biotite's optimal alignment; improved poses on chains of known answer."""

import biotite.structure as struc
import numpy as np
import pytest
from biotite.sequence import PurePositionalSequence
from biotite.sequence.align import SubstitutionMatrix, align_optimal, remove_gaps

from foldpix.alignment.chain_refinement import gaussian_overlap, measured, refined
from foldpix.alignment.correspondence import matched_residues
from foldpix.geometry import tm_scale
from tests.conftest import random_rotation

# biotite aligns integers.
_UNIT = 100_000


def walk(rng, length):
    """A chain of CA 3.8 Å apart."""
    steps = rng.normal(size=(length, 3)) + 0.4
    return np.cumsum(3.8 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0)


def motion(rng, distance=50.0):
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = random_rotation(rng), distance * rng.normal(size=3)
    return transform


def moved(points, transform):
    return points @ transform[:3, :3].T + transform[:3, 3]


def biotite_pairs(ref, fit, scale):
    sequences = PurePositionalSequence(len(ref)), PurePositionalSequence(len(fit))
    closeness = 1 / (1 + np.sum((ref[:, None] - fit) ** 2, axis=-1) / scale**2)
    matrix = SubstitutionMatrix(*(x.alphabet for x in sequences), (_UNIT * closeness).astype(np.int32))
    penalty = (-round(0.6 * _UNIT), 0)
    found = align_optimal(*sequences, matrix, penalty, terminal_penalty=False, max_number=1)[0]
    return remove_gaps(found).trace, found.score / _UNIT


def path_sum(ref, fit, pairs, scale):
    closeness = 1 / (1 + np.sum((ref[pairs[:, 0]] - fit[pairs[:, 1]]) ** 2, axis=-1) / scale**2)
    return closeness.sum() - 0.6 * np.sum((np.diff(pairs, axis=0) > 1).any(axis=1))


@pytest.mark.parametrize("seed", range(8))
def test_matches_are_biotite_s_optimum(seed):
    rng = np.random.default_rng(seed)
    ref = walk(rng, int(rng.integers(2, 60)))
    fit = walk(rng, int(rng.integers(2, 60)))
    if seed % 2:  # with deletions
        fit = np.delete(ref, rng.integers(0, len(ref), 4), axis=0) + rng.normal(size=3)
    _, best = biotite_pairs(ref, fit, 4.0)
    pairs = matched_residues(ref, fit, 4.0)
    assert (np.diff(pairs, axis=0) > 0).all()
    assert path_sum(ref, fit, pairs, 4.0) == pytest.approx(best, abs=1e-3)


def test_a_single_residue():
    fit = np.array([[4.0, 0.0, 0.0], [0.5, 0.0, 0.0], [3.0, 0.0, 0.0]])
    assert matched_residues(np.zeros((1, 3)), fit, 1.0).tolist() == [[0, 1]]


@pytest.mark.parametrize("seed", range(4))
def test_poses_near_the_answer_lead_to_it(seed):
    """A chain with residues missing, turned by 20 degrees: every residue comes back onto itself."""
    rng = np.random.default_rng(seed)
    ref, transform = walk(rng, 80), motion(rng)
    kept = np.delete(np.arange(80), rng.integers(5, 75, 6))
    fit = moved(ref[kept], transform)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.35), -np.sin(0.35)], [np.sin(0.35), np.cos(0.35)]]
    near = turn @ np.linalg.inv(transform)
    found = refined(ref, fit, [np.eye(4), near])
    assert found.tm_score == pytest.approx(1.0, abs=1e-3)
    assert found.rmsd < 0.2 and found.num_matched == len(kept)
    assert moved(fit, found.transform) == pytest.approx(ref[kept], abs=0.5)


@pytest.mark.parametrize("seed", range(4))
def test_figures_of_a_pose(seed):
    rng = np.random.default_rng(seed)
    ref, fit = walk(rng, 40), walk(rng, 50)
    transform = motion(rng, 2.0)
    found = measured(ref, fit, transform)
    posed, scale = moved(fit, transform), tm_scale(40)
    pairs = matched_residues(ref, posed, scale)
    distance = np.linalg.norm(ref[pairs[:, 0]] - posed[pairs[:, 1]], axis=1)
    near = distance[distance < 5.0]
    assert found.num_matched == len(near)
    assert found.rmsd == pytest.approx(np.sqrt(np.mean(near**2))) if len(near) else np.isnan(found.rmsd)
    atoms = [ca_atoms(points) for points in (ref, posed)]
    assert found.tm_score == pytest.approx(struc.tm_score(*atoms, *pairs.T), abs=1e-5)


def ca_atoms(points):
    """biotite's view of CA."""
    atoms = struc.AtomArray(len(points))
    atoms.coord, atoms.res_id = points.astype(np.float32), np.arange(len(points))
    atoms.res_name[:], atoms.atom_name[:] = "ALA", "CA"
    return atoms


def test_gaussian_overlap_by_its_definition():
    rng = np.random.default_rng(0)
    a, b = walk(rng, 30), walk(rng, 20)
    square = np.sum((a[:, None] - b) ** 2, axis=-1)
    assert gaussian_overlap(a, b, 0.1) == pytest.approx(np.exp(-0.05 * square).sum(), rel=1e-6)
