"""A frame in another one, as six 16-bit numbers: how a chain goes on behind a break."""

import numpy as np

_SHIFT_UNIT = 0.01  # angstrom
_TURN_UNIT = 1e-4  # radian
_LARGEST = 2**15 - 1

#: Origin (3,) and axes (rows, (3, 3)) of a frame.
Pose = tuple[np.ndarray, np.ndarray]


def relative_pose(frame: Pose, other: Pose) -> np.ndarray:
    """Where ``other`` lies in ``frame``: shift in 0.01 A, rotation vector in 1e-4 radian; int16, (6,).

    Raises
    ------
    ValueError
        If it is further away than 327.67 angstrom along an axis.
    """
    (origin, axes), (other_origin, other_axes) = frame, other
    shift = np.rint(axes @ (other_origin - origin) / _SHIFT_UNIT)
    if np.abs(shift).max() > _LARGEST:
        raise ValueError(
            f"a chain break of {np.linalg.norm(other_origin - origin):.0f} angstrom; at most "
            f"{_LARGEST * _SHIFT_UNIT:.0f} along an axis can be coded: give the parts as chains of their own"
        )
    turn = np.rint(_rotation_vector(other_axes @ axes.T) / _TURN_UNIT)
    return np.concatenate([shift, turn]).astype(np.int16)


def apply_pose(frame: Pose, pose_6: np.ndarray) -> Pose:
    """The frame that :func:`relative_pose` described, up to rounding."""
    origin, axes = frame
    shift, turn = pose_6[:3] * _SHIFT_UNIT, pose_6[3:] * _TURN_UNIT
    return origin + shift @ axes, np.ascontiguousarray(_rotation(turn) @ axes)


def _rotation(vector: np.ndarray) -> np.ndarray:
    """Rodrigues' formula: rotation vector (3,) to matrix (3, 3)."""
    angle = np.linalg.norm(vector)
    x, y, z = vector
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return (
        np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * cross @ cross
    )


def _rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_rotation`, through the quaternion: exact at every angle."""
    q = _quaternion(rotation)
    sine = np.linalg.norm(q[1:])
    angle = 2.0 * np.arctan2(sine, q[0])
    return q[1:] * (angle / sine if sine > 1e-12 else 2.0)


def _quaternion(r: np.ndarray) -> np.ndarray:
    """Scalar part first, not negative: the leading eigenvector of Bar-Itzhack's (2000) matrix."""
    k = np.array(
        [
            [r[0, 0] + r[1, 1] + r[2, 2], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [0.0, r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [0.0, 0.0, r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]],
            [0.0, 0.0, 0.0, r[2, 2] - r[0, 0] - r[1, 1]],
        ]
    )
    q = np.linalg.eigh(k, UPLO="U")[1][:, -1]
    return q if q[0] >= 0 else -q
