"""Solvent-accessible surfaces as points, the electrostatic potential there, and their Gaussians' width."""

from typing import Final

import numpy as np
from scipy.interpolate import make_interp_spline

#: Radius of the probe that rolls over the atoms, angstrom.
PROBE_RADIUS = 1.2

#: 1 / (4 pi epsilon_0) in eV angstrom / e^2, with epsilon_0 = 55.263 e^2 / (eV micrometre).
COULOMB = 1e4 / (4.0 * np.pi * 55.263)

#: Width alpha of surface Gaussians by the number of points, as shepherd-score has it.
_ALPHA: Final = {50: 0.6011, 100: 0.8668, 150: 1.022, 200: 1.118, 300: 1.216, 400: 1.258}

#: Candidates per square angstrom, and how many candidates a point is chosen from at least.
_CANDIDATE_DENSITY, _CANDIDATES_PER_POINT = 4.0, 6

_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))


def surface_points(
    coords_A3: np.ndarray,
    radii_A: np.ndarray,
    num_points: int | None = None,
    density: float | None = None,
    probe_radius: float = PROBE_RADIUS,
) -> np.ndarray:
    """Evenly spread points of the solvent-accessible surface.

    Candidates lie on a Fibonacci sphere round each atom; those inside another sphere are dropped, and the
    rest thinned by taking the farthest point again and again. Deterministic; the spheres turn with the
    molecule's principal axes, so that the points do, too.

    Parameters
    ----------
    coords_A3, radii_A : ndarray, shape=(A, 3) and (A,)
        Atoms and their van der Waals radii, angstrom.
    num_points : int, optional
        How many points.
    density : float, optional
        Points per square angstrom, where `num_points` is not given.
    probe_radius : float
        Added to the radii, angstrom.

    Returns
    -------
    ndarray, dtype=float64, shape=(num_points, 3)

    Raises
    ------
    ValueError
        If neither number nor density is given, or one is not positive, or coordinates are not finite.
    """
    if not np.isfinite(coords_A3).all():
        raise ValueError("coordinates are not finite; a surface needs every atom's position")
    frame, centre = _frame(coords_A3), coords_A3.mean(axis=0)
    # Rounded, or the farthest of points equally far would change with the molecule's pose.
    local_A3 = np.round((coords_A3 - centre) @ frame, 6)
    spheres_A = radii_A + probe_radius
    candidates_K3 = exposed_points(local_A3, spheres_A, _CANDIDATE_DENSITY)
    if num_points is None:
        if density is None:
            raise ValueError("a surface needs num_points or density; give one of them")
        num_points = round(density * len(candidates_K3) / _CANDIDATE_DENSITY)
    if num_points < 1:
        raise ValueError(f"a surface of {num_points} points is none; ask for 1 or more")
    lacking = _CANDIDATES_PER_POINT * num_points / len(candidates_K3)
    if lacking > 1.0:
        candidates_K3 = exposed_points(local_A3, spheres_A, _CANDIDATE_DENSITY * lacking * 1.2)
    return _farthest(candidates_K3, num_points) @ frame.T + centre


def exposed_points(coords_A3: np.ndarray, spheres_A: np.ndarray, density: float) -> np.ndarray:
    """Fibonacci points on spheres, `density` per square angstrom, that lie in no other sphere; (K, 3)."""
    offsets_AA3 = coords_A3[None] - coords_A3[:, None]
    squares_AA = (offsets_AA3**2).sum(axis=-1)
    touch_AA = squares_AA < (spheres_A + spheres_A[:, None]) ** 2
    np.fill_diagonal(touch_AA, False)
    units = {radius: _fibonacci(int(np.ceil(density * 4.0 * np.pi * radius**2))) for radius in set(spheres_A)}
    exposed = []
    for atom, radius in enumerate(spheres_A):
        near = np.flatnonzero(touch_AA[atom])
        # |r u - d| >= r', with d to the other centre and r' its radius, solved for u.d
        limit = (radius**2 + squares_AA[atom, near] - spheres_A[near] ** 2) / (2.0 * radius)
        free = (units[radius] @ offsets_AA3[atom, near].T <= limit).all(axis=1)
        exposed.append(coords_A3[atom] + radius * units[radius][free])
    return np.concatenate(exposed)


def surface_potential(points_N3: np.ndarray, coords_A3: np.ndarray, charges_A: np.ndarray) -> np.ndarray:
    """Electrostatic potential of point charges in vacuum: ``k sum q / d``.

    Parameters
    ----------
    points_N3, coords_A3 : ndarray
        Where, and the charges' positions; angstrom.
    charges_A : ndarray
        In e.

    Returns
    -------
    ndarray, dtype=float64, shape=(N,)
        In volt.
    """
    distance_NA = np.linalg.norm(points_N3[:, None] - coords_A3, axis=-1)
    return COULOMB * (charges_A / distance_NA).sum(axis=-1)


def surface_alpha(num_points: int) -> float:
    """The width alpha of the Gaussians at the points of a surface of so many points, per square angstrom.

    A quadratic spline through the values that shepherd-score tuned.

    Raises
    ------
    ValueError
        Outside 50 to 400 points.
    """
    if not min(_ALPHA) <= num_points <= max(_ALPHA):
        raise ValueError(
            f"no alpha is known for {num_points} surface points; take 50 to 400, or give an alpha of your own"
        )
    return float(make_interp_spline(list(_ALPHA), list(_ALPHA.values()), k=2)(num_points))


def _fibonacci(count: int) -> np.ndarray:
    k = np.arange(count)
    z = 1.0 - (2.0 * k + 1.0) / count
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(_GOLDEN_ANGLE * k), r * np.sin(_GOLDEN_ANGLE * k), z], axis=-1)


def _frame(coords_A3: np.ndarray) -> np.ndarray:
    """Principal axes as columns, the first two towards the heavier tail, right-handed."""
    centred_A3 = coords_A3 - coords_A3.mean(axis=0)
    axes = np.linalg.eigh(centred_A3.T @ centred_A3)[1]
    axes = axes * np.where(((centred_A3 @ axes) ** 3).sum(axis=0) < 0.0, -1.0, 1.0)
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return axes


def _farthest(points_K3: np.ndarray, num_points: int) -> np.ndarray:
    """Farthest-point sampling from the point that is farthest from the origin."""
    squares_K = (points_K3**2).sum(axis=-1)
    chosen, nearest_K = [int(squares_K.argmax())], np.full(len(points_K3), np.inf)
    while len(chosen) < num_points:
        last = chosen[-1]
        distance_K = squares_K + (squares_K[last] - 2.0 * (points_K3 @ points_K3[last]))
        np.minimum(nearest_K, distance_K, out=nearest_K)
        chosen.append(int(nearest_K.argmax()))
    return points_K3[chosen]
