"""The atoms of a molecule: what all members of a batch have in common."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from biotite.structure import AtomArray

from foldpix.generation.sequence import COMPONENT_OF_D, component_code, is_d, l_form
from foldpix.structure.atom import BACKBONE_ATOMS
from foldpix.structure.pdb_text import PdbTemplate
from foldpix.structure.residues import ONE_LETTER


@dataclass(frozen=True)
class AtomTable:
    """Residues, chains and atoms in the order of the coordinates.

    Parameters
    ----------
    sequence : tuple of str
        Residue names, all chains one after the other.
    atom_names : ndarray, dtype=str, shape=(N,)
    residue_indices : ndarray, dtype=int, shape=(N,)
        Number of each atom's residue.
    chain_ids : ndarray, dtype=str, shape=(N,)
    is_real : ndarray, dtype=bool, shape=(N,)
        False for a point that is no atom: the virtual CB of glycine.

    Raises
    ------
    ValueError
        If the lengths do not fit together.
    """

    sequence: tuple[str, ...]
    atom_names: np.ndarray
    residue_indices: np.ndarray
    chain_ids: np.ndarray
    is_real: np.ndarray

    def __post_init__(self) -> None:
        if self.residue_indices.min() < 1:
            raise ValueError(f"residue_indices count from 1, and one is {self.residue_indices.min()}")
        if len(self.residue_starts) != len(self.sequence):
            raise ValueError(
                f"residue_indices and atom_chain_ids tell {len(self.residue_starts)} residues apart and the "
                f"sequence has {len(self.sequence)} names; they must be equally many"
            )

    @cached_property
    def residue_starts(self) -> np.ndarray:
        """First atom of each residue, dtype=int, shape=(L,)."""
        number, chain = self.residue_indices, self.chain_ids
        return np.flatnonzero(np.append(True, (number[1:] != number[:-1]) | (chain[1:] != chain[:-1])))

    @cached_property
    def atoms_per_residue(self) -> np.ndarray:
        """Number of atoms (and virtual ones) of each residue, dtype=int, shape=(L,)."""
        return np.diff(self.residue_starts, append=len(self.atom_names))

    @cached_property
    def residue_of_atom(self) -> np.ndarray:
        """Row of each atom's residue in the sequence, from 0, dtype=int, shape=(N,)."""
        return np.repeat(np.arange(len(self.sequence)), self.atoms_per_residue)

    @cached_property
    def residue_chains(self) -> np.ndarray:
        """Chain id of each residue, dtype=str, shape=(L,)."""
        return self.chain_ids[self.residue_starts]

    @cached_property
    def chain_starts(self) -> np.ndarray:
        """First residue of each chain, dtype=int, shape=(C,)."""
        chain = self.residue_chains
        return np.flatnonzero(np.append(True, chain[1:] != chain[:-1]))

    @cached_property
    def is_bonded(self) -> np.ndarray:
        """Whether residues i and i + 1 follow each other in one chain, dtype=bool, shape=(L - 1,)."""
        chain, number = self.residue_chains, self.residue_indices[self.residue_starts]
        return (chain[1:] == chain[:-1]) & (number[1:] == number[:-1] + 1)

    @cached_property
    def is_d(self) -> np.ndarray:
        """Which residues are named as D-residues, as D-ALA or DAL, dtype=bool, shape=(L,)."""
        codes = set(COMPONENT_OF_D.values())
        return np.array([is_d(name) or name in codes for name in self.sequence])

    @cached_property
    def l_forms(self) -> np.ndarray:
        """Residue names without their hand, dtype=str, shape=(L,)."""
        return np.array([l_form(name) for name in self.sequence])

    @cached_property
    def is_proline(self) -> np.ndarray:
        """Prolines of either hand, dtype=bool, shape=(L,)."""
        return self.l_forms == "PRO"

    @cached_property
    def elements(self) -> np.ndarray:
        """Element of each atom, by its name, dtype=str, shape=(N,)."""
        return np.array(["SE" if name == "SE" else name.lstrip("0123456789")[:1] for name in self.atom_names])

    @cached_property
    def atoms(self) -> AtomArray:
        """The real atoms without coordinates; all but the twenty residues are hetero, as in the PDB."""
        components = np.array([component_code(name) for name in self.sequence])
        standard = np.array([code in ONE_LETTER for code in components])
        real = np.flatnonzero(self.is_real)
        residue = self.residue_of_atom[real]
        atoms = AtomArray(len(real))
        atoms.set_annotation("chain_id", self.chain_ids[real])
        atoms.set_annotation("res_id", self.residue_indices[real])
        atoms.set_annotation("res_name", components[residue])
        atoms.set_annotation("hetero", ~standard[residue])
        atoms.set_annotation("atom_name", self.atom_names[real])
        atoms.set_annotation("element", self.elements[real])
        atoms.set_annotation("occupancy", np.ones(len(real)))
        atoms.set_annotation("b_factor", np.zeros(len(real)))
        return atoms

    @cached_property
    def pdb_template(self) -> PdbTemplate:
        """The lines of a PDB file of these atoms."""
        return PdbTemplate(self.atoms)

    def atom_rows(self, name: str) -> np.ndarray:
        """Where each residue keeps the atom of that name, dtype=int, shape=(L,); -1 where it has none."""
        found = np.flatnonzero(self.atom_names == name)
        rows = np.full(len(self.sequence), -1)
        rows[self.residue_of_atom[found]] = found
        return rows

    def backbone_rows(self) -> np.ndarray:
        """The rows of N, CA and C of each residue, dtype=int, shape=(L, 3).

        Raises
        ------
        ValueError
            If a residue lacks one of them.
        """
        rows = np.stack([self.atom_rows(name) for name in BACKBONE_ATOMS], axis=1)
        residue, atom = (axis.tolist() for axis in np.nonzero(rows < 0))
        if residue:
            raise ValueError(
                f"residue {residue[0] + 1} ({self.sequence[residue[0]]}) has no atom "
                f"{BACKBONE_ATOMS[atom[0]]}; every residue needs {', '.join(BACKBONE_ATOMS)}"
            )
        return rows


def check_members(coords: np.ndarray) -> None:
    """Whether there are members, and all of them finite.

    Raises
    ------
    ValueError
        If there is none, or coordinates (B, N, 3) are not finite.
    """
    if len(coords) == 0:
        raise ValueError("there is no structure left; choose one or more")
    finite = np.isfinite(coords).all(axis=(1, 2))
    if not finite.all():
        raise ValueError(f"member {int(np.argmin(finite))} has coordinates that are not finite; leave it out")
