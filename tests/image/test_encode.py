"""Backbone to image."""

import numpy as np
import pytest

from foldpix.generation import sample_backbones
from foldpix.geometry import orientation_maps
from foldpix.image import encode
from tests.conftest import random_rotation


@pytest.fixture(scope="module")
def coords() -> np.ndarray:
    return next(sample_backbones(1, 60, 60, seed=1)).coords


def test_channels_hold_what_the_format_says(coords):
    image = encode(coords, d_max=40.0)
    d, omega, theta, phi = orientation_maps(coords)
    below, above = np.tril_indices(60, -1), np.triu_indices(60, 1)
    assert image[0][below] == pytest.approx(2 * np.minimum(d[below], 40.0) / 40.0 - 1)
    assert image[0][above] == pytest.approx(omega[above] / np.pi)
    off = ~np.eye(60, dtype=bool)
    assert image[1][off] == pytest.approx(theta[off] / np.pi)
    assert image[2][off] == pytest.approx(2 * phi[off] / np.pi - 1)
    assert (np.diagonal(image, axis1=1, axis2=2) == [[-1.0], [0.0], [0.0]]).all()
    assert image.dtype == np.float32
    assert np.abs(image).max() <= 1


def test_rigid_motion_changes_nothing(coords, rng):
    moved = coords @ random_rotation(rng).T + 30.0
    assert np.abs(np.exp(1j * np.pi * encode(coords)) - np.exp(1j * np.pi * encode(moved))).max() < 1e-3


@pytest.mark.parametrize("shape", [(3,), (60, 3), (60, 4, 3), (60, 3, 2)])
def test_wrong_coordinates_are_told(shape):
    with pytest.raises(ValueError, match=r"coords must have shape \(..., L, 3, 3\)"):
        encode(np.zeros(shape))


@pytest.mark.parametrize("d_max", [0.0, -1.0, float("nan")])
def test_d_max_must_be_positive(coords, d_max):
    with pytest.raises(ValueError, match="d_max must be positive"):
        encode(coords, d_max)
