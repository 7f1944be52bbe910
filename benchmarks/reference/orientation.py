"""The image as published: every angle from its four points, vectors of all pairs as (L, L, 3) arrays."""

import numpy as np


def encode(coords: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """N, CA, C (L, 3, 3) to the image (3, L, L)."""
    n, ca, c = coords[:, 0], coords[:, 1], coords[:, 2]
    b_vector, c_vector = ca - n, c - ca
    cb = -0.58273431 * np.cross(b_vector, c_vector) + 0.56802827 * b_vector - 0.54067466 * c_vector + ca
    size = len(coords)

    def of_i(points: np.ndarray) -> np.ndarray:
        return np.repeat(points[:, None], size, axis=1)

    def of_j(points: np.ndarray) -> np.ndarray:
        return np.repeat(points[None], size, axis=0)

    with np.errstate(invalid="ignore", divide="ignore"):  # the diagonal
        distance = np.linalg.norm(of_j(cb) - of_i(cb), axis=-1)
        omega = dihedrals(of_i(ca), of_i(cb), of_j(cb), of_j(ca))
        theta = dihedrals(of_i(n), of_i(ca), of_i(cb), of_j(cb))
        phi = angles(of_i(ca), of_i(cb), of_j(cb))
    first = 2 * np.minimum(distance, d_max) / d_max - 1
    upper = np.triu_indices(size, k=1)
    first[upper] = omega[upper] / np.pi
    image = np.stack([first, theta / np.pi, 2 * phi / np.pi - 1])
    diagonal = np.arange(size)
    image[1:, diagonal, diagonal] = 0
    return image


def dihedrals(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Dihedral angles of points (..., 3), radian."""
    b0, b1, b2 = a - b, c - b, d - c
    b1 = b1 / np.linalg.norm(b1, axis=-1, keepdims=True)
    v = b0 - np.sum(b0 * b1, axis=-1, keepdims=True) * b1
    w = b2 - np.sum(b2 * b1, axis=-1, keepdims=True) * b1
    return np.arctan2(np.sum(np.cross(b1, v) * w, axis=-1), np.sum(v * w, axis=-1))


def angles(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angles at b, radian."""
    v, w = a - b, c - b
    cosine = np.sum(v * w, axis=-1) / (np.linalg.norm(v, axis=-1) * np.linalg.norm(w, axis=-1))
    return np.arccos(np.clip(cosine, -1, 1))
