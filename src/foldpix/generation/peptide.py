"""Many conformations of one molecule."""

import copy
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from biotite.structure import AtomArrayStack

from foldpix.generation.atom_table import AtomTable
from foldpix.generation.c_beta import c_beta
from foldpix.generation.ensemble import analyze_ensemble, end_to_end, radius_of_gyration
from foldpix.generation.model_files import backbones_of, pdb_bytes, save_bytes, save_models, stack_of
from foldpix.generation.orientations import orientation_maps_6d
from foldpix.generation.validation import Validation, validate
from foldpix.structure import Backbone


class BatchedPeptide:
    """B conformations of one molecule of L residues and N atoms, in one array.

    The coordinates may be changed in place; names and numbers may not, and the lists below are copies.

    Parameters
    ----------
    coords : array_like, shape=(B, N, 3)
        Angstrom. float32 and float64 arrays are kept as they are (no copy), others become float64.
    sequence : sequence of str
        L residue names, all chains one after the other: "ALA", and "D-ALA" for a D-residue.
    atom_names : sequence of str
        N names.
    residue_indices : sequence of int
        Residue number of each atom, from 1, and from 1 again in every chain.
    atom_chain_ids : sequence of str, optional
        Chain of each atom, by default "A".
    atom_mask : array_like, dtype=bool, shape=(N,), optional
        False for a point that is no atom: the virtual CB of glycine. By default all are atoms.
    torsions : array_like, shape=(B, L, 3), optional
        phi, psi, omega the members were built from, radian.
    labels : sequence of str, optional
        Secondary structure of each member, one letter a residue.
    seed : int, optional
        What the members were drawn from.
    members : array_like, dtype=int, shape=(B,), optional
        Number of each member in the stream of that seed.
    num_clashes : array_like, dtype=int, shape=(B,), optional
        Pairs of atoms that are too near, as counted when the members were made.

    Attributes
    ----------
    n_structures, n_atoms, n_residues : int
        B, N and L.

    Raises
    ------
    ValueError
        If shapes and lengths do not fit together.
    """

    def __init__(
        self,
        coords: Any,
        sequence: Sequence[str],
        atom_names: Sequence[str],
        residue_indices: Sequence[int],
        atom_chain_ids: Sequence[str] | None = None,
        *,
        atom_mask: Any = None,
        torsions: Any = None,
        labels: Sequence[str] | None = None,
        seed: int | None = None,
        members: Any = None,
        num_clashes: Any = None,
    ) -> None:
        self.coords = _coordinates(coords)
        num, num_atoms = self.coords.shape[:2]
        chain_ids = np.full(num_atoms, "A") if atom_chain_ids is None else atom_chain_ids
        is_real = np.ones(num_atoms, dtype=bool) if atom_mask is None else atom_mask
        self._table = AtomTable(
            _residue_names(sequence),
            _per_atom("atom_names", atom_names, np.str_, num_atoms),
            _per_atom("residue_indices", residue_indices, np.intp, num_atoms),
            _per_atom("atom_chain_ids", chain_ids, np.str_, num_atoms),
            _per_atom("atom_mask", is_real, np.bool_, num_atoms),
        )
        self.torsions = _shaped("torsions", torsions, (num, self.n_residues, 3))
        self.labels = _labels(labels, num, self.n_residues)
        self.seed = seed
        self.members = _shaped("members", members, (num,))
        self.num_clashes = _shaped("num_clashes", num_clashes, (num,))

    @property
    def sequence(self) -> list[str]:
        """Residue names, all chains one after the other."""
        return list(self._table.sequence)

    @property
    def atom_names(self) -> list[str]:
        """Name of each atom."""
        return self._table.atom_names.tolist()

    @property
    def residue_indices(self) -> list[int]:
        """Residue number of each atom, from 1 in every chain."""
        return self._table.residue_indices.tolist()

    @property
    def atom_chain_ids(self) -> list[str]:
        """Chain of each atom."""
        return self._table.chain_ids.tolist()

    @property
    def atom_mask(self) -> np.ndarray:
        """Which points are atoms, dtype=bool, shape=(N,); read-only."""
        return self._table.is_real

    @property
    def n_structures(self) -> int:
        """Number of members, B."""
        return len(self.coords)

    @property
    def n_atoms(self) -> int:
        """Number of atoms of a member, N, virtual ones included."""
        return self.coords.shape[1]

    @property
    def n_residues(self) -> int:
        """Number of residues of a member over all chains, L."""
        return len(self._table.sequence)

    def __len__(self) -> int:
        return self.n_structures

    def __repr__(self) -> str:
        what = f"{self.n_structures} structures of {self.n_residues} residues and {self.n_atoms} atoms"
        return f"<BatchedPeptide: {what}, {self.coords.dtype}>"

    def __iter__(self) -> Iterator["BatchedPeptide"]:
        return (self[member] for member in range(len(self)))

    def __getitem__(self, index: Any) -> "BatchedPeptide":
        """Some of the members: by a number (a batch of one), a slice, a mask, or numbers.

        A number and a slice give views of the coordinates, a mask and numbers copies.

        Raises
        ------
        IndexError
            If there is no such member.
        """
        chosen = _chosen(index, len(self))
        subset = copy.copy(self)
        for name in ("coords", "torsions", "members", "num_clashes"):
            values = getattr(self, name)
            setattr(subset, name, None if values is None else values[chosen])
        if self.labels is not None:
            subset.labels = tuple(self.labels[k] for k in np.arange(len(self))[chosen])
        return subset

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.coords, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        return self.coords.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.coords.__dlpack_device__()

    def to_pdb(self, index: int = 0) -> str:
        """One member as the text of a PDB file; residues are numbered by chain, D-residues have PDB's codes.

        Raises
        ------
        IndexError
            If there is no such member.
        TypeError
            If `index` is not one number.
        ValueError
            If the columns of the format are too narrow, or a coordinate is not finite.
        """
        return pdb_bytes(self._table, self[operator.index(index)].coords).decode("ascii")

    def save_pdb(self, path: str | Path, index: int = 0) -> None:
        """Write :meth:`to_pdb` to a file; folders that are missing are made."""
        save_bytes(path, self.to_pdb(index).encode("ascii"))

    def save(self, path: str | Path, index: Any = None) -> None:
        """Write members as the models of one file, numbered from 1.

        Parameters
        ----------
        path : path-like
            .pdb, .ent, .cif, .mmcif or .bcif, each also with .gz. Folders that are missing are made.
        index : int, slice, mask or list of int, optional
            Which members; all by default.

        Raises
        ------
        IndexError
            If there is no such member.
        ValueError
            If the suffix is unknown, no member is left, a coordinate is not finite, or the columns of the
            PDB format are too narrow.
        """
        save_models(path, self._table, (self if index is None else self[index]).coords)

    def to_stack(self) -> AtomArrayStack:
        """The real atoms as biotite's stack of B models, float32; residue names are the PDB's codes."""
        return stack_of(self._table, self.coords)

    def to_backbones(self) -> list[Backbone]:
        """N, CA and C of each member and chain, member after member.

        They are named ``member_<number>``, after `members` where that is set.

        Raises
        ------
        ValueError
            If a residue lacks one of these atoms.
        """
        numbers = range(len(self)) if self.members is None else self.members
        return backbones_of(self._table, self.coords, [f"member_{number}" for number in numbers])

    def get_6d_orientations(self, units: str = "degrees") -> dict[str, np.ndarray]:
        """Distances and angles between all pairs of residues of all chains, as trRosetta defines them.

        See :func:`~foldpix.generation.orientations.orientation_maps_6d`. Where a residue has no CB, it is put
        where it belongs, by the hand of the residue.

        Returns
        -------
        dict of ndarray, shape=(B, L, L)
            ``dist``, ``omega``, ``theta`` and ``phi``.

        Raises
        ------
        ValueError
            If the units are unknown, or a residue lacks N, CA or C.
        """
        n, ca, _ = np.moveaxis(self.coords[:, self._table.backbone_rows()], 2, 0)
        return orientation_maps_6d(n, ca, c_beta(self._table, self.coords), units)

    def analyze_ensemble(self, superimpose: bool = True) -> dict[str, Any]:
        """Mean structure, spread and most typical member, over all N atoms alike.

        See :func:`~foldpix.generation.ensemble.analyze_ensemble`; ``radius_of_gyration`` and ``end_to_end``
        are those of this class.
        """
        analysis = analyze_ensemble(self.coords, superimpose)
        return analysis | {"radius_of_gyration": self.radius_of_gyration(), "end_to_end": self.end_to_end()}

    def radius_of_gyration(self) -> np.ndarray:
        """Of the CA atoms of each member, angstrom, dtype=float64, shape=(B,)."""
        return radius_of_gyration(self._ca())

    def end_to_end(self) -> np.ndarray:
        """Distance of the first and the last CA of each member, angstrom, dtype=float64, shape=(B,)."""
        return end_to_end(self._ca())

    def validate(self) -> Validation:
        """What is off in the geometry; see :func:`~foldpix.generation.validation.validate`."""
        return validate(self._table, self.coords)

    def by_residue(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates by residue, and which of them are atoms.

        Returns
        -------
        coords : ndarray, shape=(B, L, A, 3)
            Angstrom. A view where all residues have equally many atoms, as backbones (N, CA, C, O, CB) do;
            else a copy, with zeros behind the atoms of a smaller residue.
        mask : ndarray, dtype=bool, shape=(L, A)
        """
        table = self._table
        widths = table.atoms_per_residue
        if (widths == widths[0]).all():
            shape = (self.n_residues, widths[0])
            return self.coords.reshape(self.n_structures, *shape, 3), table.is_real.reshape(shape)
        residue = table.residue_of_atom
        slot = np.arange(self.n_atoms) - table.residue_starts[residue]
        coords = np.zeros((self.n_structures, self.n_residues, widths.max(), 3), dtype=self.coords.dtype)
        coords[:, residue, slot] = self.coords
        mask = np.zeros(coords.shape[1:3], dtype=bool)
        mask[residue, slot] = table.is_real
        return coords, mask

    def _ca(self) -> np.ndarray:
        return self.coords[:, self._table.backbone_rows()[:, 1]]


def _coordinates(coords: Any) -> np.ndarray:
    coords = np.asarray(coords)
    if coords.dtype not in (np.float32, np.float64):
        coords = coords.astype(np.float64)
    if coords.ndim != 3 or coords.shape[1] == 0 or coords.shape[2] != 3:
        raise ValueError(f"coords have shape {coords.shape}; a batch needs (B, N, 3) with N of 1 or more")
    return coords


def _residue_names(sequence: Sequence[str]) -> tuple[str, ...]:
    if isinstance(sequence, str):
        raise ValueError(f"sequence is '{sequence}'; it is a list of residue names, such as ['ALA', 'D-ALA']")
    return tuple(map(str, sequence))


def _per_atom(name: str, values: Any, dtype: type, num_atoms: int) -> np.ndarray:
    if len(values) != num_atoms:
        raise ValueError(f"{name} has {len(values)} entries and coords have {num_atoms} atoms")
    if dtype is np.intp and (given := np.asarray(values).dtype).kind not in "iu":
        raise ValueError(f"{name} are {given}, such as {values[0]}; they must be whole numbers")
    column: np.ndarray = np.array(values, dtype=dtype)
    column.flags.writeable = False
    return column


def _shaped(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if values is None:
        return None
    values = np.asarray(values)
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}; this batch needs {shape}")
    return values


def _labels(labels: Sequence[str] | None, num: int, length: int) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if len(labels) != num or set(map(len, labels)) - {length}:
        raise ValueError(f"labels must be {num} strings of {length} letters, one a residue")
    return tuple(labels)


def _chosen(index: Any, num: int) -> Any:
    """A slice for a number, or what NumPy takes along the first axis."""
    if isinstance(index, slice):
        return index
    try:
        member = operator.index(index)
    except TypeError:
        rows = np.asarray(index)
        if isinstance(index, tuple) or rows.ndim != 1:
            raise IndexError("members are chosen by one number, slice, mask or list of numbers") from None
        return rows if rows.size else rows.astype(np.intp)
    if not -num <= member < num:
        raise IndexError(f"member {member} of a batch of {num}; there are 0 to {num - 1}")
    member %= num
    return slice(member, member + 1)
