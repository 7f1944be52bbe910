"""How alike the conformations of a molecule are, and what size they have."""

from typing import Any

import numpy as np

from foldpix.generation.kabsch import best_rotations, fill_rmsd
from foldpix.geometry import superpose

# Of members at a time; their covariances take 7 MB.
_MAX_PAIRS = 100_000
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
    mean = np.mean(fitted, axis=0)
    squared = np.sum((fitted - mean) ** 2, axis=1)
    return {
        "avg_rmsd": float(np.mean(np.sqrt(np.mean(squared, axis=1)))),
        "medoid_index": medoid,
        "avg_coords": superpose(mean.T, members[medoid].T) if superimpose else mean.T,
        "rmsf": np.sqrt(np.mean(squared, axis=0)),
        "rmsd_matrix": rmsd_matrix,
        "radius_of_gyration": _radius_of_gyration(members),
        "end_to_end": _end_to_end(members),
    }


def pairwise_rmsd(coords: np.ndarray, superimpose: bool = True) -> np.ndarray:
    """RMSD of every two members, superposed or where they are.

    The covariances of all pairs are one matrix product, and the rotation need not be known: the RMSD follows
    from the singular values of the covariance (Kabsch 1976). As a difference of squares of
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
    """(B, N, 3) to float64 (B, 3, N), whose sums over atoms are fast."""
    coords = np.asarray(coords)
    if coords.ndim != 3 or coords.shape[-1] != 3 or 0 in coords.shape:
        raise ValueError(f"coords of shape {coords.shape}; they must be (B, N, 3), with B and N at least 1")
    finite = np.isfinite(coords).all(axis=(1, 2))
    if not finite.all():
        raise ValueError(f"member {np.argmin(finite)} has coordinates that are not finite; leave it out")
    return np.ascontiguousarray(np.swapaxes(coords, 1, 2), dtype=np.float64)


def _centred(members: np.ndarray) -> np.ndarray:
    return members - np.mean(members, axis=-1, keepdims=True)


def _radius_of_gyration(members: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(_centred(members) ** 2, axis=(1, 2)) / members.shape[-1])


def _end_to_end(members: np.ndarray) -> np.ndarray:
    return np.linalg.norm(members[..., -1] - members[..., 0], axis=-1)


def _rmsd_in_place(members: np.ndarray) -> np.ndarray:
    num, _, num_atoms = members.shape
    # Near the origin differences of squares lose least.
    near = members - np.mean(members, axis=(0, 2), keepdims=True)
    rows = near.reshape(num, 3 * num_atoms)
    overlap = rows @ rows.T / num_atoms
    size = np.diagonal(overlap)
    return np.sqrt(np.maximum(size[:, None] + size - 2.0 * overlap, 0.0))


def _superposed_rmsd(members: np.ndarray) -> np.ndarray:
    num, _, num_atoms = members.shape
    rows = _centred(members).reshape(3 * num, num_atoms)
    rows /= num_atoms**0.5
    size = np.sum((rows * rows).reshape(num, 3 * num_atoms), axis=-1)
    rmsd = np.zeros((num, num))
    step = max(1, _MAX_PAIRS // num)
    for first in range(0, num, step):
        part, others = rows[3 * first : 3 * (first + step)], rows[3 * first :]
        covariance = (part @ others.T).reshape(-1, 3, num - first, 3)
        fill_rmsd(covariance, size, rmsd)
    return rmsd


def _on_their_mean(members: np.ndarray, start: int) -> np.ndarray:
    """Members (B, 3, N) centred and superposed on the mean of all, found in turns from one of them."""
    num, _, num_atoms = members.shape
    centred = _centred(members)
    # All covariances with the mean are one matrix product, and the mean of all turned members is another.
    rows = centred.reshape(3 * num, num_atoms)
    mean = centred[start]
    for _ in range(_MAX_ROUNDS):
        rotation = best_rotations((rows @ mean.T).reshape(num, 3, 3))
        before, mean = mean, rotation.transpose(1, 0, 2).reshape(3, 3 * num) @ rows / num
        if np.linalg.norm(mean - before, axis=0).max() <= _STILL:
            break
    return np.matmul(rotation, centred)
