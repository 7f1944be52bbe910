"""The atoms of a molecule: what all members of a batch have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


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
        """Whether residues i and i + 1 are of one chain, dtype=bool, shape=(L - 1,)."""
        return self.residue_chains[1:] == self.residue_chains[:-1]

    def atom_rows(self, name: str, real: bool = False) -> np.ndarray:
        """Where each residue keeps the atom of that name, dtype=int, shape=(L,); -1 where it has none."""
        found = np.flatnonzero((self.atom_names == name) & (self.is_real | (not real)))
        rows = np.full(len(self.sequence), -1)
        rows[self.residue_of_atom[found]] = found
        return rows

    def backbone_rows(self, names: Sequence[str] = ("N", "CA", "C")) -> np.ndarray:
        """The rows of backbone atoms, dtype=int, shape=(L, len(names)).

        Raises
        ------
        ValueError
            If a residue lacks one of them.
        """
        rows = np.stack([self.atom_rows(name) for name in names], axis=1)
        residue, atom = (axis.tolist() for axis in np.nonzero(rows < 0))
        if residue:
            raise ValueError(
                f"residue {residue[0] + 1} ({self.sequence[residue[0]]}) has no atom {names[atom[0]]}; "
                f"every residue needs {', '.join(names)}"
            )
        return rows
