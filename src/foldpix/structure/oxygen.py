"""The carbonyl oxygen, from N, CA and C."""

import math

import numpy as np

from foldpix.geometry import dihedral, place_atom
from foldpix.structure.backbone import MAX_PEPTIDE_BOND

# Engh & Huber (2001).
C_O, CA_C_O = 1.231, math.radians(120.1)

#: psi of a residue that no peptide bond follows: that of an extended chain, radian.
FREE_PSI = math.radians(135.0)


def place_oxygen(coords: np.ndarray) -> np.ndarray:
    """O of each residue, in the plane of CA, C and the next residue's N, trans to that N.

    Where no peptide bond follows (the last residue, a chain break) psi is taken as 135 degrees.

    Parameters
    ----------
    coords : ndarray, shape=(L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    ndarray, shape=(L, 3)
    """
    n, ca, c = (coords[:, atom].astype(np.float64) for atom in range(3))
    psi = np.full(len(coords), FREE_PSI)
    bonded = np.flatnonzero(np.linalg.norm(n[1:] - c[:-1], axis=-1) <= MAX_PEPTIDE_BOND)
    psi[bonded] = dihedral(n[bonded], ca[bonded], c[bonded], n[bonded + 1])
    return place_atom(n, ca, c, C_O, CA_C_O, psi + math.pi)
