"""How alike the conformations of a molecule are, and what size they have."""

import math
from typing import Any

import numpy as np
from numba import njit

from foldpix.geometry import best_rotation, superpose

# Of members at a time; their covariances take 7 MB.
_MAX_PAIRS = 100_000
# Pairs side by side: one array for all rows of their numbers, at places known to the compiler, which then
# sees that no row lies over another.
_LANES = 64
_X, _Y, _Z = 0, 3 * _LANES, 6 * _LANES
# Over the columns of a 3 x 3 matrix: of 15,000 random ones, also singular or orthogonal, the sum of singular
# values was wrong by up to 5e-7 after three, by rounding alone after four.
_SWEEPS = 4
# The mean is found when a round moves none of its atoms further than this, in angstrom: a tenth of what PDB
# files tell apart.
_STILL, _MAX_ROUNDS = 1e-4, 200


def analyze_ensemble(coords: np.ndarray, superimpose: bool = True) -> dict[str, Any]:
    """Mean structure, spread and most typical member.

    Parameters
    ----------
    coords : ndarray, shape=(B, N, 3)
        Angstrom; all N atoms count alike.
    superimpose : bool
        Superpose the members: two at a time for the medoid, and all on their mean, in turns until that no
        longer moves, for everything else. Otherwise they are taken where they are.

    Returns
    -------
    dict
        - ``avg_rmsd``: float, mean over the members of their RMSD to the mean structure, angstrom.
        - ``medoid_index``: int, the member with the least sum of RMSDs to all others; the first of equals.
        - ``avg_coords``: (N, 3), the mean structure; superposed on the medoid if ``superimpose``.
        - ``rmsf``: (N,), root mean square fluctuation of each atom about its mean place, angstrom.
        - ``rmsd_matrix``: (B, B), see :func:`pairwise_rmsd`.
        - ``radius_of_gyration``, ``end_to_end``: (B,), see the functions of these names.

        Arrays are float64.

    Raises
    ------
    ValueError
        If the shape is another, there is no member or no atom, or a coordinate is not finite.
    """
    members = _coordinates_first(coords)
    rmsd_matrix = _superposed_rmsd(members) if superimpose else _rmsd_in_place(members)
    medoid = int(np.argmin(np.sum(rmsd_matrix, axis=1)))
    fitted = _on_their_mean(members, medoid) if superimpose else members
    mean = np.mean(fitted, axis=1)
    squared = np.sum((fitted - mean[:, None]) ** 2, axis=0)
    return {
        "avg_rmsd": float(np.mean(np.sqrt(np.mean(squared, axis=1)))),
        "medoid_index": medoid,
        "avg_coords": superpose(mean.T, members[:, medoid].T) if superimpose else mean.T,
        "rmsf": np.sqrt(np.mean(squared, axis=0)),
        "rmsd_matrix": rmsd_matrix,
        "radius_of_gyration": _radius_of_gyration(members),
        "end_to_end": _end_to_end(members),
    }


def pairwise_rmsd(coords: np.ndarray, superimpose: bool = True) -> np.ndarray:
    """RMSD of every two members, superposed or where they are.

    All covariances of two members come from one matrix product, and the rotation need not be known: the
    RMSD follows from the singular values of the covariance (Kabsch 1976). As a difference of squares of
    sizes it is uncertain by about 1e-8 times the radius of gyration where it is near zero.

    Parameters
    ----------
    coords : ndarray, shape=(B, N, 3)
        Angstrom.
    superimpose : bool
        Each two after the best rigid motion; never reflected.

    Returns
    -------
    ndarray, dtype=float64, shape=(B, B)
        Symmetric, angstrom, zeros on the diagonal.
    """
    members = _coordinates_first(coords)
    return _superposed_rmsd(members) if superimpose else _rmsd_in_place(members)


def radius_of_gyration(coords: np.ndarray) -> np.ndarray:
    """Root mean square distance from the mean place, all atoms alike: (B, N, 3) -> (B,) float64."""
    return _radius_of_gyration(_coordinates_first(coords))


def end_to_end(coords: np.ndarray) -> np.ndarray:
    """Distance of the first atom given and the last: (B, N, 3) -> (B,) float64."""
    return _end_to_end(_coordinates_first(coords))


def _coordinates_first(coords: np.ndarray) -> np.ndarray:
    """(B, N, 3) to float64 (3, B, N), whose sums over atoms are fast."""
    coords = np.asarray(coords)
    if coords.ndim != 3 or coords.shape[-1] != 3 or 0 in coords.shape:
        raise ValueError(f"coords of shape {coords.shape}; they must be (B, N, 3), with B and N at least 1")
    finite = np.isfinite(coords).all(axis=(1, 2))
    if not finite.all():
        raise ValueError(f"member {np.argmin(finite)} has coordinates that are not finite; leave it out")
    return np.ascontiguousarray(np.moveaxis(coords, -1, 0), dtype=np.float64)


def _centred(members: np.ndarray) -> np.ndarray:
    return members - np.mean(members, axis=-1, keepdims=True)


def _radius_of_gyration(members: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(_centred(members) ** 2, axis=(0, 2)) / members.shape[2])


def _end_to_end(members: np.ndarray) -> np.ndarray:
    return np.linalg.norm(members[:, :, -1] - members[:, :, 0], axis=0)


def _rmsd_in_place(members: np.ndarray) -> np.ndarray:
    _, num, num_atoms = members.shape
    # Near the origin differences of squares lose least.
    near = members - np.mean(members, axis=(1, 2), keepdims=True)
    rows = np.swapaxes(near, 0, 1).reshape(num, 3 * num_atoms)
    overlap = rows @ rows.T / num_atoms
    size = np.diagonal(overlap)
    return np.sqrt(np.maximum(size[:, None] + size - 2.0 * overlap, 0.0))


def _superposed_rmsd(members: np.ndarray) -> np.ndarray:
    _, num, num_atoms = members.shape
    centred = _centred(members)
    size = np.sum(centred * centred, axis=(0, 2)) / num_atoms
    rmsd = np.zeros((num, num))
    step = max(1, _MAX_PAIRS // num)
    for first in range(0, num, step):
        part, others = centred[:, first : first + step], centred[:, first:]
        covariance = np.tensordot(part, others, axes=(2, 2)) / num_atoms
        _fill_rows(covariance, size, first, _SWEEPS, rmsd)
    return rmsd


def _on_their_mean(members: np.ndarray, start: int) -> np.ndarray:
    """Members (3, B, N) centred and superposed on the mean of all, found in turns from one of them."""
    _, num, num_atoms = members.shape
    centred = _centred(members)
    rows = centred.reshape(3 * num, num_atoms)
    mean = centred[:, start]
    for _ in range(_MAX_ROUNDS):
        covariance = (rows @ mean.T).reshape(3, num, 3)
        rotation, _ = best_rotation(covariance.transpose(1, 0, 2))
        before, mean = mean, rotation.transpose(1, 2, 0).reshape(3, 3 * num) @ rows / num
        if np.linalg.norm(mean - before, axis=0).max() <= _STILL:
            break
    return np.einsum("bij,jbn->ibn", rotation, centred)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _fill_rows(covariance: np.ndarray, size: np.ndarray, first: int, sweeps: int, rmsd: np.ndarray) -> None:
    """Rows and columns from ``first`` on but for the diagonal, from covariances (3, R, 3, B - first).

    The largest trace(R H) of proper rotations R is the sum of the singular values of H, the least of them
    negative where H mirrors. One-sided Jacobi rotations (Hestenes 1958) of its columns give them, and are
    right to rounding also where some are equal or zero, unlike the roots of a polynomial.
    """
    columns = np.zeros(9 * _LANES)
    for i in range(covariance.shape[1]):
        for start in range(i + 1, covariance.shape[3], _LANES):
            num = min(_LANES, covariance.shape[3] - start)
            for a in range(3):
                for b in range(3):
                    for j in range(num):
                        columns[(a + 3 * b) * _LANES + j] = covariance[a, i, b, start + j]
            for _ in range(sweeps):
                _orthogonalize(columns, _X, _Y)
                _orthogonalize(columns, _X, _Z)
                _orthogonalize(columns, _Y, _Z)
            for j in range(num):
                x, y, z = _take(columns, _X + j), _take(columns, _Y + j), _take(columns, _Z + j)
                lengths = math.sqrt(_dot(x, x)), math.sqrt(_dot(y, y)), math.sqrt(_dot(z, z))
                least = min(lengths)
                overlap = sum(lengths) - least + math.copysign(least, _dot(_cross(x, y), z))
                one, other = first + i, first + start + j
                squared = size[one] + size[other] - 2.0 * overlap
                rmsd[one, other] = rmsd[other, one] = math.sqrt(max(squared, 0.0))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _orthogonalize(columns: np.ndarray, first: int, second: int) -> None:
    """Turn two columns of all matrices into each other so that they become orthogonal."""
    for j in range(_LANES):
        a, b = _take(columns, first + j), _take(columns, second + j)
        product = _dot(a, b)
        nonzero = product if product != 0.0 else 1.0
        cotangent = (_dot(b, b) - _dot(a, a)) / (2.0 * nonzero)
        tangent = math.copysign(1.0, cotangent) / (abs(cotangent) + math.sqrt(1.0 + cotangent * cotangent))
        tangent = tangent if product != 0.0 else 0.0
        cos = 1.0 / math.sqrt(1.0 + tangent * tangent)
        sin = cos * tangent
        for axis in range(3):
            columns[first + axis * _LANES + j] = cos * a[axis] - sin * b[axis]
            columns[second + axis * _LANES + j] = sin * a[axis] + cos * b[axis]


@njit(cache=True)
def _take(columns: np.ndarray, at: int) -> tuple:
    return columns[at], columns[at + _LANES], columns[at + 2 * _LANES]


@njit(cache=True)
def _dot(a: tuple, b: tuple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True)
def _cross(a: tuple, b: tuple) -> tuple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
