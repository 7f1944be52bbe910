"""Chains from internal coordinates: the natural extension reference frame (Parsons et al., 2005)."""

import math
from typing import Any

from array_api_compat import array_namespace

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
    """
    xp = array_namespace(torsions)
    zero = xp.zeros_like(torsions[..., 0, 0])
    n = xp.stack([zero + N_CA, zero, zero], axis=-1)
    ca = xp.stack([zero, zero, zero], axis=-1)
    c = xp.stack([zero + CA_C * math.cos(N_CA_C), zero + CA_C * math.sin(N_CA_C), zero], axis=-1)
    atoms = [n, ca, c]
    for i in range(1, torsions.shape[-2]):
        next_n = place_atom(n, ca, c, C_N, CA_C_N, torsions[..., i - 1, 1])
        next_ca = place_atom(ca, c, next_n, N_CA, C_N_CA, torsions[..., i - 1, 2])
        n, ca, c = next_n, next_ca, place_atom(c, next_n, next_ca, CA_C, N_CA_C, torsions[..., i, 0])
        atoms += [n, ca, c]
    chain = xp.stack(atoms, axis=-2)
    return xp.reshape(chain, (*torsions.shape[:-2], torsions.shape[-2], 3, 3))
