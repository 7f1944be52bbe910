"""Relative rotations and the frames they come from."""

import numpy as np
import pytest

from foldpix.generation import sample_backbones
from foldpix.geometry import orientation_maps, relative_rotations, residue_frames, synchronize


@pytest.fixture
def coords(rng) -> np.ndarray:
    return rng.normal(0, 5, (2, 12, 3, 3))  # residues of any shape, even left-handed ones


def test_relative_rotations_and_directions_are_those_of_the_frames(coords):
    direction, rotation = relative_rotations(*orientation_maps(coords)[1:])
    cb, axes = residue_frames(coords)
    off = ~np.eye(12, dtype=bool)
    expected = np.einsum("biak,bjck->bijac", axes, axes)[:, off]
    found = np.moveaxis(rotation, (1, 2), (-2, -1))[:, off]
    assert found == pytest.approx(expected, abs=1e-9)
    towards = np.einsum("biak,bijk->bija", axes, cb[:, None] - cb[:, :, None])[:, off]
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    assert np.moveaxis(direction, -2, -1)[:, off] == pytest.approx(towards, abs=1e-9)


def test_frames_come_back_up_to_one_rotation(coords):
    _, rotation = relative_rotations(*orientation_maps(coords)[1:])
    found, disagreement = synchronize(rotation, np.ones((2, 12)))
    _, axes = residue_frames(coords)
    common = np.swapaxes(axes, -1, -2) @ found  # the same rotation for every residue
    assert common == pytest.approx(np.broadcast_to(common[:, :1], common.shape), abs=1e-6)
    assert np.linalg.det(common) == pytest.approx(1.0)
    assert disagreement == pytest.approx(0.0, abs=1e-6)


def test_padding_does_not_matter(coords, rng):
    _, rotation = relative_rotations(*orientation_maps(coords)[1:])
    mask = np.ones((2, 12))
    mask[:, 9:] = 0.0
    found, disagreement = synchronize(rotation, mask)
    alone, alone_disagreement = synchronize(rotation[..., :9, :9], np.ones((2, 9)))
    assert found[:, :9] == pytest.approx(alone, abs=1e-9)
    assert disagreement == pytest.approx(alone_disagreement, abs=1e-7)


def test_errors_average_out_and_show_in_the_disagreement(rng):
    truth = next(sample_backbones(1, 100, 100, seed=4)).coords.astype(np.float64)
    angles = [angle + rng.normal(0, 0.1, (100, 100)) for angle in orientation_maps(truth)[1:]]
    axes, disagreement = synchronize(relative_rotations(*angles)[1], np.ones(100))
    _, exact = residue_frames(truth)
    common = np.swapaxes(exact, -1, -2) @ axes
    mean = np.linalg.svd(common.mean(axis=0))
    spread = np.arccos(np.clip((np.einsum("nij,ij->n", common, mean[0] @ mean[2]) - 1) / 2, -1, 1))
    assert spread.mean() < 0.1 / 4  # of a hundred views each
    assert 0.05 < disagreement < 0.2
