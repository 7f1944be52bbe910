"""Which residues of two superposed chains lie on each other, in the order of both."""

from typing import NamedTuple

import numpy as np
from numba import njit

# Cost of opening a gap, as in TM-align (Zhang & Skolnick 2005); longer gaps and ends that hang over are free.
_GAP = np.float32(0.6)
_NONE = np.float32(-1e9)


class Sums(NamedTuple):
    """Room for the best sums of paths, made once for many matches of two chains.

    ``pairs`` (N, M) is of paths that end with the pair (i, j), ``paths`` (N + 1, M + 1) of any up to there,
    one place further on; ``ref_alone`` (M,) of those that end with a gap in the fit.
    """

    pairs: np.ndarray
    paths: np.ndarray
    ref_alone: np.ndarray


def make_sums(num_ref: int, num_fit: int) -> Sums:
    """Room for chains of so many residues."""
    pairs, paths = np.empty((num_ref, num_fit), np.float32), np.zeros((num_ref + 1, num_fit + 1), np.float32)
    return Sums(pairs, paths, np.empty(num_fit, np.float32))


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
    sums = make_sums(len(ref_N3), len(fit_M3))
    fill(ref, fit, np.float32(1.0 / scale**2), sums)
    return traced(sums)


# Loops instead of NumPy's functions on slices: Numba compiles them in a fifth of the time.
@njit(cache=True, error_model="numpy", fastmath=True)
def fill(ref_3N: np.ndarray, fit_3M: np.ndarray, sharpness: np.float32, sums: Sums) -> None:
    """The sums of float32 chains; ``sharpness`` is 1 / d0². The first loop over j runs in blocks."""
    x, y, z = fit_3M[0], fit_3M[1], fit_3M[2]
    ref_alone = sums.ref_alone
    for j in range(len(x)):
        ref_alone[j] = _NONE
    for i in range(len(sums.pairs)):
        row, before, after = sums.pairs[i], sums.paths[i], sums.paths[i + 1]
        u, v, w = ref_3N[0, i], ref_3N[1, i], ref_3N[2, i]
        for j in range(len(x)):
            square = (x[j] - u) ** 2 + (y[j] - v) ** 2 + (z[j] - w) ** 2
            row[j] = before[j] + np.float32(1.0) / (np.float32(1.0) + square * sharpness)
        fit_alone = _NONE
        for j in range(len(x)):
            opened = row[j] - _GAP
            after[j + 1] = max(row[j], max(ref_alone[j], fit_alone))
            fit_alone, ref_alone[j] = max(fit_alone, opened), max(ref_alone[j], opened)


@njit(cache=True)
def traced(sums: Sums) -> np.ndarray:
    """The pairs of the best path, (K, 2); it ends at an edge, as a pair more never lowers a sum."""
    pair_sums, paths = sums.pairs, sums.paths
    i, j = pair_sums.shape[0] - 1, pair_sums.shape[1] - 1
    num = min(i, j) + 1
    end_ref, end_fit = _largest(pair_sums[:, j]), _largest(pair_sums[i])
    if pair_sums[i, end_fit] > pair_sums[end_ref, j]:
        j = end_fit
    else:
        i = end_ref
    pairs = np.empty((num, 2), np.int64)
    while i >= 0 and j >= 0:
        num -= 1
        pairs[num, 0], pairs[num, 1] = i, j
        i, j = i - 1, j - 1
        if i > 0 and j > 0 and pair_sums[i, j] < paths[i + 1, j + 1]:
            # A gap is before it, in the fit or in the reference.
            up, left = _largest(pair_sums[:i, j]), _largest(pair_sums[i, :j])
            if pair_sums[up, j] > pair_sums[i, left]:
                i = up
            else:
                j = left
    return pairs[num:]


@njit(cache=True)
def _largest(values: np.ndarray) -> int:
    place = 0
    for k in range(1, len(values)):
        if values[k] > values[place]:
            place = k
    return place
