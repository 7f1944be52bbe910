"""Which residues of two superposed chains lie on each other, in the order of both."""

import numpy as np
from numba import njit

# Cost of opening a gap, as in TM-align (Zhang & Skolnick 2005); longer gaps and ends that hang over are free.
_GAP = np.float32(0.6)
_NONE = np.float32(-1e9)


def matched_residues(ref_N3: np.ndarray, fit_M3: np.ndarray, scale: float) -> np.ndarray:
    """The residues paired along both chains so that their closeness, less 0.6 a gap, is the largest.

    Parameters
    ----------
    ref_N3, fit_M3 : ndarray
        CA as they lie, in angstrom.
    scale : float
        Distance d0 in angstrom; a pair's closeness is 1 / (1 + (d / d0)²).

    Returns
    -------
    ndarray, dtype=int64, shape=(K, 2)
        Places in the reference and in the fit, both rising.
    """
    ref, fit = (np.ascontiguousarray(points.T, np.float32) for points in (ref_N3, fit_M3))
    return _traced(*_filled(ref, fit, np.float32(1.0 / scale**2)))


@njit(cache=True, error_model="numpy", fastmath=True)
def _filled(ref: np.ndarray, fit: np.ndarray, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """The best sum of a path that ends with the pair (i, j), and of one that ends there or leaves out what it likes.

    All but one of the loops over j are of steps that do not wait for each other.
    """
    sums = np.empty((ref.shape[1], fit.shape[1]), np.float32)
    paths = np.zeros((ref.shape[1] + 1, fit.shape[1] + 1), np.float32)
    x, y, z = fit
    ref_alone = np.full(fit.shape[1], _NONE)
    for i in range(len(sums)):
        row, path, before = sums[i], paths[i + 1], paths[i]
        u, v, w = ref[0, i], ref[1, i], ref[2, i]
        for j in range(len(row)):
            square = (x[j] - u) ** 2 + (y[j] - v) ** 2 + (z[j] - w) ** 2
            row[j] = before[j] + np.float32(1.0) / (np.float32(1.0) + square * sharpness)
        fit_alone = _NONE
        for j in range(len(row)):
            path[j + 1] = max(row[j], max(ref_alone[j], fit_alone))
            fit_alone = max(fit_alone, row[j] - _GAP)
        for j in range(len(row)):
            ref_alone[j] = max(ref_alone[j], row[j] - _GAP)
    return sums, paths


@njit(cache=True)
def _traced(sums: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """The pairs of the best path; it ends at an edge, as a pair more never lowers a sum."""
    i, j = len(sums) - 1, sums.shape[1] - 1
    end_ref, end_fit = np.argmax(sums[:, j]), np.argmax(sums[i])
    if sums[i, end_fit] > sums[end_ref, j]:
        j = end_fit
    else:
        i = end_ref
    pairs = np.empty((min(sums.shape), 2), np.int64)
    num = len(pairs)
    while i >= 0 and j >= 0:
        num -= 1
        pairs[num] = i, j
        i, j = i - 1, j - 1
        if i > 0 and j > 0 and sums[i, j] < paths[i + 1, j + 1]:
            # A gap is before it, in the fit or in the reference.
            up, left = np.argmax(sums[:i, j]), np.argmax(sums[i, :j])
            if sums[up, j] > sums[i, left]:
                i = up
            else:
                j = left
    return pairs[num:]
