"""A small molecule in one conformation, with all that it can be aligned by."""

import copy
from functools import cached_property
from typing import NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Geometry import Point3D

from foldpix.alignment.charges import mmff_charges
from foldpix.alignment.pharmacophores import Features, find_features
from foldpix.alignment.poses import apply
from foldpix.alignment.surfaces import PROBE_RADIUS, surface_points, surface_potential


class Surface(NamedTuple):
    """Points of a molecular surface (angstrom), shape (N, 3), and the potential there (volt), shape (N,)."""

    positions: np.ndarray
    esp: np.ndarray


class Molecule:
    """A molecule's first conformer, with charges, surface and pharmacophore features when they are asked for.

    The RDKit molecule is copied, never changed; hydrogens that it only implies are added to the copy, after
    its own atoms. Heavy atoms are all but hydrogen and its isotopes.

    Parameters
    ----------
    mol : Mol
        Sanitised, with a conformer in three dimensions.
    num_surf_points : int, optional
        Points of the surface.
    density : float, optional
        Surface points per square angstrom, where their number is not given.
    probe_radius : float, optional
        Of the solvent that rolls over the atoms, 1.2 angstrom by default.
    surface_points : ndarray, shape=(N, 3), optional
        A surface of your own, angstrom.
    partial_charges : ndarray, shape=(A,), optional
        Charges of your own for all atoms in the order of `mol`, in e; otherwise those of MMFF94.
    electrostatics : ndarray, shape=(N,), optional
        Potential at the surface points, volt; otherwise that of the charges.
    pharm_multi_vector : bool, optional
        A feature for each hydrogen, lone pair and side of a ring, instead of one along their mean.
    pharm_types, pharm_ancs, pharm_vecs : ndarray, optional
        Features of your own: types (n,), anchors (n, 3) in angstrom, unit vectors (n, 3); all three.

    Raises
    ------
    ValueError
        If there is no conformer in three dimensions, or what is given does not fit the molecule.
    """

    def __init__(
        self,
        mol: Chem.Mol,
        num_surf_points: int | None = None,
        density: float | None = None,
        probe_radius: float | None = None,
        surface_points: np.ndarray | None = None,
        partial_charges: np.ndarray | None = None,
        electrostatics: np.ndarray | None = None,
        pharm_multi_vector: bool | None = None,
        pharm_types: np.ndarray | None = None,
        pharm_ancs: np.ndarray | None = None,
        pharm_vecs: np.ndarray | None = None,
    ) -> None:
        self.mol = _with_hydrogens(mol)
        self.num_surf_points, self.density = num_surf_points, density
        self.probe_radius = PROBE_RADIUS if probe_radius is None else probe_radius
        self.pharm_multi_vector = bool(pharm_multi_vector)
        numbers_A = np.array([atom.GetAtomicNum() for atom in self.mol.GetAtoms()])
        self._heavy_A = numbers_A != 1
        self.radii = np.array([_VDW_RADII(int(number)) for number in numbers_A])
        if partial_charges is not None:
            self.partial_charges = _given("partial_charges", partial_charges, (len(numbers_A),))
        if surface_points is not None:
            self.surf_pos = _given("surface_points", surface_points, (len(surface_points), 3))
        if electrostatics is not None:
            self.surf_esp = _given("electrostatics", electrostatics, (len(self.surf_pos),))
        if pharm_types is not None and pharm_ancs is not None and pharm_vecs is not None:
            shape = (len(pharm_types), 3)
            self.pharmacophore = Features(
                np.asarray(pharm_types, dtype=np.int64),
                _given("pharm_ancs", pharm_ancs, shape),
                _given("pharm_vecs", pharm_vecs, shape),
            )

    @property
    def atom_pos(self) -> np.ndarray:
        """Positions of the heavy atoms, angstrom; ndarray, dtype=float64, shape=(H, 3)."""
        return self.get_positions(no_H=True)

    @cached_property
    def partial_charges(self) -> np.ndarray:
        """Charges of all atoms, e; ndarray, dtype=float64, shape=(A,)."""
        return mmff_charges(self.mol)

    @cached_property
    def surf_pos(self) -> np.ndarray:
        """Points of the solvent-accessible surface, angstrom; ndarray, dtype=float64, shape=(N, 3)."""
        return surface_points(
            self.get_positions(no_H=False), self.radii, self.num_surf_points, self.density, self.probe_radius
        )

    @cached_property
    def surf_esp(self) -> np.ndarray:
        """Potential at the surface points, volt; ndarray, dtype=float64, shape=(N,)."""
        return surface_potential(self.surf_pos, self.get_positions(no_H=False), self.partial_charges)

    @cached_property
    def pharmacophore(self) -> Features:
        """Types, anchors and vectors of the pharmacophore features."""
        return find_features(self.mol, self.get_positions(no_H=False), self.pharm_multi_vector)

    @property
    def surface(self) -> Surface:
        """Points of the surface and the potential there."""
        return Surface(self.surf_pos, self.surf_esp)

    @property
    def pharm_types(self) -> np.ndarray:
        """Types of the pharmacophore features; ndarray, dtype=int64, shape=(n,)."""
        return self.pharmacophore.types

    @property
    def pharm_ancs(self) -> np.ndarray:
        """Positions of the pharmacophore features, angstrom; ndarray, dtype=float64, shape=(n, 3)."""
        return self.pharmacophore.positions

    @property
    def pharm_vecs(self) -> np.ndarray:
        """Directions of the pharmacophore features; ndarray, dtype=float64, shape=(n, 3)."""
        return self.pharmacophore.vectors

    def get_positions(self, no_H: bool = True) -> np.ndarray:
        """Positions of the heavy atoms or of all, angstrom; ndarray, dtype=float64, shape=(N, 3)."""
        coords_A3 = self.mol.GetConformer().GetPositions()
        return coords_A3[self._heavy_A] if no_H else coords_A3

    def get_charges(self, no_H: bool = True) -> np.ndarray:
        """Charges of the heavy atoms or of all, e; ndarray, dtype=float64, shape=(N,)."""
        return self.partial_charges[self._heavy_A] if no_H else self.partial_charges

    def transformed(self, transform: np.ndarray) -> "Molecule":
        """A copy moved by a rigid motion, a (4, 4) matrix for column vectors; its features move with it."""
        moved = copy.copy(self)
        moved.mol = _moved_mol(self.mol, transform)
        known = vars(self)
        if "surf_pos" in known:
            moved.surf_pos = apply(transform, self.surf_pos)
        if "pharmacophore" in known:
            types, positions, vectors = self.pharmacophore
            moved.pharmacophore = Features(types, apply(transform, positions), vectors @ transform[:3, :3].T)
        return moved

    def with_surface(self, num_surf_points: int | None, density: float | None) -> "Molecule":
        """A copy with so many surface points; the molecule itself where some were asked for before."""
        if "surf_pos" in vars(self) or self.num_surf_points is not None or self.density is not None:
            return self
        asked = copy.copy(self)
        asked.num_surf_points, asked.density = num_surf_points, density
        return asked

    def center_to(self, xyz_means: np.ndarray) -> "Molecule":
        """A copy moved so that the point `xyz_means`, shape (3,), comes to lie at the origin."""
        transform = np.eye(4)
        transform[:3, 3] = -np.asarray(xyz_means)
        return self.transformed(transform)


_VDW_RADII = Chem.GetPeriodicTable().GetRvdw


def _with_hydrogens(mol: Chem.Mol) -> Chem.Mol:
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        name = Chem.MolToSmiles(mol) or "an empty molecule"
        raise ValueError(f"{name} has no conformer in three dimensions; embed it first")
    if any(atom.GetTotalNumHs() for atom in mol.GetAtoms()):
        return Chem.AddHs(mol, addCoords=True)
    return Chem.Mol(mol)


def _moved_mol(mol: Chem.Mol, transform: np.ndarray) -> Chem.Mol:
    moved = Chem.Mol(mol)
    conformer = moved.GetConformer()
    for atom, point in enumerate(apply(transform, conformer.GetPositions())):
        conformer.SetAtomPosition(atom, Point3D(*point))
    return moved


def _given(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; this molecule needs {shape}")
    return array
