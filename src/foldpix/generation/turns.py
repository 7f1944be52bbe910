"""Cosine and sine of many angles at once, many to an instruction (NumPy takes those in float64 singly)."""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

#: Greatest angle, radian, of which both are right to two units of the dtype's epsilon.
GREATEST = 1e4


def cos_sin(angles: np.ndarray, out: np.ndarray) -> None:
    """Cosine and sine.

    Parameters
    ----------
    angles : ndarray, dtype=float32 or float64, shape=(R, W), C-contiguous
        Radian, at most ``GREATEST`` in size.
    out : ndarray of the same dtype, shape=(R, 2, W), C-contiguous
        Takes the cosines of a row, then its sines.
    """
    _cos_sin(angles.reshape(-1), angles.shape[1], _series(angles.dtype), out.reshape(-1))


class _Series(NamedTuple):
    """Numbers of the kernel, in the dtype of the angles.

    With n the whole number next to x / pi, and r = x - n pi: cos x = (-1)^n cos r, and sin x = (-1)^n sin r.
    """

    per_pi: Any
    #: Added and taken away again it rounds to whole numbers: 1.5 times the power of two whose last bit is 1.
    round: Any
    #: pi in two parts: n times the first is exact.
    pi_high: Any
    pi_low: Any
    half: Any
    one: Any
    two: Any
    #: Taylor coefficients of cos r and (sin r) / r in r^2, the highest first; enough for r of pi / 2.
    cos: tuple
    sin: tuple


@cache
def _series(dtype: np.dtype) -> _Series:
    kind = dtype.type
    digits = np.finfo(kind).nmant
    num_terms, split = (7, 2.0**8) if kind is np.float32 else (11, 2.0**24)
    pi_high = math.floor(math.pi * split) / split
    pi_low = math.pi - pi_high + math.sin(math.pi)  # the last is what pi is more than math.pi
    numbers = (1.0 / math.pi, 1.5 * 2.0**digits, pi_high, pi_low, 0.5, 1.0, 2.0)
    orders = range(num_terms - 1, -1, -1)
    cos = tuple(kind((-1) ** k / math.factorial(2 * k)) for k in orders)
    sin = tuple(kind((-1) ** k / math.factorial(2 * k + 1)) for k in orders)
    return _Series._make([*map(kind, numbers), cos, sin])


@njit(cache=True, fastmath={"contract", "nsz"})
def _cos_sin(angles: np.ndarray, width: int, series: _Series, out: np.ndarray) -> None:
    """Flat arrays: slices of these are contiguous to the compiler, which then takes many angles at a time."""
    for first in range(0, len(angles), width):
        cosines, sines = out[2 * first : 2 * first + width], out[2 * first + width : 2 * (first + width)]
        _row(angles[first : first + width], series, cosines, sines)


@njit(cache=True, fastmath={"contract", "nsz"})
def _row(angles: np.ndarray, series: _Series, cosines: np.ndarray, sines: np.ndarray) -> None:
    for k in range(len(angles)):
        turns = (angles[k] * series.per_pi + series.round) - series.round
        pairs = (turns * series.half + series.round) - series.round
        odd = turns - series.two * pairs  # -1, 0 or 1
        sign = series.one - series.two * odd * odd
        rest = (angles[k] - turns * series.pi_high) - turns * series.pi_low
        square = rest * rest
        cos, sin = series.cos[0], series.sin[0]
        for power in range(1, len(series.cos)):
            cos = cos * square + series.cos[power]
            sin = sin * square + series.sin[power]
        cosines[k] = sign * cos
        sines[k] = sign * rest * sin
