"""Poses: a unit quaternion, scalar first, and a translation; seven numbers, or a 4 by 4 matrix.

A pose moves a column vector y to R y + t, the fit onto its reference. What is written here for arrays with
the seven numbers last works on NumPy's and JAX's alike.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace


def rotation_matrix(quaternion: Any) -> Any:
    """Rotations of quaternions of any length: (..., 4) -> (..., 3, 3)."""
    xp = array_namespace(quaternion)
    w, x, y, z = (quaternion[..., i] for i in range(4))
    scale = 2.0 / (w * w + x * x + y * y + z * z)
    rows = (
        (1.0 - scale * (y * y + z * z), scale * (x * y - w * z), scale * (x * z + w * y)),
        (scale * (x * y + w * z), 1.0 - scale * (x * x + z * z), scale * (y * z - w * x)),
        (scale * (x * z - w * y), scale * (y * z + w * x), 1.0 - scale * (x * x + y * y)),
    )
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def multiply(p: Any, q: Any) -> Any:
    """The rotation q and then p, as quaternions: (..., 4), (..., 4) -> (..., 4)."""
    xp = array_namespace(p, q)
    a, b, c, d = (p[..., i] for i in range(4))
    e, f, g, h = (q[..., i] for i in range(4))
    product = (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )
    return xp.stack(product, axis=-1)


def quaternion_of(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternions of rotations, by Bar-Itzhack's eigenvectors (2000): (..., 3, 3) -> (..., 4)."""
    m = np.asarray(rotation, np.float64)
    symmetric = np.empty((*m.shape[:-2], 4, 4))
    trace = np.trace(m, axis1=-2, axis2=-1)
    symmetric[..., 0, 0] = trace
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        symmetric[..., i + 1, 0] = symmetric[..., 0, i + 1] = m[..., k, j] - m[..., j, k]
        symmetric[..., i + 1, i + 1] = 2.0 * m[..., i, i] - trace
        symmetric[..., i + 1, j + 1] = symmetric[..., j + 1, i + 1] = m[..., i, j] + m[..., j, i]
    return np.linalg.eigh(symmetric)[1][..., -1]


def inverse(pose: np.ndarray) -> np.ndarray:
    """Poses that undo these: (..., 7) -> (..., 7)."""
    conjugate = pose[..., :4] * np.array([1.0, -1.0, -1.0, -1.0])
    turned = np.einsum("...ij,...j->...i", rotation_matrix(conjugate), pose[..., 4:])
    return np.concatenate([conjugate, -turned], axis=-1)


def shifted(pose: np.ndarray, ref_origin: np.ndarray, fit_origin: np.ndarray) -> np.ndarray:
    """Poses of clouds with origins moved back from these points: (..., 7), 2 x (..., 3) -> (..., 7)."""
    turned = np.einsum("...ij,...j->...i", rotation_matrix(pose[..., :4]), fit_origin)
    return np.concatenate([pose[..., :4], pose[..., 4:] + ref_origin - turned], axis=-1)


def transform_matrix(pose: np.ndarray) -> np.ndarray:
    """(..., 7) -> (..., 4, 4), float64."""
    pose = np.asarray(pose, np.float64)
    matrix = np.zeros((*pose.shape[:-1], 4, 4))
    matrix[..., :3, :3] = rotation_matrix(pose[..., :4])
    matrix[..., :3, 3] = pose[..., 4:]
    matrix[..., 3, 3] = 1.0
    return matrix


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points moved by transforms: (..., 4, 4), (..., N, 3) -> (..., N, 3)."""
    rotation = np.swapaxes(transform[..., :3, :3], -1, -2)
    return points @ rotation + transform[..., None, :3, 3]
