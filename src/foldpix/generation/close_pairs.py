"""Points that are near each other, by sorting them into cells."""

import numpy as np

#: Half of the columns of cells around a cell, in x and y; a column is searched one cell below to one above.
_COLUMNS = ((0, 1), (1, -1), (1, 0), (1, 1))


def close_pairs(coords: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of points of a member that are nearer than a radius.

    Parameters
    ----------
    coords : ndarray, shape=(B, N, 3)
        Finite.
    radius : float

    Returns
    -------
    member, first, second : ndarray, dtype=int, shape=(P,)
        Each pair once, ``first`` the lower number.
    distance : ndarray, dtype=float64, shape=(P,)
    """
    num_points = coords.shape[1]
    points = coords.reshape(-1, 3).astype(np.float64)
    key, (step_x, step_y) = _cell_keys(coords.astype(np.float64), radius)
    order = np.argsort(key, kind="stable")
    key = key[order]
    found = [_ahead(key, np.arange(1, len(key) + 1), np.searchsorted(key, key + 1, side="right"))]
    for x, y in _COLUMNS:
        column = key + x * step_x + y * step_y
        low, high = np.searchsorted(key, column - 1), np.searchsorted(key, column + 1, side="right")
        found.append(_ahead(key, low, high))
    a, b = (order[np.concatenate(side)] for side in zip(*found, strict=True))
    distance = np.linalg.norm(points[a] - points[b], axis=1)
    near = distance < radius
    a, b = np.minimum(a, b)[near], np.maximum(a, b)[near]
    return a // num_points, a % num_points, b % num_points, distance[near]


def _cell_keys(coords: np.ndarray, radius: float) -> tuple[np.ndarray, tuple[int, int]]:
    """A number for each point's cell, shape (B * N,), and how it grows by a cell in x and in y.

    Cells of one z column are consecutive, and empty cells part columns, planes and members.
    """
    cell = np.floor((coords - coords.min(axis=1, keepdims=True)) / radius).astype(np.int64) + 1
    x, y, z = cell.max(axis=(0, 1)) + 2
    members = np.arange(len(coords))[:, None]
    key = ((members * x + cell[..., 0]) * y + cell[..., 1]) * z + cell[..., 2]
    return key.ravel(), (int(y * z), int(z))


def _ahead(key: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each place with all places from its low to its high one: two arrays of int, shape (P,)."""
    count = np.maximum(high - low, 0)
    first = np.repeat(np.arange(len(key)), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, np.repeat(low, count) + within
