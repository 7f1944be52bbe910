import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from foldpix.chain_code.pose import _rotation, _rotation_vector, apply_pose, relative_pose


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, 1.0, 3.0, np.pi - 1e-7, np.pi])
def test_rotations_against_scipy(angle):
    axes = np.random.default_rng(0).normal(size=(20, 3))
    for axis in axes / np.linalg.norm(axes, axis=1)[:, None]:
        matrix = Rotation.from_rotvec(angle * axis).as_matrix()
        assert np.allclose(_rotation(angle * axis), matrix, atol=1e-12)
        assert np.allclose(_rotation(_rotation_vector(matrix)), matrix, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_frame_comes_back_within_rounding(seed):
    rng = np.random.default_rng(seed)
    one, other = ((rng.normal(size=3) * 50, Rotation.random(random_state=rng).as_matrix()) for _ in range(2))
    origin, axes = apply_pose(one, relative_pose(one, other))
    assert np.abs(origin - other[0]).max() < 0.01
    assert Rotation.from_matrix(axes @ other[1].T).magnitude() < 1e-4


def test_too_far():
    here = np.zeros(3), np.eye(3)
    with pytest.raises(ValueError, match="a chain break of 328 angstrom; at most 328 along an axis"):
        relative_pose(here, (np.array([328.0, 0.0, 0.0]), np.eye(3)))
