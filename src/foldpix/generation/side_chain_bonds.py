"""Bonds of side chains: how far they are from those that side chains are built with."""

import numpy as np

from foldpix.generation.atom_table import AtomTable
from foldpix.generation.sequence import NAME_OF_LETTER
from foldpix.generation.templates import residue_template

#: Largest deviation, angstrom. The ideal coordinates of the chemical component dictionary differ from what
#: crystals have by up to 0.08 A, in arginine (NE-CZ is 1.329 A in
#: Engh & Huber 1991).
SIDE_CHAIN_TOLERANCE = 0.1

#: N-CD of proline, which closes the ring, angstrom (Engh & Huber 1991).
N_CD = 1.473


def side_chain_deviations(table: AtomTable, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much longer the bonds of heavy atoms beyond CB are than they should be.

    A ring counts without the bond that closes it, but for proline's; of residues other than the twenty and
    selenocysteine, of either hand, nothing is known.

    Parameters
    ----------
    table : AtomTable
    coords : ndarray, shape=(B, N, 3)
        Angstrom.

    Returns
    -------
    deviation : ndarray, shape=(B, n)
        Angstrom.
    residues : ndarray, dtype=int, shape=(n,)
    """
    names = zip(table.residue_of_atom.tolist(), table.atom_names.tolist(), strict=True)
    rows = {atom: row for row, atom in enumerate(names)}
    bonds = [
        (rows[residue, one], rows[residue, other], residue, length)
        for residue, name in enumerate(table.l_forms.tolist())
        for one, other, length in _bonds(name)
        if (residue, one) in rows and (residue, other) in rows
    ]
    if not bonds:
        return np.zeros((len(coords), 0)), np.zeros(0, dtype=np.int64)
    first, second, residues, lengths = map(np.array, zip(*bonds, strict=True))
    return np.linalg.norm(coords[:, first] - coords[:, second], axis=-1) - lengths, residues


def _bonds(name: str) -> list[tuple[str, str, float]]:
    if name not in NAME_OF_LETTER.values():
        return []
    bonds = [
        (atom.frame[2], atom.name, atom.length)
        for atom in residue_template(name)
        if atom.frame is not None and atom.element != "H" and atom.where == "all"
    ]
    return [*bonds, ("N", "CD", N_CD)] if name == "PRO" else bonds
