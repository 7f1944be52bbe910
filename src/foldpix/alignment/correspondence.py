"""Which residues of two superposed chains lie on each other, in the order of both."""

import math

import numpy as np
from numba import njit

# Cost of opening a gap, as in TM-align (Zhang & Skolnick 2005); longer gaps and ends that hang over are free.
_GAP = 0.6
# What a path did last: pair two residues, or leave out one of the reference or of the fit.
_PAIR, _REF_ALONE, _FIT_ALONE = 0, 1, 2
# Where in a byte stands what it did before leaving one out; before a pair stands in the lowest bits.
_REF_BITS, _FIT_BITS = 2, 4


def matched_residues(ref_N3: np.ndarray, fit_M3: np.ndarray, scale: float) -> np.ndarray:
    """The residues paired along both chains so that their closeness, less 0.6 a gap, is the largest.

    Parameters
    ----------
    ref_N3, fit_M3 : ndarray, dtype=float64
        CA as they lie, in angstrom.
    scale : float
        Distance d0 in angstrom; a pair's closeness is 1 / (1 + (d / d0)²).

    Returns
    -------
    ndarray, dtype=int64, shape=(K, 2)
        Places in the reference and in the fit, both rising.
    """
    return _traced(*_filled(ref_N3, fit_M3, 1.0 / scale**2))


@njit(cache=True, error_model="numpy")
def _filled(ref: np.ndarray, fit: np.ndarray, sharpness: float) -> tuple[np.ndarray, int, int]:
    """What the best path to each cell did before, by what it did last; and where the best of all ends.

    Paths begin and end at an edge: a pair more never lowers the sum.
    """
    num_ref, num_fit = len(ref), len(fit)
    before = np.zeros((num_ref, num_fit), np.uint8)
    # Best sums of the row above, by what was done last; column 0 lies before the first residue of the fit.
    pair, ref_alone = np.zeros(num_fit + 1), np.full(num_fit + 1, -math.inf)
    fit_alone = np.full(num_fit + 1, -math.inf)
    best, end_ref, end_fit = -1.0, 0, 0
    for i in range(num_ref):
        corner = 0.0, -math.inf, -math.inf
        last_pair, last_alone = 0.0, -math.inf
        for j in range(num_fit):
            dx, dy, dz = ref[i, 0] - fit[j, 0], ref[i, 1] - fit[j, 1], ref[i, 2] - fit[j, 2]
            sum_before, code = corner[0], _PAIR
            if corner[1] > sum_before:
                sum_before, code = corner[1], _REF_ALONE
            if corner[2] > sum_before:
                sum_before, code = corner[2], _FIT_ALONE
            corner = pair[j + 1], ref_alone[j + 1], fit_alone[j + 1]
            if corner[1] > corner[0] - _GAP:
                code |= _REF_ALONE << _REF_BITS
            if last_alone > last_pair - _GAP:
                code |= _FIT_ALONE << _FIT_BITS
            ref_alone[j + 1] = max(corner[1], corner[0] - _GAP)
            last_alone = max(last_alone, last_pair - _GAP)
            fit_alone[j + 1] = last_alone
            last_pair = sum_before + 1.0 / (1.0 + (dx * dx + dy * dy + dz * dz) * sharpness)
            pair[j + 1] = last_pair
            before[i, j] = code
            if last_pair > best and (i == num_ref - 1 or j == num_fit - 1):
                best, end_ref, end_fit = last_pair, i, j
    return before, end_ref, end_fit


@njit(cache=True)
def _traced(before: np.ndarray, i: int, j: int) -> np.ndarray:
    pairs = np.empty((min(before.shape), 2), np.int64)
    num, last = 0, _PAIR
    while i >= 0 and j >= 0:
        code = before[i, j]
        if last == _PAIR:
            pairs[num, 0], pairs[num, 1] = i, j
            num += 1
            last = code & 3
            i, j = i - 1, j - 1
        elif last == _REF_ALONE:
            last = (code >> _REF_BITS) & 3
            i -= 1
        else:
            last = (code >> _FIT_BITS) & 3
            j -= 1
    return pairs[:num][::-1].copy()
