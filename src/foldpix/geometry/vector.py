"""Vector operations in the shape that geometry needs."""

import math
from typing import Any

from array_api_compat import array_namespace, device


def dot(a: Any, b: Any) -> Any:
    """Scalar product over the last axis, which stays with size 1: (..., 3), (..., 3) -> (..., 1)."""
    xp = array_namespace(a, b)
    return xp.vecdot(a, b)[..., None]


def unit(a: Any) -> Any:
    """``a`` (..., 3) scaled to length 1."""
    return a / dot(a, a) ** 0.5


def cross_matrix(a: Any) -> Any:
    """The matrix of ``a x``: (..., 3) -> (..., 3, 3)."""
    xp = array_namespace(a)
    x, y, z = a[..., 0], a[..., 1], a[..., 2]
    zero = xp.zeros_like(x)
    return xp.stack(
        [
            xp.stack([zero, -z, y], axis=-1),
            xp.stack([z, zero, -x], axis=-1),
            xp.stack([-y, x, zero], axis=-1),
        ],
        axis=-2,
    )


def orthonormal(x: Any, z: Any) -> Any:
    """Rows x, y, z (..., 3, 3) of a right-handed frame: along z (..., 3), and x (..., 3) across it."""
    xp = array_namespace(x)
    z = unit(z)
    x = unit(x - dot(x, z) * z)
    return xp.stack([x, xp.linalg.cross(z, x), z], axis=-2)


def smallest_eigenvalue(a: Any) -> Any:
    """Of symmetric matrices (..., 3, 3), in closed form (Smith 1961): array, shape=(...)."""
    xp = array_namespace(a)
    mean = (a[..., 0, 0] + a[..., 1, 1] + a[..., 2, 2]) / 3.0
    centred = a - mean[..., None, None] * xp.eye(3, dtype=a.dtype, device=device(a))
    radius = xp.sqrt(xp.sum(centred * centred, axis=(-2, -1)) / 6.0)
    half_det = 0.5 * xp.linalg.det(centred / xp.clip(radius, 1e-12, None)[..., None, None])
    angle = xp.acos(xp.clip(half_det, -1.0, 1.0)) / 3.0
    return mean + 2.0 * radius * xp.cos(angle + 2.0 * math.pi / 3.0)
