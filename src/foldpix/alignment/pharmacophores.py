"""Pharmacophore features of a molecule: what they are, where they sit and where they point.

The families are those of Pharmer (Koes and Camacho, J. Chem. Inf. Model. 2011, 51, 1307), with one of their
own for halogens. Which atoms are features is judged by the graph alone, never by the conformation.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from rdkit import Chem

from foldpix.alignment.feature_directions import (
    directions_to_hydrogens,
    halogen_direction,
    lone_pair_directions,
    ring_normals,
)
from foldpix.alignment.hydrophobes import hydrophobic_points
from foldpix.alignment.overlaps import PHARMACOPHORES

#: Groups that are a feature at their atoms' mean. A charge that a neighbour cancels (nitro, N-oxide) is none.
#: An amine counts as an acceptor where neither an unsaturated carbon nor sulphur takes up its lone pair, a
#: halogen unless two more are on its carbon. An amidinium's charge sits at its carbon.
_GROUPS: Final = {
    "Acceptor": (
        "[O;X1,X2]",
        "[n;X2]",
        "[N;X1,X2;!$(N=C-[N;X3])]",
        "[N;X3;!+;!$(N-[#6;X3,X2]);!$(N-[S,P])]",
    ),
    "Donor": ("[N,n,O,S;!H0]",),
    "Halogen": ("[F,Cl,Br,I;$(*-[#6]);!$(*-C([F,Cl,Br,I])[F,Cl,Br,I])]",),
    "Cation": ("[C;X3;$(C(-[N;X3])=[N+])]", "[!-;!+0;!$(*~[-]);!$([N+]=C-[N;X3])]"),
    "Anion": ("[#6](=O)[O-]", "[!+;!-0;!$(*~[+]);!$([O-]-[#6]=O)]"),
    "ZnBinder": ("[S;$([X2H1]),$([X1-]);$(S-[#6])]", "O=[#6]-[#7]-[O;$([X2H1]),$([X1-])]"),
}
_MAX_MATCHES = 100_000


class Features(NamedTuple):
    """Pharmacophore features.

    Attributes
    ----------
    types : ndarray, dtype=int64, shape=(n,)
        Indices into `PHARMACOPHORES`.
    positions : ndarray, dtype=float64, shape=(n, 3)
        Angstrom.
    vectors : ndarray, dtype=float64, shape=(n, 3)
        Unit vectors: along hydrogens and lone pairs, normal to rings, from a carbon to its halogen; zero
        where a feature has no direction.
    """

    types: np.ndarray
    positions: np.ndarray
    vectors: np.ndarray


def find_features(mol: Chem.Mol, coords_A3: np.ndarray, multi_vector: bool = False) -> Features:
    """Pharmacophore features of a molecule with explicit hydrogens.

    Parameters
    ----------
    mol : Mol
        Sanitised; donors need their hydrogens.
    coords_A3 : ndarray, shape=(A, 3)
        Positions of all its atoms, angstrom.
    multi_vector : bool
        A feature for each hydrogen, lone pair and side of a ring, instead of one along their mean.

    Returns
    -------
    Features
        In the order of their types. There may be none.
    """
    found = [*_directed(mol, coords_A3, multi_vector), *_undirected(mol, coords_A3)]
    found.sort(key=lambda feature: feature[0])
    types = np.array([feature[0] for feature in found], dtype=np.int64)
    positions = np.array([feature[1] for feature in found], dtype=np.float64).reshape(-1, 3)
    vectors = np.array([feature[2] for feature in found], dtype=np.float64).reshape(-1, 3)
    return Features(types, positions, vectors)


_Feature = tuple[int, np.ndarray, np.ndarray]


def _directed(mol: Chem.Mol, coords_A3: np.ndarray, multi_vector: bool) -> Iterator[_Feature]:
    directions_of = {
        "Acceptor": lone_pair_directions,
        "Donor": directions_to_hydrogens,
        "Halogen": halogen_direction,
    }
    for name, directions in directions_of.items():
        for (atom,) in _matches(mol, name):
            vectors_K3 = directions(mol.GetAtomWithIdx(atom), coords_A3)
            for vector in vectors_K3 if multi_vector else [_mean_direction(vectors_K3)]:
                yield PHARMACOPHORES.index(name), coords_A3[atom], vector
    for ring in mol.GetRingInfo().AtomRings():
        if len(ring) in (5, 6) and all(mol.GetAtomWithIdx(atom).GetIsAromatic() for atom in ring):
            normals = ring_normals(coords_A3[list(ring)])
            for vector in normals if multi_vector else normals[:1]:
                yield PHARMACOPHORES.index("Aromatic"), coords_A3[list(ring)].mean(axis=0), vector


def _undirected(mol: Chem.Mol, coords_A3: np.ndarray) -> Iterator[_Feature]:
    for name in ("Cation", "Anion", "ZnBinder"):
        for match in _matches(mol, name):
            yield PHARMACOPHORES.index(name), coords_A3[list(match)].mean(axis=0), np.zeros(3)
    for point in hydrophobic_points(mol, coords_A3):
        yield PHARMACOPHORES.index("Hydrophobe"), point, np.zeros(3)


def _matches(mol: Chem.Mol, name: str) -> Iterator[tuple[int, ...]]:
    for pattern in _patterns(name):
        yield from mol.GetSubstructMatches(pattern, maxMatches=_MAX_MATCHES)


@lru_cache
def _patterns(name: str) -> list[Chem.Mol]:
    return [Chem.MolFromSmarts(smarts) for smarts in _GROUPS[name]]


def _mean_direction(vectors_K3: np.ndarray) -> np.ndarray:
    """The unit vector along a sum; zero where the sum cancels, as in ammonium."""
    total = vectors_K3.sum(axis=0)
    length = np.linalg.norm(total)
    return total / length if length > 0.1 else np.zeros(3)
