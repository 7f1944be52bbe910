"""Multidimensional scaling that leaves out the pairs whose distance is cut off (de Leeuw 1977)."""

import numpy as np

from benchmarks.reference.mds import decode_cb, read_distances

_ROUNDS = 300
_DONE = 1e-3  # angstrom


def decode_cb_known(image: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """Image (3, L, L) to CB atoms (L, 3), angstrom, perhaps mirrored; starts from classical MDS."""
    distances = read_distances(image, d_max)
    weights = known_pairs(distances, d_max)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian, rcond=1e-9, hermitian=True)
    points = decode_cb(image, d_max)
    for _ in range(_ROUNDS):
        moved = inverse @ _pulled(points, distances, weights)
        shift = np.abs(moved - points + points.mean(axis=0)).max()
        points = moved
        if shift < _DONE:
            break
    return points


def known_pairs(distances: np.ndarray, d_max: float) -> np.ndarray:
    """1 for pairs of two residues whose pixel is not saturated, else 0."""
    known = (distances < d_max * (1 - 0.5 / 255)).astype(distances.dtype)
    np.fill_diagonal(known, 0)
    return known


def _pulled(points: np.ndarray, distances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Guttman's transform, but for the inverse of the Laplacian."""
    squares = np.sum(points**2, axis=1)
    between = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 1e-9))
    ratio = weights * distances / between
    return ratio.sum(axis=1)[:, None] * points - ratio @ points
