"""The virtual CB, the frames and the ideal residue."""

import numpy as np
import pytest

from foldpix.geometry import IDEAL_RESIDUE, frame_jacobian, residue_frames, virtual_cb
from foldpix.structure import read_structure


def test_virtual_cb_makes_an_l_residue():
    n_ca_c = np.array([[1.459, 0, 0], [0, 0, 0], [1.525 * np.cos(1.9373), 1.525 * np.sin(1.9373), 0]])
    cb = virtual_cb(n_ca_c[None])[0]
    assert np.linalg.norm(cb) == pytest.approx(1.53, abs=0.02)
    # Seen from H towards CA an L-residue reads CO, R, N clockwise: N x C . CB is positive.
    assert np.dot(np.cross(n_ca_c[0], n_ca_c[2]), cb) > 0


def test_frames_are_rotations_and_place_the_ideal_residue(rng):
    coords = rng.normal(0, 2, (20, 3, 3))
    origin, axes = residue_frames(coords)
    assert axes @ np.swapaxes(axes, -1, -2) == pytest.approx(np.broadcast_to(np.eye(3), (20, 3, 3)), abs=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    placed = origin[:, None] + IDEAL_RESIDUE @ axes
    assert residue_frames(placed)[1] == pytest.approx(axes, abs=1e-9)


def test_ideal_residue_fits_real_ones(real_structures):
    backbone = read_structure(next((real_structures / "chains").glob("1a*.pdb.gz")))[0]
    origin, axes = residue_frames(backbone.coords)
    local = (backbone.coords - origin[:, None]) @ np.swapaxes(axes, -1, -2)
    assert np.abs(np.median(local, axis=0) - IDEAL_RESIDUE).max() < 0.05


def test_jacobian_is_the_derivative_of_the_frames(rng):
    coords, step = rng.normal(0, 2, (20, 3, 3)), 1e-6 * rng.normal(0, 1, (20, 3, 3))
    origin, axes = residue_frames(coords)
    moved_origin, moved_axes = residue_frames(coords + step)
    shift = (axes @ (moved_origin - origin)[..., None])[..., 0]
    turn = axes @ np.swapaxes(moved_axes, -1, -2)  # columns: the new axes in the old frame
    angle = np.stack([turn[:, 2, 1], turn[:, 0, 2], turn[:, 1, 0]], axis=-1)
    predicted = (frame_jacobian(coords) @ step.reshape(20, 9, 1))[..., 0]
    assert predicted == pytest.approx(np.concatenate([shift, angle], axis=-1), abs=1e-9)
