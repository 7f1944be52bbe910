"""Cosines and sines beside those of NumPy's extended precision."""

import numpy as np
import pytest

from foldpix.generation.turns import GREATEST, cos_sin


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("greatest", [0.1, 4.0, GREATEST])
@pytest.mark.parametrize("width", [1, 64, 77])
def test_both_are_right_to_two_epsilons(dtype, greatest, width):
    angles = np.random.default_rng(0).uniform(-greatest, greatest, (300, width)).astype(dtype)
    found = np.empty((300, 2, width), dtype=dtype)
    cos_sin(angles, found)
    exact = angles.astype(np.longdouble)
    for name, row in (("cos", found[:, 0]), ("sin", found[:, 1])):
        assert np.abs(row - getattr(np, name)(exact)).max() < 2 * np.finfo(dtype).eps, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quarter_turns(dtype):
    angles = np.array([[-np.pi, -np.pi / 2, 0.0, np.pi / 2, np.pi, 2 * np.pi]], dtype=dtype)
    found = np.empty((1, 2, 6), dtype=dtype)
    cos_sin(angles, found)
    expected = [[-1, 0, 1, 0, -1, 1], [0, -1, 0, 1, 0, 0]]
    assert found[0] == pytest.approx(np.array(expected), abs=4 * float(np.finfo(dtype).eps))


def test_an_angle_has_one_answer_whatever_stands_beside_it():
    angles = np.random.default_rng(1).uniform(-4, 4, (1, 203)).astype(np.float32)
    whole, alone = np.empty((1, 2, 203), dtype=np.float32), np.empty((203, 2, 1), dtype=np.float32)
    cos_sin(angles, whole)
    cos_sin(np.ascontiguousarray(angles.T), alone)
    assert np.array_equal(whole[0].T, alone[..., 0])
