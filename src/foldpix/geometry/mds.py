"""Classical multidimensional scaling."""

from typing import Any

from array_api_compat import array_namespace


def classical_mds(distances: Any) -> Any:
    """Points in space whose distances approach the given ones, up to a rigid motion and a reflection.

    Torgerson's method: the three leading eigenvectors of ``-J d^2 J / 2`` with ``J = I - 1/L``, each times
    the root of its eigenvalue (negative ones count as zero).

    Parameters
    ----------
    distances : array, shape=(..., L, L)
        Symmetric, angstrom; L at least 3.

    Returns
    -------
    array, shape=(..., L, 3)
        Centred at the origin.
    """
    xp = array_namespace(distances)
    squared = distances * distances
    row = xp.mean(squared, axis=-1, keepdims=True)
    gram = -0.5 * (squared - row - xp.matrix_transpose(row) + xp.mean(row, axis=-2, keepdims=True))
    values, vectors = xp.linalg.eigh(gram)
    return vectors[..., -3:] * (xp.clip(values[..., None, -3:], 0.0, None) ** 0.5)
