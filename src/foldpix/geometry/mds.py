"""Classical multidimensional scaling."""

from typing import Any

from array_api_compat import array_namespace


def classical_mds(distances: Any, mask: Any) -> Any:
    """Points in space whose distances approach the given ones, up to a rigid motion and a reflection.

    Torgerson's method: the three leading eigenvectors of ``-J d^2 J / 2``, where J takes the mean away, each
    times the root of its eigenvalue (negative ones count as zero).

    Parameters
    ----------
    distances : array, shape=(..., L, L)
        Symmetric, angstrom; L at least 2.
    mask : array, shape=(..., L)
        1 for points, 0 for padding.

    Returns
    -------
    array, shape=(..., L, 3)
        Centred at the origin, where padding is too.
    """
    xp = array_namespace(distances)
    pairs = mask[..., None] * mask[..., None, :]
    num = xp.sum(mask, axis=-1)[..., None, None]
    squared = distances * distances * pairs
    row = xp.sum(squared, axis=-1, keepdims=True) / num
    mean = xp.sum(row, axis=-2, keepdims=True) / num
    gram = -0.5 * pairs * (squared - row - xp.matrix_transpose(row) + mean)
    values, vectors = xp.linalg.eigh(gram)
    points = vectors[..., -3:] * (xp.clip(values[..., None, -3:], 0.0, None) ** 0.5)
    return xp.concat([points, xp.zeros_like(points[..., : 3 - points.shape[-1]])], axis=-1)
