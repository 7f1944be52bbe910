"""Classical MDS gives back what distances can tell."""

import numpy as np
import pytest

from foldpix.geometry import classical_mds


@pytest.mark.parametrize("seed", range(5))
def test_exact_distances_come_back(seed):
    points = np.random.default_rng(seed).normal(0, 20, (3, 25, 3))
    distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    embedded = classical_mds(distances)
    assert np.linalg.norm(embedded[:, :, None] - embedded[:, None], axis=-1) == pytest.approx(distances)
    assert embedded.mean(axis=1) == pytest.approx(np.zeros((3, 3)), abs=1e-9)


def test_planar_points_stay_planar():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    embedded = classical_mds(np.linalg.norm(square[:, None] - square[None], axis=-1))
    assert np.linalg.svd(embedded - embedded.mean(axis=0))[1][2] < 1e-6
