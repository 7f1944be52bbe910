"""Which residues of two superposed chains lie on each other, in the order of both."""

from typing import NamedTuple

import numpy as np
from numba import njit

# Cost of opening a gap, as in TM-align (Zhang & Skolnick 2005); longer gaps and ends that hang over are free.
_GAP = np.float32(0.6)
_NONE = np.float32(-1e9)


class Sums(NamedTuple):
    """Room for the best sums of paths, made once for many matches of two chains: (N, M) and (N + 1, M + 1).

    ``pairs`` is of paths that end with the pair (i, j), ``paths`` of any up to there, one place further on.
    """

    pairs: np.ndarray
    paths: np.ndarray


def make_sums(num_ref: int, num_fit: int) -> Sums:
    """Room for chains of so many residues."""
    return Sums(np.empty((num_ref, num_fit), np.float32), np.zeros((num_ref + 1, num_fit + 1), np.float32))


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


@njit(cache=True, error_model="numpy", fastmath=True)
def fill(ref_3N: np.ndarray, fit_3M: np.ndarray, sharpness: np.float32, sums: Sums) -> None:
    """The sums of float32 chains; ``sharpness`` is 1 / d0². The first loop over j runs in blocks."""
    x, y, z = fit_3M[0], fit_3M[1], fit_3M[2]
    path = np.zeros(fit_3M.shape[1] + 1, np.float32)
    ref_alone = np.full(fit_3M.shape[1], _NONE)
    for i in range(len(sums.pairs)):
        row = sums.pairs[i]
        u, v, w = ref_3N[0, i], ref_3N[1, i], ref_3N[2, i]
        for j in range(len(x)):
            square = (x[j] - u) ** 2 + (y[j] - v) ** 2 + (z[j] - w) ** 2
            row[j] = path[j] + np.float32(1.0) / (np.float32(1.0) + square * sharpness)
        fit_alone = _NONE
        for j in range(len(x)):
            opened = row[j] - _GAP
            path[j + 1] = max(row[j], max(ref_alone[j], fit_alone))
            fit_alone, ref_alone[j] = max(fit_alone, opened), max(ref_alone[j], opened)
        sums.paths[i + 1] = path


@njit(cache=True)
def traced(sums: Sums) -> np.ndarray:
    """The pairs of the best path, (K, 2); it ends at an edge, as a pair more never lowers a sum."""
    pair_sums, paths = sums
    i, j = len(pair_sums) - 1, pair_sums.shape[1] - 1
    end_ref, end_fit = int(np.argmax(pair_sums[:, j])), int(np.argmax(pair_sums[i]))
    if pair_sums[i, end_fit] > pair_sums[end_ref, j]:
        j = end_fit
    else:
        i = end_ref
    pairs = np.empty((min(pair_sums.shape), 2), np.int64)
    num = len(pairs)
    while i >= 0 and j >= 0:
        num -= 1
        pairs[num] = i, j
        i, j = i - 1, j - 1
        if i > 0 and j > 0 and pair_sums[i, j] < paths[i + 1, j + 1]:
            # A gap is before it, in the fit or in the reference.
            up, left = int(np.argmax(pair_sums[:i, j])), int(np.argmax(pair_sums[i, :j]))
            if pair_sums[up, j] > pair_sums[i, left]:
                i = up
            else:
                j = left
    return pairs[num:]
