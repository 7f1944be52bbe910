"""Where searches start: rotations as they are defined."""

import numpy as np
import pytest

from foldpix.alignment.poses import rotation_matrix
from foldpix.alignment.starts import fibonacci_rotations, principal_starts


@pytest.mark.parametrize("num", [1, 10, 45])
def test_rotations_to_a_fibonacci_sphere(num):
    """By the shortest way: the axis is across x, and no turn is longer than the angle to the point."""
    quaternions = fibonacci_rotations(num)
    points = rotation_matrix(quaternions)[..., 0]
    np.testing.assert_allclose(points[:, 1], (np.arange(num) + 0.5) * 2.0 / num - 1.0, atol=1e-12)
    angles = np.unwrap(np.arctan2(points[:-1, 2], points[:-1, 0]))
    np.testing.assert_allclose(np.diff(angles) % (2.0 * np.pi), np.pi * (3.0 - 5.0**0.5), atol=1e-9)
    assert points[-1, 2] == pytest.approx(0.0, abs=1e-12) and points[-1, 0] >= 0
    np.testing.assert_allclose(2.0 * quaternions[:, 0] ** 2 - 1.0, points[:, 0], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1.0)


@pytest.mark.parametrize("num", [4, 12, 24, 60])
def test_principal_starts_are_a_group(num):
    unit = np.array([[1.0, 0.0, 0.0, 0.0]])
    turns = rotation_matrix(principal_starts(unit, unit, num)[0, :, :4])
    assert len(turns) == num
    products = np.einsum("aij,bjk->abik", turns, turns).reshape(-1, 1, 9)
    nearest = np.abs(products - turns.reshape(1, -1, 9)).max(axis=-1).min(axis=1)
    assert nearest.max() < 1e-12
