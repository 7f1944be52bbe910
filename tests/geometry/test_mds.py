"""Classical MDS gives back what distances can tell."""

import numpy as np
import pytest

from foldpix.geometry import classical_mds


@pytest.mark.parametrize("seed", range(5))
def test_exact_distances_come_back(seed):
    points = np.random.default_rng(seed).normal(0, 20, (3, 25, 3))
    distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    embedded = classical_mds(distances, np.ones((3, 25)))
    assert np.linalg.norm(embedded[:, :, None] - embedded[:, None], axis=-1) == pytest.approx(distances)
    assert embedded.mean(axis=1) == pytest.approx(np.zeros((3, 3)), abs=1e-9)


def test_planar_points_stay_planar():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    embedded = classical_mds(np.linalg.norm(square[:, None] - square[None], axis=-1), np.ones(4))
    assert np.linalg.svd(embedded - embedded.mean(axis=0))[1][2] < 1e-6


def test_padding_is_left_out(rng):
    points = rng.normal(0, 20, (25, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    padded = np.pad(distances, (0, 5), constant_values=77.0)
    embedded = classical_mds(padded, np.array([1.0] * 25 + [0.0] * 5))
    assert embedded[25:] == pytest.approx(np.zeros((5, 3)), abs=1e-9)
    between = np.linalg.norm(embedded[:25, None] - embedded[None, :25], axis=-1)
    assert between == pytest.approx(distances)


def test_two_points_lie_on_a_line():
    embedded = classical_mds(np.array([[0.0, 3.0], [3.0, 0.0]]), np.ones(2))
    assert embedded.shape == (2, 3)
    assert np.linalg.norm(embedded[0] - embedded[1]) == pytest.approx(3.0)
