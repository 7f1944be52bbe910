"""Where a molecule is greasy."""

from collections.abc import Iterator

import numpy as np
from rdkit import Chem

#: Points closer than this are parts of one feature, angstrom.
MERGE_DISTANCE = 2.0

_HALOGENS = (9, 17, 35, 53)


def hydrophobic_points(mol: Chem.Mol, coords_A3: np.ndarray) -> np.ndarray:
    """Middles of hydrophobic groups, those within 2 angstrom of one another merged into their mean.

    Groups are aromatic rings, rings of carbon, terminal carbons and halogens (those on one atom together),
    chains of CH2 and sulphur between carbons, after Pharmer (Koes and Camacho 2011).

    Parameters
    ----------
    mol : Mol
        Sanitised, with explicit hydrogens.
    coords_A3 : ndarray, shape=(A, 3)
        Angstrom.

    Returns
    -------
    ndarray, dtype=float64, shape=(n, 3)
    """
    groups = [*_rings(mol), *_ends_and_chains(mol), *_thioethers(mol)]
    if not groups:
        return np.empty((0, 3))
    return _merged(np.stack([coords_A3[list(group)].mean(axis=0) for group in groups]))


def _rings(mol: Chem.Mol) -> Iterator[tuple[int, ...]]:
    for ring in mol.GetRingInfo().AtomRings():
        atoms = [mol.GetAtomWithIdx(index) for index in ring]
        aromatic = len(ring) in (5, 6) and all(atom.GetIsAromatic() for atom in atoms)
        if aromatic or (len(ring) <= 8 and all(_is_aliphatic_carbon(atom) for atom in atoms)):
            yield ring


def _ends_and_chains(mol: Chem.Mol) -> Iterator[tuple[int, ...]]:
    """Terminal groups, the bonds from a chain to its end, and the three first atoms of each chain."""
    bonds = {atom.GetIdx(): _heavy_neighbours(atom) for atom in mol.GetAtoms() if atom.GetAtomicNum() != 1}
    ends = {atom for atom in bonds if _is_end(mol.GetAtomWithIdx(atom), len(bonds[atom]))}
    chain = {a for a in bonds if len(bonds[a]) == 2 and _is_aliphatic_carbon(mol.GetAtomWithIdx(a))}
    for atom, neighbours in bonds.items():
        terminal = [other for other in neighbours if other in ends]
        if len(terminal) == 1:
            yield (terminal[0],)
        elif terminal:
            yield (atom, *terminal)
        if atom in chain:
            yield from ((atom, end) for end in terminal)
            if not chain.issuperset(neighbours):
                yield from _threes(atom, bonds, chain)


def _threes(start: int, bonds: dict[int, list[int]], chain: set[int]) -> Iterator[tuple[int, int, int]]:
    for second in chain.intersection(bonds[start]):
        for third in chain.intersection(bonds[second]) - {start}:
            yield start, second, third


def _thioethers(mol: Chem.Mol) -> Iterator[tuple[int]]:
    for atom in mol.GetAtoms():
        neighbours = [other.GetAtomicNum() for other in atom.GetNeighbors()]
        if atom.GetAtomicNum() == 16 and not atom.GetIsAromatic() and neighbours == [6, 6]:
            yield (atom.GetIdx(),)


def _is_end(atom: Chem.Atom, num_bonds: int) -> bool:
    return num_bonds == 1 and (atom.GetAtomicNum() in _HALOGENS or _is_aliphatic_carbon(atom))


def _is_aliphatic_carbon(atom: Chem.Atom) -> bool:
    return atom.GetAtomicNum() == 6 and not atom.GetIsAromatic()


def _heavy_neighbours(atom: Chem.Atom) -> list[int]:
    return [other.GetIdx() for other in atom.GetNeighbors() if other.GetAtomicNum() != 1]


def _merged(points_N3: np.ndarray) -> np.ndarray:
    """Means of the connected groups of points closer than `MERGE_DISTANCE`."""
    near = np.linalg.norm(points_N3[:, None] - points_N3, axis=-1) < MERGE_DISTANCE
    labels = np.arange(len(points_N3))
    while True:
        least = np.where(near, labels, len(labels)).min(axis=1)
        if np.array_equal(least, labels):
            return np.stack([points_N3[labels == label].mean(axis=0) for label in np.unique(labels)])
        labels = least
