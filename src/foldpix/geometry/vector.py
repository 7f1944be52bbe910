"""Vector operations in the shape that geometry needs."""

from typing import Any

from array_api_compat import array_namespace


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
