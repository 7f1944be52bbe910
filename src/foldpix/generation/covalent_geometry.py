"""Bonds, angles, planes and hands of peptides: what they should be, and how far off they are."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from biotite.structure import angle, dihedral, distance

from foldpix.generation.atom_table import AtomTable
from foldpix.geometry import IDEAL_RESIDUE
from foldpix.geometry.nerf import C_N, C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA, N_CA_C
from foldpix.structure.oxygen import C_O, CA_C_O

#: Largest deviations: bonds in angstrom, all others in degrees. Peptides twisted by more than 30 degrees are
#: outliers to MolProbity (Williams et al. 2018) too.
BOND_TOLERANCE, ANGLE_TOLERANCE, O_TOLERANCE, TWIST_TOLERANCE, HAND_TOLERANCE = 0.05, 5.0, 10.0, 30.0, 30.0

#: Atoms by name, each of the residue itself (0), the one after it (1) or before it (-1).
Atoms = tuple[tuple[str, int], ...]

PHI: Atoms = (("C", -1), ("N", 0), ("CA", 0), ("C", 0))
PSI: Atoms = (("N", 0), ("CA", 0), ("C", 0), ("N", 1))
OMEGA: Atoms = (("CA", 0), ("C", 0), ("N", 1), ("CA", 1))


class Quantity(NamedTuple):
    """A distance of two atoms, an angle of three or a dihedral of four.

    Parameters
    ----------
    name : str
    atoms : tuple
    target, tolerance : float
        Angstrom or degrees.
    period : float
        What a dihedral is equal to itself after, degrees.
    by_hand : bool
        Of D-residues the mirror image is meant.
    before_proline : bool
        Whether residues before proline count.
    only : str
        The one residue, of either hand, that counts; "" for all.
    """

    name: str
    atoms: Atoms
    target: float
    tolerance: float
    period: float = 360.0
    by_hand: bool = False
    before_proline: bool = True
    only: str = ""

    @property
    def unit(self) -> str:
        """``A`` or ``deg``."""
        return "A" if len(self.atoms) == 2 else "deg"


def deviations(quantity: Quantity, table: AtomTable, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far from its target a quantity is in every member, wherever its atoms are there.

    Parameters
    ----------
    quantity : Quantity
    table : AtomTable
    coords : ndarray, dtype=float64, shape=(B, N, 3)

    Returns
    -------
    deviation : ndarray, shape=(B, n)
        With sign; angstrom or degrees.
    residues : ndarray, dtype=int, shape=(n,)
    """
    values, residues = measure(quantity.atoms, table, coords)
    if not quantity.before_proline:
        kept = ~table.is_proline[residues + 1]
        values, residues = values[:, kept], residues[kept]
    if quantity.only:
        kept = table.l_forms[residues] == quantity.only
        values, residues = values[:, kept], residues[kept]
    if quantity.by_hand:
        values = np.where(table.is_d[residues], -values, values)
    deviation = values - quantity.target
    if len(quantity.atoms) == 4:
        deviation = (deviation + quantity.period / 2) % quantity.period - quantity.period / 2
    return deviation, residues


def measure(atoms: Atoms, table: AtomTable, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances in angstrom, or angles or dihedrals in degrees, (B, n), of n residues (n,) with all atoms."""
    rows = np.stack([_of_neighbour(table, table.atom_rows(name), step) for name, step in atoms])
    residues = np.flatnonzero((rows >= 0).all(axis=0))
    # Biotite rounds coordinates to float32: near the origin that costs nothing.
    origin = coords[:, rows[0, residues]]
    points = [coords[:, row] - origin for row in rows[:, residues]]
    if len(points) == 2:
        return distance(*points), residues
    return np.degrees((angle if len(points) == 3 else dihedral)(*points)), residues


def _of_neighbour(table: AtomTable, rows: np.ndarray, step: int) -> np.ndarray:
    """Rows (L,) of the residue a step further along the chain; -1 where that or a real atom is missing."""
    rows = np.where(table.is_real[rows], rows, -1)
    if step == 1:
        return np.append(np.where(table.is_bonded, rows[1:], -1), -1)
    if step == -1:
        return np.append(-1, np.where(table.is_bonded, rows[:-1], -1))
    return rows


def _quantities() -> Iterator[Quantity]:
    n, ca, c, cb, o, next_n = ("N", 0), ("CA", 0), ("C", 0), ("CB", 0), ("O", 0), ("N", 1)
    ideal_n, ideal_ca, ideal_c, ideal_cb = *IDEAL_RESIDUE, np.zeros(3)
    bonds: dict[str, tuple[Atoms, float]] = {
        "N-CA": ((n, ca), N_CA),
        "CA-C": ((ca, c), CA_C),
        "C-N": ((c, next_n), C_N),
        "C-O": ((c, o), C_O),
        "CA-CB": ((ca, cb), float(distance(ideal_ca, ideal_cb))),
    }
    angles: dict[str, tuple[Atoms, float]] = {
        "N-CA-C": ((n, ca, c), N_CA_C),
        "CA-C-N": ((ca, c, next_n), CA_C_N),
        "C-N-CA": ((c, next_n, ("CA", 1)), C_N_CA),
        "CA-C-O": ((ca, c, o), CA_C_O),
        "O-C-N": ((o, c, next_n), 2 * math.pi - CA_C_N - CA_C_O),
        "N-CA-CB": ((n, ca, cb), float(angle(ideal_n, ideal_ca, ideal_cb))),
        "C-CA-CB": ((c, ca, cb), float(angle(ideal_c, ideal_ca, ideal_cb))),
    }
    hand = math.degrees(float(dihedral(ideal_n, ideal_c, ideal_ca, ideal_cb)))
    for name, (atoms, length) in bonds.items():
        yield Quantity(name, atoms, length, BOND_TOLERANCE)
    for name, (atoms, value) in angles.items():
        yield Quantity(name, atoms, math.degrees(value), ANGLE_TOLERANCE)
    yield Quantity("O in the plane", (next_n, ca, c, o), 180.0, O_TOLERANCE)
    yield Quantity("peptide twist", OMEGA, 0.0, TWIST_TOLERANCE, period=180.0)
    yield Quantity("cis peptides", OMEGA, 180.0, 90.0, before_proline=False)
    yield Quantity("chirality at CA", (n, c, ca, cb), hand, HAND_TOLERANCE, by_hand=True)
    for name, gamma in (("ILE", "CG1"), ("THR", "OG1")):
        beta: Atoms = (ca, (gamma, 0), cb, ("CG2", 0))
        yield Quantity(f"chirality at CB of {name}", beta, 120.0, HAND_TOLERANCE, by_hand=True, only=name)


#: All that is measured of the backbone, and the side chains that have a hand.
QUANTITIES = tuple(_quantities())
