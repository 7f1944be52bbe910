"""Chains from internal coordinates: the natural extension reference frame (Parsons et al., 2005)."""

import math
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry.residue import CA_C, N_CA, N_CA_C
from foldpix.geometry.vector import unit

# Engh & Huber (2001): the trans peptide bond.
C_N, CA_C_N, C_N_CA = 1.331, math.radians(117.0), math.radians(121.6)


def place_atom(a: Any, b: Any, c: Any, length: float, angle: float, torsion: Any) -> Any:
    """Fourth atom of a chain a-b-c-d.

    Parameters
    ----------
    a, b, c : array, shape=(..., 3)
        The three atoms before it, angstrom.
    length, angle : float
        Bond c-d in angstrom, angle b-c-d in radian.
    torsion : array, shape=(...)
        Dihedral a-b-c-d in radian.

    Returns
    -------
    array, shape=(..., 3)
    """
    xp = array_namespace(a, torsion)
    bc = unit(c - b)
    normal = unit(xp.linalg.cross(b - a, bc))
    across = xp.linalg.cross(normal, bc)
    torsion = torsion[..., None]
    sideways = across * xp.cos(torsion) + normal * xp.sin(torsion)
    return c - length * math.cos(angle) * bc + length * math.sin(angle) * sideways


def build_backbone(torsions: Any) -> Any:
    """Backbone with ideal bond lengths and angles from its torsions.

    Parameters
    ----------
    torsions : array, shape=(..., L, 3)
        phi, psi, omega of each residue in radian; omega is that of the bond to the next residue. The
        first phi and the last psi and omega have no atoms to turn and are not used.

    Returns
    -------
    array, shape=(..., L, 3, 3)
        N, CA, C in angstrom; the first residue lies in the xy plane with CA at the origin.

    A residue's place relative to the one before is known at once for all; the products of all rotations up to
    each residue take log2 L steps, each over the whole chain, so a GPU has work and gradients are short.
    """
    xp = array_namespace(torsions)
    to_n = _turn(torsions[..., :-1, 1], CA_C_N)
    to_ca = to_n @ _turn(torsions[..., :-1, 2], C_N_CA)
    to_c = to_ca @ _turn(torsions[..., 1:, 0], N_CA_C)
    n = C_N * to_n[..., 0]
    ca = n + N_CA * to_ca[..., 0]
    steps = xp.stack([n, ca, ca + CA_C * to_c[..., 0]], axis=-1)
    first, start = _first_residue(torsions)
    frames = _running_products(xp.concat([start, to_c], axis=-3))
    moved = xp.matrix_transpose(frames[..., :-1, :, :] @ steps)
    c = xp.concat([first[..., :1, 2, :], moved[..., 2, :]], axis=-2)
    c = xp.cumulative_sum(c, axis=-2)
    return xp.concat([first, moved + c[..., :-1, None, :]], axis=-3)


def _turn(torsion: Any, angle: float) -> Any:
    """From the frame of a bond to that of the next: (...) -> (..., 3, 3).

    Columns are direction of the bond, normal of the plane with the bond before times direction, normal.
    """
    xp = array_namespace(torsion)
    cos, sin, zero = xp.cos(torsion), xp.sin(torsion), xp.zeros_like(torsion)
    back, side = -math.cos(angle), math.sin(angle)
    rows = [[zero + back, zero - side, zero], [side * cos, back * cos, -sin], [side * sin, back * sin, cos]]
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def _first_residue(torsions: Any) -> tuple[Any, Any]:
    """N, CA, C (..., 1, 3, 3) of the first residue, and the frame of its bond CA-C (..., 1, 3, 3)."""
    xp = array_namespace(torsions)
    cos, sin = math.cos(N_CA_C), math.sin(N_CA_C)
    zeros = xp.zeros_like(torsions[..., :1, :, None] + torsions[..., :1, None, :])
    atoms = [[N_CA, 0.0, 0.0], [0.0, 0.0, 0.0], [CA_C * cos, CA_C * sin, 0.0]]
    frame = [[cos, sin, 0.0], [sin, -cos, 0.0], [0.0, 0.0, -1.0]]
    return tuple(
        zeros + xp.asarray(each, dtype=torsions.dtype, device=device(torsions)) for each in (atoms, frame)
    )


def _running_products(rotations: Any) -> Any:
    """R_0, R_0 R_1, R_0 R_1 R_2, ...: (..., L, 3, 3), twice as far in each step (Hillis & Steele 1986)."""
    xp, reach = array_namespace(rotations), 1
    while reach < rotations.shape[-3]:
        longer = rotations[..., :-reach, :, :] @ rotations[..., reach:, :, :]
        rotations = xp.concat([rotations[..., :reach, :, :], longer], axis=-3)
        reach *= 2
    return rotations
