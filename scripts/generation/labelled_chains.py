"""Real chains with torsions and secondary structure: the tables of ``foldpix.generation`` come from them."""

import csv
import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from biotite.structure import get_residue_starts
from biotite.structure.io.pdb import PDBFile
from biotite.structure.util import coord_for_atom_name_per_residue

from foldpix.geometry import backbone_torsions
from foldpix.structure.residues import one_letter

# Kabsch & Sander (1983): charges of the dipoles times the Coulomb constant, in kcal/mol times angstrom; an
# energy below -0.5 kcal/mol is a hydrogen bond; N-H is 1.0 angstrom.
DIPOLES, BOND_ENERGY, N_H = 0.42 * 0.20 * 332.0, -0.5, 1.0

BACKBONE = ("N", "CA", "C", "O")

#: DSSP 4's polyproline II region, degrees: phi and psi, both plus or minus 29.
PPII, PPII_REACH = (-75.0, 145.0), 29.0


class LabelledChain(NamedTuple):
    """Sequence and labels (H E G I P L T C) of L residues; torsions (L, 3) in degrees, NaN at the ends."""

    sequence: str
    labels: str
    torsions: np.ndarray


def labelled_chains(folder: Path) -> Iterator[LabelledChain]:
    """The complete chains of the train split, one of each cluster of half the sequence in common."""
    with (folder / "index.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if _is_wanted(row)]
    for row in {row["cluster50"]: row for row in rows}.values():
        yield labelled(folder / row["file"])


def labelled(path: Path) -> LabelledChain:
    """Read a chain, measure its torsions and name its residues."""
    with gzip.open(path, "rt") as lines:
        atoms = PDBFile.read(lines).get_structure(model=1)
    names = atoms.res_name[get_residue_starts(atoms)]
    n, ca, c, o = (xyz.astype(np.float64) for xyz in coord_for_atom_name_per_residue(atoms, BACKBONE))
    torsions = np.degrees(backbone_torsions(np.stack([n, ca, c], axis=1)))
    sequence = "".join(one_letter(name) for name in names)
    return LabelledChain(sequence, secondary_structure(n, ca, c, o, torsions, sequence), torsions)


def secondary_structure(
    n: np.ndarray, ca: np.ndarray, c: np.ndarray, o: np.ndarray, torsions: np.ndarray, sequence: str
) -> str:
    """Letters after Kabsch & Sander (1983), for one chain alone; pi helices go first, as in DSSP 4.

    Turns T are residues within a hydrogen-bonded turn. What they call bends, bridges of a single residue and
    blanks is coil C; of it, residues of the left-handed basin are L, and two or more of polyproline II P.
    """
    bonded = _hydrogen_bonds(n, ca, c, o, sequence)
    letters = np.full(len(n), "C")
    for size in (3, 4, 5):
        for i in np.flatnonzero(np.diagonal(bonded, size)):
            letters[i + 1 : i + size] = "T"
    for letter, size in (("G", 3), ("H", 4), ("I", 5)):
        starts = np.diagonal(bonded, size)
        for i in np.flatnonzero(starts[1:] & starts[:-1]) + 1:
            letters[i : i + size] = letter
    strand = _in_ladder(bonded)
    strand[1:-1] |= strand[:-2] & strand[2:]  # bulges
    letters[strand & ~np.isin(letters, ["H", "I"])] = "E"
    _drop_remnants(letters)
    return _name_coil(letters, torsions)


def _drop_remnants(letters: np.ndarray) -> None:
    """What another kind has left of a helix is turn if it is shorter than the shortest helix."""
    shortest, start = {"G": 3, "H": 4, "I": 5}, 0
    for letter, size in segments("".join(letters)):
        if size < shortest.get(letter, 0):
            letters[start : start + size] = "T"
        start += size


def _hydrogen_bonds(n: np.ndarray, ca: np.ndarray, c: np.ndarray, o: np.ndarray, sequence: str) -> np.ndarray:
    """Whether C=O of residue i is bonded to N-H of residue j: (L, L)."""
    outwards = c[:-1] - o[:-1]
    h = n.copy()
    h[1:] += N_H * outwards / np.linalg.norm(outwards, axis=1, keepdims=True)

    def inverse(of_i: np.ndarray, of_j: np.ndarray) -> np.ndarray:
        return 1.0 / np.linalg.norm(of_i[:, None] - of_j[None], axis=2).clip(0.5)

    energy = DIPOLES * (inverse(o, n) + inverse(c, h) - inverse(o, h) - inverse(c, n))
    near = np.linalg.norm(ca[:, None] - ca[None], axis=2) < 9.0
    index = np.arange(len(n))
    apart = np.abs(index[:, None] - index[None]) >= 2
    donates = np.array([letter != "P" for letter in sequence]) & (index > 0)
    return (energy < BOND_ENERGY) & near & apart & donates[None]


def _in_ladder(bonded: np.ndarray) -> np.ndarray:
    """Residues of bridges that continue on at least one side."""
    inner, before, after = slice(1, -1), slice(None, -2), slice(2, None)
    parallel, antiparallel = np.zeros((2, *bonded.shape), dtype=bool)
    parallel[inner, inner] = bonded[before, inner] & bonded.T[after, inner]
    antiparallel[inner, inner] = (bonded & bonded.T)[inner, inner]
    antiparallel[inner, inner] |= bonded[before, after] & bonded.T[after, before]
    apart = ~np.tri(len(bonded), k=2, dtype=bool) | ~np.tri(len(bonded), k=2, dtype=bool).T
    continued = _continued((parallel | parallel.T) & apart)
    return continued | _continued(((antiparallel | antiparallel.T) & apart)[:, ::-1])


def _continued(bridges: np.ndarray) -> np.ndarray:
    """Rows with a bridge that has another as its neighbour along the diagonal."""
    neighbours = np.zeros_like(bridges)
    neighbours[1:, 1:] |= bridges[:-1, :-1]
    neighbours[:-1, :-1] |= bridges[1:, 1:]
    return (bridges & neighbours).any(axis=1)


def _name_coil(letters: np.ndarray, torsions: np.ndarray) -> str:
    phi, psi = torsions[:, 0], torsions[:, 1]
    coil = letters == "C"
    in_ppii = (np.abs(phi - PPII[0]) < PPII_REACH) & (np.abs(psi - PPII[1]) < PPII_REACH) & coil
    beside = np.zeros(len(letters), dtype=bool)
    beside[1:] |= in_ppii[:-1]
    beside[:-1] |= in_ppii[1:]
    letters[in_ppii & beside] = "P"
    letters[coil & (phi > 30.0) & (phi < 90.0) & (psi > -10.0) & (psi < 80.0)] = "L"
    return "".join(letters)


def _is_wanted(row: dict[str, str]) -> bool:
    return row["split"] == "train" and row["rep90"] == "1" and row["file"].startswith("chains/")


def segments(labels: str) -> list[tuple[str, int]]:
    """Runs of one letter: letter and length."""
    return [(letter, len(list(run))) for letter, run in itertools.groupby(labels)]
