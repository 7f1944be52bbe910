"""Where hydrogens, lone pairs, rings and halogens point."""

import numpy as np
from rdkit import Chem

#: Half the angle between the lone pairs of a carbonyl oxygen and of a tetrahedral one, degrees.
_PLANAR_HALF_ANGLE, _TETRAHEDRAL_HALF_ANGLE = 60.0, 54.75


def directions_to_hydrogens(atom: Chem.Atom, coords_A3: np.ndarray) -> np.ndarray:
    """Unit vectors from an atom to each of its hydrogens, shape (K, 3)."""
    hydrogens = [other.GetIdx() for other in atom.GetNeighbors() if other.GetAtomicNum() == 1]
    return _units(coords_A3[hydrogens] - coords_A3[atom.GetIdx()])


def halogen_direction(atom: Chem.Atom, coords_A3: np.ndarray) -> np.ndarray:
    """Unit vector from the neighbour to the halogen, shape (1, 3)."""
    return -_to_neighbours(atom, coords_A3)


def ring_normals(ring_N3: np.ndarray) -> np.ndarray:
    """The two unit normals of a ring's plane of least squares, shape (2, 3)."""
    normal = np.linalg.svd(ring_N3 - ring_N3.mean(axis=0))[2][2]
    return np.stack([normal, -normal])


def lone_pair_directions(atom: Chem.Atom, coords_A3: np.ndarray) -> np.ndarray:
    """Unit vectors along an acceptor's lone pairs, shape (K, 3).

    Oxygen with one neighbour that is planar has two, 120 degrees apart in that plane, any other atom with
    one neighbour counts as having one along the bond. An sp3 oxygen has two, in the plane that halves the
    angle of its bonds; else there is one, opposite to the sum of the bonds. A bare atom has none.
    """
    bonds_K3 = _to_neighbours(atom, coords_A3)
    axis = -bonds_K3.sum(axis=0)
    length = np.linalg.norm(axis)
    if length < 0.1:
        return np.zeros((1, 3))
    axis = axis / length
    if len(bonds_K3) == 1:
        across = _in_plane(atom, axis, coords_A3)
        return axis[None] if across is None else _pair(axis, across, _PLANAR_HALF_ANGLE)
    if len(bonds_K3) == 2 and atom.GetHybridization() == Chem.HybridizationType.SP3:
        normal = np.cross(bonds_K3[0], bonds_K3[1])
        return _pair(axis, normal / np.linalg.norm(normal), _TETRAHEDRAL_HALF_ANGLE)
    return axis[None]


def _pair(axis: np.ndarray, across: np.ndarray, half_angle: float) -> np.ndarray:
    angle = np.radians(half_angle)
    side = np.array([[1.0], [-1.0]])
    return np.cos(angle) * axis + np.sin(angle) * side * across


def _in_plane(atom: Chem.Atom, axis: np.ndarray, coords_A3: np.ndarray) -> np.ndarray | None:
    """Unit vector perpendicular to the bond of an end atom, in the plane of a neighbour with three bonds."""
    (neighbour,) = atom.GetNeighbors()
    if atom.GetAtomicNum() != 8 or neighbour.GetDegree() != 3:
        return None
    other = next(third.GetIdx() for third in neighbour.GetNeighbors() if third.GetIdx() != atom.GetIdx())
    bond = coords_A3[other] - coords_A3[neighbour.GetIdx()]
    across = bond - (bond @ axis) * axis
    return across / np.linalg.norm(across)


def _to_neighbours(atom: Chem.Atom, coords_A3: np.ndarray) -> np.ndarray:
    neighbours = [other.GetIdx() for other in atom.GetNeighbors()]
    return _units(coords_A3[neighbours] - coords_A3[atom.GetIdx()])


def _units(vectors_K3: np.ndarray) -> np.ndarray:
    return vectors_K3 / np.linalg.norm(vectors_K3, axis=-1, keepdims=True)
