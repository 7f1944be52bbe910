"""The published way back: classical MDS of the distances, which gives CB alone and no handedness."""

import numpy as np


def decode_cb(image: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """Image (3, L, L) to CB atoms (L, 3), angstrom, perhaps mirrored."""
    distances = read_distances(image, d_max)
    size = len(distances)
    centring = np.eye(size) - np.ones((size, size)) / size
    gram = -0.5 * centring @ distances**2 @ centring
    values, vectors = np.linalg.eigh(gram)
    leading = np.argsort(values)[::-1][:3]
    return vectors[:, leading] * np.sqrt(np.maximum(values[leading], 0))


def read_distances(image: np.ndarray, d_max: float) -> np.ndarray:
    """Image (3, L, L) to CB distances (L, L), angstrom."""
    lower = np.tril((np.asarray(image[0], dtype=np.float64) + 1) / 2 * d_max, k=-1)
    return lower + lower.T
