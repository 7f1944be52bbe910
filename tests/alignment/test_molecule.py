"""A molecule's parts, and that the caller's molecule stays as it is."""

import numpy as np
import pytest
from rdkit import Chem

from foldpix.alignment.molecule import Molecule
from foldpix.alignment.poses import apply
from tests.alignment.conftest import embed, molecule
from tests.conftest import random_rotation


@pytest.mark.parametrize("smiles", ["[2H]OC([2H])([2H])[2H]", "[3H]c1ccccc1", "[13CH3][15NH2]", "C"])
def test_isotopes_are_their_elements(smiles):
    labelled = molecule(smiles)
    plain = Chem.MolFromSmiles(smiles)
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
    num_heavy = Chem.RemoveHs(plain).GetNumAtoms()
    assert labelled.atom_pos.shape == (num_heavy, 3)
    assert labelled.get_charges().shape == (num_heavy,)
    assert labelled.get_charges(no_H=False).sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("smiles", ["CB(O)O", "Cl", "[He]"])
def test_a_molecule_without_mmff_charges_has_a_shape_all_the_same(smiles):
    odd = molecule(smiles, num_surf_points=50)
    assert len(odd.atom_pos) == Chem.MolFromSmiles(smiles).GetNumAtoms()
    assert odd.surf_pos.shape == (50, 3)
    for charged in (lambda: odd.partial_charges, lambda: odd.surf_esp):
        with pytest.raises(ValueError, match=r"MMFF94 has no charges .* give partial_charges"):
            charged()
    given = Molecule(odd.mol, num_surf_points=50, partial_charges=np.full(odd.mol.GetNumAtoms(), 0.1))
    assert given.surf_esp.shape == (50,) and (given.surf_esp > 0).all()


def test_hydrogens_that_are_only_implied_are_added_behind():
    whole = embed("CC(=O)NC")
    bare = Molecule(Chem.RemoveHs(whole))
    assert bare.mol.GetNumAtoms() == whole.GetNumAtoms()
    assert np.array_equal(bare.atom_pos, Molecule(whole).atom_pos)
    assert bare.get_charges() == pytest.approx(Molecule(whole).get_charges())


def test_the_callers_molecule_is_not_changed():
    mol = embed("CC(=O)Nc1ccc(O)cc1")
    before = mol.ToBinary(Chem.PropertyPickleOptions.AllProps), mol.GetConformer().GetPositions()
    found = Molecule(mol, num_surf_points=60)
    moved = found.center_to(found.atom_pos.mean(axis=0))
    assert np.isfinite(moved.surf_esp).all() and len(moved.pharm_types) and len(found.surface.esp) == 60
    assert moved.atom_pos.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert mol.ToBinary(Chem.PropertyPickleOptions.AllProps) == before[0]
    assert np.array_equal(mol.GetConformer().GetPositions(), before[1])
    assert np.array_equal(found.get_positions(no_H=False), before[1])


@pytest.mark.parametrize("ahead", [True, False])
def test_all_parts_move_together(rng, ahead):
    found = molecule("CC(=O)Nc1ccc(O)cc1", num_surf_points=60)
    if ahead:  # computed before the motion, else after it
        _ = found.surface, found.pharmacophore
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = random_rotation(rng), [3.0, -40.0, 7.0]
    moved = found.transformed(transform)
    for here, there in zip(
        (found.atom_pos, found.surf_pos, found.pharm_ancs),
        (moved.atom_pos, moved.surf_pos, moved.pharm_ancs),
        strict=True,
    ):
        assert there == pytest.approx(apply(transform, here), abs=1e-5)
    assert moved.surf_esp == pytest.approx(found.surf_esp, abs=1e-4)
    tips, moved_tips = found.pharm_ancs + found.pharm_vecs, moved.pharm_ancs + moved.pharm_vecs
    directed = found.pharm_types != 2  # a ring's normal has no sign
    assert moved_tips[directed] == pytest.approx(apply(transform, tips)[directed], abs=1e-5)


def test_what_is_given_is_taken():
    points, esp = np.arange(12.0).reshape(4, 3), np.arange(4.0)
    types, anchors, vectors = np.array([0, 3]), np.ones((2, 3)), np.zeros((2, 3))
    found = molecule(
        "CO",
        surface_points=points,
        electrostatics=esp,
        pharm_types=types,
        pharm_ancs=anchors,
        pharm_vecs=vectors,
    )
    assert np.array_equal(found.surface.positions, points) and np.array_equal(found.surface.esp, esp)
    assert [part.tolist() for part in found.pharmacophore] == [x.tolist() for x in (types, anchors, vectors)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partial_charges": np.zeros(5)}, r"partial_charges has shape \(5,\).* needs \(6,\)"),
        ({"surface_points": np.zeros((4, 2))}, r"surface_points has shape \(4, 2\)"),
        ({"surface_points": np.zeros((4, 3)), "electrostatics": np.zeros(3)}, r"electrostatics has shape"),
    ],
)
def test_what_does_not_fit_the_molecule_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        molecule("CO", **options)


def test_a_molecule_needs_three_dimensions():
    flat = Chem.MolFromMolBlock(Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")))
    for mol in (Chem.MolFromSmiles("CCO"), flat):
        with pytest.raises(ValueError, match=r"CCO has no conformer in three dimensions"):
            Molecule(mol)
