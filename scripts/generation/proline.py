"""The ring of proline on our backbone, closed.

The CB of every residue has the place of an ideal residue's, 110.4 degrees from N where proline has 103, so
the ring's other angles give way: of the rings with the bond lengths of proline and chi 2 at 30 degrees the
one whose angles are nearest to proline's, in units of their spread. CB, CA and N are the ring's plane of
symmetry: the other pucker is the mirror image and has the same lengths and angles.
"""

import math
from functools import cache

import numpy as np
from scipy.optimize import least_squares

from foldpix.geometry import build_backbone, dihedral, place_atom, virtual_cb

#: Engh & Huber (1991): CB-CG, CG-CD, CD-N in angstrom.
LENGTHS = np.array([1.492, 1.503, 1.473])
#: Engh & Huber (1991): CA-CB-CG, CB-CG-CD, CG-CD-N, CA-N-CD in degrees, and their spreads.
ANGLES, SPREADS = np.array([104.5, 106.1, 103.2, 112.0]), np.array([1.9, 3.2, 1.5, 1.4])
#: CA-CB-CG-CD in degrees: less than the 36 of a relaxed ring, which would bend CA-CB-CG below 98 degrees.
CHI_2 = 30.0


@cache
def ring_atoms() -> dict[str, tuple[float, float, float]]:
    """Bond length in angstrom, bond angle and chi in degrees of CG and CD; the other pucker has -chi."""
    n, ca, c = build_backbone(np.zeros((1, 3)))[0]
    cb = virtual_cb(np.stack([[n, ca, c]]))[0]

    def misfit(x: np.ndarray) -> np.ndarray:
        lengths, angles = _measured(n, ca, cb, *x.reshape(2, 3))
        chi_2 = np.degrees(dihedral(ca, cb, *x.reshape(2, 3)))
        return np.concatenate(
            [(lengths - LENGTHS) / 1e-5, (angles - ANGLES) / SPREADS, [(chi_2 + CHI_2) / 1e-3]]
        )

    cg = place_atom(n, ca, cb, LENGTHS[0], math.radians(ANGLES[0]), np.radians(20.0))
    solved = least_squares(misfit, np.concatenate([cg, cg + n - cb]), x_scale=0.1).x
    cg, cd = solved.reshape(2, 3)
    lengths, angles = _measured(n, ca, cb, cg, cd)
    chi_1, chi_2 = np.degrees(dihedral(n, ca, cb, cg)), np.degrees(dihedral(ca, cb, cg, cd))
    return {"CG": (lengths[0], angles[0], chi_1), "CD": (lengths[1], angles[1], chi_2)}


def _measured(*ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and angles, in the order of the constants, of the ring N, CA, CB, CG, CD."""
    points = np.stack(ring)
    bonds = np.roll(points, -1, axis=0) - points
    lengths = np.linalg.norm(bonds, axis=1)
    ahead = bonds / lengths[:, None]
    angles = np.degrees(np.arccos(-np.sum(ahead * np.roll(ahead, 1, axis=0), axis=1)))
    return lengths[2:], angles[[2, 3, 4, 0]]
