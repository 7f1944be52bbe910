"""Thousands of superpositions at once, compiled: what `foldpix.geometry.best_rotation` finds for a few.

The singular values and vectors of each covariance H come from rotations of its columns two at a time, until
all are orthogonal (one-sided Jacobi, Hestenes 1958). That is right to rounding also where singular values are
equal or zero, unlike the roots of a polynomial, and takes the same steps for every H, so that many are done
side by side.
"""

import math

import numpy as np
from numba import njit

# Sweeps over the three columns: of 15,000 random H, also singular or orthogonal, the sum of singular values
# was wrong by up to 5e-7 after three, by rounding alone after four.
_SWEEPS = 4
# Matrices side by side: one array for all rows of their numbers, at places known to the compiler, which then
# sees that no row lies over another. The first three rows of a column become those of H V = U S, the others
# those of V.
_LANES = 64
_X, _Y, _Z = range(0, 18 * _LANES, 6 * _LANES)
_TO_V = 3 * _LANES
# A second singular value smaller than this, as a share of the first, is none.
_RANK_ONE = 1e-13


def best_rotations(covariance_B33: np.ndarray) -> np.ndarray:
    """Proper rotations R (B, 3, 3) with the largest trace(R H) for covariances H = sum of mobile target^T."""
    rotation_B33 = np.empty_like(covariance_B33)
    _rotate(covariance_B33, _SWEEPS, rotation_B33)
    return rotation_B33


def fill_rmsd(covariance_R3M3: np.ndarray, size_B: np.ndarray, rmsd_BB: np.ndarray) -> None:
    """RMSD of R members and the M last of all B, the R among them the first.

    Parameters
    ----------
    covariance_R3M3 : ndarray, dtype=float64
        Mean over the atoms of products of coordinates, centred.
    size_B : ndarray, dtype=float64
        Mean squares of coordinates: square of the radius of gyration.
    rmsd_BB : ndarray, dtype=float64
        Gets rows and columns B - M to B - M + R from the diagonal on, which itself is left.
    """
    _fill(covariance_R3M3, size_B, _SWEEPS, rmsd_BB)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _fill(covariance: np.ndarray, size: np.ndarray, sweeps: int, rmsd: np.ndarray) -> None:
    columns = np.zeros(18 * _LANES)
    first = len(rmsd) - covariance.shape[2]
    for i in range(covariance.shape[0]):
        for start in range(i + 1, covariance.shape[2], _LANES):
            num = min(_LANES, covariance.shape[2] - start)
            for j in range(num):
                for row in range(3):
                    for column in range(3):
                        columns[(6 * column + row) * _LANES + j] = covariance[i, row, start + j, column]
            _orthogonalize(columns, sweeps)
            for j in range(num):
                x, y, z = _take(columns, _X + j), _take(columns, _Y + j), _take(columns, _Z + j)
                p, q, r = math.sqrt(_dot(x, x)), math.sqrt(_dot(y, y)), math.sqrt(_dot(z, z))
                least = min(p, q, r)
                # The least singular value counts negative where H mirrors.
                trace = p + q + r - least + math.copysign(least, _dot(_cross(x, y), z))
                one, other = first + i, first + start + j
                rmsd[one, other] = math.sqrt(max(size[one] + size[other] - 2.0 * trace, 0.0))
                rmsd[other, one] = rmsd[one, other]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _rotate(covariance: np.ndarray, sweeps: int, rotation: np.ndarray) -> None:
    columns = np.zeros(18 * _LANES)
    for start in range(0, len(covariance), _LANES):
        num = min(_LANES, len(covariance) - start)
        for j in range(num):
            for row in range(3):
                for column in range(3):
                    columns[(6 * column + row) * _LANES + j] = covariance[start + j, row, column]
                    columns[(6 * column + row + 3) * _LANES + j] = 1.0 if row == column else 0.0
        _orthogonalize(columns, sweeps)
        for j in range(num):
            a, b = _longest(columns, j)
            u, v = _right_handed(_take(columns, a), _take(columns, b))
            s, t = _take(columns, a + _TO_V), _take(columns, b + _TO_V)
            third, image = _cross(u, v), _cross(s, t)
            for row in range(3):
                for column in range(3):
                    rotation[start + j, row, column] = (
                        s[row] * u[column] + t[row] * v[column] + image[row] * third[column]
                    )


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _longest(columns: np.ndarray, j: int) -> tuple[int, int]:
    """Where the two longest columns of matrix j begin, the longer first."""
    a, b, c = _X + j, _Y + j, _Z + j
    if _square(columns, a) < _square(columns, b):
        a, b = b, a
    if _square(columns, b) < _square(columns, c):
        b = c
    if _square(columns, a) < _square(columns, b):
        a, b = b, a
    return a, b


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _right_handed(a: tuple, b: tuple) -> tuple[tuple, tuple]:
    """Orthogonal unit vectors along a and b; any where these are zero."""
    length = math.sqrt(_dot(a, a))
    u = _scaled(a, 1.0 / length) if length > 0.0 else (1.0, 0.0, 0.0)
    if math.sqrt(_dot(b, b)) <= _RANK_ONE * length:
        b = (0.0, 1.0, 0.0) if abs(u[0]) > 0.5 else (1.0, 0.0, 0.0)
    along = _dot(u, b)
    v = (b[0] - along * u[0], b[1] - along * u[1], b[2] - along * u[2])
    return u, _scaled(v, 1.0 / math.sqrt(_dot(v, v)))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _orthogonalize(columns: np.ndarray, sweeps: int) -> None:
    for _ in range(sweeps):
        _turn(columns, _X, _Y)
        _turn(columns, _X, _Z)
        _turn(columns, _Y, _Z)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _turn(columns: np.ndarray, first: int, second: int) -> None:
    """Two columns of all matrices into each other, so that they become orthogonal."""
    for j in range(_LANES):
        a, b = _take(columns, first + j), _take(columns, second + j)
        product = _dot(a, b)
        nonzero = product if product != 0.0 else 1.0
        cotangent = (_dot(b, b) - _dot(a, a)) / (2.0 * nonzero)
        tangent = math.copysign(1.0, cotangent) / (abs(cotangent) + math.sqrt(1.0 + cotangent * cotangent))
        tangent = tangent if product != 0.0 else 0.0
        cos = 1.0 / math.sqrt(1.0 + tangent * tangent)
        sin = cos * tangent
        for row in range(0, 6 * _LANES, _LANES):
            p, q = columns[first + row + j], columns[second + row + j]
            columns[first + row + j] = cos * p - sin * q
            columns[second + row + j] = sin * p + cos * q


@njit(cache=True)
def _take(columns: np.ndarray, at: int) -> tuple:
    return columns[at], columns[at + _LANES], columns[at + 2 * _LANES]


@njit(cache=True)
def _square(columns: np.ndarray, at: int) -> float:
    a = _take(columns, at)
    return _dot(a, a)


@njit(cache=True)
def _scaled(a: tuple, factor: float) -> tuple:
    return a[0] * factor, a[1] * factor, a[2] * factor


@njit(cache=True)
def _dot(a: tuple, b: tuple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True)
def _cross(a: tuple, b: tuple) -> tuple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
