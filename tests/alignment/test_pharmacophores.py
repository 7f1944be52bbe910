"""Pharmacophore features: textbook molecules, geometry of the bonds, and the peer's features."""

import numpy as np
import pytest
from rdkit import Chem

from foldpix.alignment.overlaps import PHARMACOPHORES
from foldpix.alignment.pharmacophores import find_features
from tests.alignment.conftest import embed, molecule
from tests.conftest import random_rotation

#: Molecules with the features that a chemist gives them.
TEXTBOOK = {
    "O": {"Acceptor": 1, "Donor": 1},
    "C": {},
    "Cl": {},
    "[H][H]": {},
    "CC": {"Hydrophobe": 1},
    "CO": {"Acceptor": 1, "Donor": 1, "Hydrophobe": 1},
    "CC(=O)C": {"Acceptor": 1, "Hydrophobe": 1},
    "CC#N": {"Acceptor": 1, "Hydrophobe": 1},
    "c1ccccc1": {"Aromatic": 1, "Hydrophobe": 1},
    "C1CCCCC1": {"Hydrophobe": 1},
    "c1ccncc1": {"Aromatic": 1, "Acceptor": 1, "Hydrophobe": 1},
    "c1cc[nH]c1": {"Aromatic": 1, "Donor": 1, "Hydrophobe": 1},
    "c1ccc2ccccc2c1": {"Aromatic": 2, "Hydrophobe": 2},
    "CNC(C)=O": {"Acceptor": 1, "Donor": 1, "Hydrophobe": 2},
    "CS(=O)(=O)N(C)C": {"Acceptor": 2, "Hydrophobe": 2},
    "CN(C)C": {"Acceptor": 1, "Hydrophobe": 1},
    "C[NH3+]": {"Donor": 1, "Cation": 1, "Hydrophobe": 1},
    "C[N+](C)(C)C": {"Cation": 1, "Hydrophobe": 1},
    "CC(=O)[O-]": {"Acceptor": 2, "Anion": 1, "Hydrophobe": 1},
    "C[N+](=O)[O-]": {"Acceptor": 2, "Hydrophobe": 1},
    "CNC(N)=[NH2+]": {"Donor": 3, "Cation": 1, "Hydrophobe": 1},
    "CC(=O)NO": {"Acceptor": 2, "Donor": 2, "ZnBinder": 1, "Hydrophobe": 1},
    "CS": {"Donor": 1, "ZnBinder": 1, "Hydrophobe": 1},
    "CSC": {"Hydrophobe": 1},
    "Clc1ccccc1": {"Aromatic": 1, "Halogen": 1, "Hydrophobe": 2},
    "CC(F)(F)F": {"Hydrophobe": 1},
    "CB(O)O": {"Acceptor": 2, "Donor": 2, "Hydrophobe": 1},
    "[Na+]": {"Cation": 1},
}


@pytest.mark.parametrize("smiles", TEXTBOOK)
def test_features_of_textbook_molecules(smiles):
    types = molecule(smiles).pharm_types
    counts = {PHARMACOPHORES[kind]: int((types == kind).sum()) for kind in np.unique(types)}
    assert counts == TEXTBOOK[smiles]


def test_directions_follow_the_bonds():
    mol = embed("OC=O")  # O-H donates along its bond, C=O accepts along its own
    coords = mol.GetConformer().GetPositions()
    types, positions, vectors = find_features(mol, coords)
    hydroxyl, carbon, carbonyl = coords[:3]
    hydrogen = coords[[bond.GetOtherAtomIdx(0) for bond in mol.GetAtomWithIdx(0).GetBonds()]][-1]
    donor = vectors[types == PHARMACOPHORES.index("Donor")][0]
    acceptor = vectors[np.linalg.norm(positions - carbonyl, axis=1) < 1e-6][0]
    assert donor == pytest.approx((hydrogen - hydroxyl) / np.linalg.norm(hydrogen - hydroxyl))
    assert acceptor == pytest.approx((carbonyl - carbon) / np.linalg.norm(carbonyl - carbon))


def test_a_ring_points_along_its_normal_and_a_halogen_away_from_it():
    found = molecule("Fc1ccccc1")
    normal = found.pharm_vecs[found.pharm_types == PHARMACOPHORES.index("Aromatic")][0]
    halogen = found.pharm_vecs[found.pharm_types == PHARMACOPHORES.index("Halogen")][0]
    bonds = np.diff(found.atom_pos, axis=0)  # all in the plane
    assert np.abs(bonds @ normal).max() < 0.05
    assert halogen == pytest.approx(
        (found.atom_pos[0] - found.atom_pos[1]) / np.linalg.norm(found.atom_pos[0] - found.atom_pos[1])
    )


def test_many_vectors_mean_one_feature_for_each_lone_pair_and_side():
    one, many = molecule("CC(=O)c1ccccc1O"), molecule("CC(=O)c1ccccc1O", pharm_multi_vector=True)
    acceptor, aromatic = PHARMACOPHORES.index("Acceptor"), PHARMACOPHORES.index("Aromatic")
    assert (one.pharm_types == acceptor).sum() == 2 and (one.pharm_types == aromatic).sum() == 1
    sides = many.pharm_vecs[many.pharm_types == aromatic]
    assert sides[0] == pytest.approx(-sides[1])
    carbonyl = np.linalg.norm(many.pharm_ancs - many.atom_pos[2], axis=1) < 1e-6
    pairs = many.pharm_vecs[carbonyl & (many.pharm_types == acceptor)]
    assert pairs[0] @ pairs[1] == pytest.approx(np.cos(np.radians(120.0)))
    single = one.pharm_vecs[np.linalg.norm(one.pharm_ancs - one.atom_pos[2], axis=1) < 1e-6][0]
    assert pairs.sum(axis=0) == pytest.approx(single)  # 2 cos 60 = 1


@pytest.mark.parametrize("multi_vector", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_features_turn_with_the_molecule(seed, multi_vector):
    rng = np.random.default_rng(seed)
    mol = embed("CC(=O)Nc1ccc(O)cc1CCN(C)CCl", seed + 1)
    coords, rotation, shift = mol.GetConformer().GetPositions(), random_rotation(rng), rng.normal(0, 30, 3)
    here = find_features(mol, coords, multi_vector)
    there = find_features(mol, coords @ rotation.T + shift, multi_vector)
    assert np.array_equal(here.types, there.types)
    assert there.positions == pytest.approx(here.positions @ rotation.T + shift, abs=1e-9)
    aromatic = here.types == PHARMACOPHORES.index("Aromatic")  # a normal has no sign
    assert np.abs(there.vectors @ rotation)[aromatic] == pytest.approx(
        np.abs(here.vectors[aromatic]), abs=1e-6
    )
    assert (there.vectors @ rotation)[~aromatic] == pytest.approx(here.vectors[~aromatic], abs=1e-6)


def test_types_do_not_depend_on_the_conformation():
    nifedipine = "COC(=O)C1=C(C)NC(C)=C(C(=O)OC)C1c1ccccc1[N+](=O)[O-]"
    types = [find_features(mol, mol.GetConformer().GetPositions()).types for mol in _conformers(nifedipine)]
    acceptors = {int((kinds == PHARMACOPHORES.index("Acceptor")).sum()) for kinds in types}
    assert acceptors == {6}


def _conformers(smiles):
    return [embed(smiles, seed) for seed in range(1, 6)]


def test_at_least_98_percent_of_features_are_where_the_peer_has_them(peer_data):
    peer = np.load(peer_data / "pharm_features.npz")
    mols = list(Chem.SDMolSupplier(str(peer_data / "mols.sdf"), removeHs=False))
    numbers = sorted({int(key.split("_")[0]) for key in peer})
    shared = mine = theirs = 0
    for number in numbers:
        coords = mols[number].GetConformer().GetPositions()
        heavy = [atom.GetIdx() for atom in mols[number].GetAtoms() if atom.GetAtomicNum() > 1]
        types, positions, vectors = find_features(mols[number], coords - coords[heavy].mean(axis=0))
        same = types[:, None] == peer[f"{number}_types"]
        same &= np.linalg.norm(positions[:, None] - peer[f"{number}_pos"], axis=-1) < 0.1
        cosine = vectors @ peer[f"{number}_vec"].T
        directed = same & (np.abs(cosine) > 1e-9)
        aromatic = types == PHARMACOPHORES.index("Aromatic")
        cosine[aromatic] = np.abs(cosine[aromatic])
        assert cosine[directed].min(initial=1.0) > np.cos(np.radians(6.0))
        shared, mine, theirs = shared + same.any(1).sum(), mine + len(types), theirs + same.shape[1]
    assert shared > 0.98 * max(mine, theirs)
