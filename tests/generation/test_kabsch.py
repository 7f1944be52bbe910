"""Compiled superposition beside that of the geometry room, which takes its singular values from LAPACK."""

import numpy as np
import pytest

from foldpix.generation.kabsch import best_rotations, fill_rmsd
from foldpix.geometry import best_rotation, rmsd


def orthogonal(rng: np.random.Generator, num: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(num, 3, 3)))[0]


def with_singular_values(*values: float):
    def covariances(rng: np.random.Generator, num: int) -> np.ndarray:
        return orthogonal(rng, num) * np.array(values) @ orthogonal(rng, num)

    return covariances


KINDS = {
    "random": lambda rng, num: rng.normal(size=(num, 3, 3)),
    "one direction": with_singular_values(1, 0, 0),
    "nearly one direction": with_singular_values(1, 1e-12, 1e-14),
    "a plane": with_singular_values(3, 1, 0),
    "all equal": orthogonal,
    "two equal": with_singular_values(2, 1, 1),
    "far apart": with_singular_values(1, 1e-7, 1e-9),
    "hardly a mirror": with_singular_values(1, 1, 1 - 1e-9),
    "large": with_singular_values(1e9, 3e8, 1e8),
    "diagonal": lambda rng, num: rng.normal(size=(num, 3))[:, None] * np.eye(3),
    "nothing": lambda rng, num: np.zeros((num, 3, 3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rotations_are_proper_and_best(kind, rng):
    h = KINDS[kind](rng, 200)
    rotation = best_rotations(h)
    assert rotation @ np.swapaxes(rotation, 1, 2) == pytest.approx(np.tile(np.eye(3), (200, 1, 1)), abs=1e-13)
    assert np.linalg.det(rotation) == pytest.approx(1)
    best = np.sum(best_rotation(h)[1], axis=-1)
    assert np.einsum("bij,bji->b", rotation, h) == pytest.approx(best, rel=1e-12, abs=1e-12)


def test_rotations_are_those_of_the_geometry_room_where_there_is_one(rng):
    h = rng.normal(size=(500, 3, 3))
    assert best_rotations(h) == pytest.approx(best_rotation(h)[0], abs=1e-8)


@pytest.mark.parametrize("num", [1, 2, 63, 64, 65, 130])
@pytest.mark.parametrize("first", [0, 1])
def test_rows_of_pairs(num, first, rng):
    points = rng.normal(size=(num, 5, 3))
    points -= points.mean(axis=1, keepdims=True)
    part = points[first : first + 2]
    covariance = np.einsum("inx,jny->ixjy", part, points[first:]) / 5
    found = np.full((num, num), -1.0)
    fill_rmsd(covariance, np.mean(np.sum(points**2, axis=-1), axis=-1), found)
    expected = np.full((num, num), -1.0)
    for i in range(first, min(first + 2, num)):
        expected[i, i + 1 :] = expected[i + 1 :, i] = rmsd(points[i + 1 :], points[i])
    assert found == pytest.approx(expected, abs=1e-6)
