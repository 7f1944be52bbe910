"""All atoms of peptides, against biotite's copy of the chemical component dictionary."""

import itertools

import biotite.structure as struc
import numpy as np
import pytest
from biotite.structure.info import residue as component

from foldpix.generation.sequence import l_form, parse_sequence
from foldpix.generation.sidechains import full_atom_layout, place_side_chains
from tests.generation.full_atoms import (
    L_NAMES,
    NAMES,
    NUM,
    backbone,
    built,
    degrees,
    ideal_atoms,
    residues,
    torsions,
    volume,
    wrapped,
)

# What the dictionary's free, neutral amino acids have and peptides of pH 7 have not.
ACIDS = {"ASP": "HD2", "GLU": "HE2", "HIS": "HD1"}
# Where we follow Engh & Huber (1991) instead of the dictionary.
OURS = {"ASP": {"OD1", "OD2"}, "GLU": {"OE1", "OE2"}, "PRO": {"CG", "CD"}}
BACKBONE = ["N", "CA", "C", "O", "OXT"]


def bonded_names(name):
    atoms = component(name)
    return [tuple(atoms.atom_name[[i, j]]) for i, j, _ in atoms.bonds.as_array()]


def test_layout_numbers_atoms_by_residue_and_chain():
    layout = full_atom_layout(parse_sequence("AGS:P"))
    assert len(layout.atom_names) == len(layout.elements) == len(layout.residue_N)
    sizes = [12, 7, 12, 17]  # alanine with two more at its N, serine with OXT, proline with both and OXT
    assert layout.residue_N.tolist() == np.repeat(range(4), sizes).tolist()
    assert layout.number_N.tolist() == np.repeat([1, 2, 3, 1], sizes).tolist()
    assert layout.chain_N.tolist() == np.repeat([0, 0, 0, 1], sizes).tolist()


def test_atoms_are_those_of_the_dictionary_in_its_order():
    layout = built()[0]
    for row, name, place, _ in residues():
        expected = component(l_form(name)).atom_name.tolist()
        expected.remove("HXT")
        if "H2" in expected:
            expected.remove("H2")
        if l_form(name) in ACIDS:
            expected.remove(ACIDS[l_form(name)])
        if place in ("inner", "first"):
            expected.remove("OXT")
        own = [layout.atom_names[atom] for atom in np.flatnonzero(layout.residue_N == row)]
        hydrogens = ["H1", "H2", "H3"] if place in ("first", "only") else ["H"]
        if l_form(name) == "PRO":
            hydrogens = [hydrogen for hydrogen in hydrogens if hydrogen in ("H2", "H3")]
        where = expected.index("H")
        assert own == [*expected[:where], *hydrogens, *expected[where + 1 :]]


def test_elements_are_those_of_the_dictionary():
    layout = built()[0]
    for atom, (name, element) in enumerate(zip(layout.atom_names, layout.elements, strict=True)):
        atoms = component(l_form(NAMES[layout.residue_N[atom]]))
        known = atoms.element[atoms.atom_name == name]
        assert element == (known[0] if len(known) else "H")
    assert "SE" in layout.elements


def test_the_backbone_is_the_walk_itself():
    _, _, coords_BL53, _ = built()
    for row, name, _, atoms in residues():
        for number, atom in enumerate(("N", "CA", "C", "O", "CB")):
            if (name, atom) == ("GLY", "CB"):
                assert atom not in atoms
            else:
                assert np.array_equal(atoms[atom], coords_BL53[:, row, number])


def test_bond_lengths_are_those_of_the_dictionary():
    checked = 0
    for _, name, _, atoms in residues():
        ideal = component(l_form(name))
        for one, other in bonded_names(l_form(name)):
            ours = {one, other} & OURS.get(l_form(name), set())
            grown = {one, other} - {*BACKBONE, "CB", "H", "H2"}
            if grown and not ours and {one, other} <= set(atoms):
                expected = struc.distance(ideal[ideal.atom_name == one], ideal[ideal.atom_name == other])
                apart = struc.distance(atoms[one], atoms[other])
                assert apart == pytest.approx(np.repeat(expected, NUM), abs=0.02), (name, one, other)
                checked += 1
    assert checked > 700


def test_bond_angles_are_those_of_the_dictionary():
    checked = 0
    for _, name, _, atoms in residues():
        ideal = component(l_form(name))
        bonds = bonded_names(l_form(name))
        for middle in set(atoms) - set(BACKBONE) - OURS.get(l_form(name), set()):
            ends = sorted({x for bond in bonds if middle in bond for x in bond} - {middle})
            for one, other in itertools.combinations(ends, 2):
                if {one, other} & OURS.get(l_form(name), set()) or not {one, other} <= set(atoms):
                    continue
                expected = degrees(*(ideal[ideal.atom_name == x] for x in (one, middle, other)))
                found = degrees(atoms[one], atoms[middle], atoms[other])
                assert found == pytest.approx(np.repeat(expected, NUM), abs=2), (name, one, middle, other)
                checked += 1
    assert checked > 1000


@pytest.mark.parametrize(("name", "carbon", "before"), [("ASP", "CG", "CB"), ("GLU", "CD", "CG")])
def test_carboxylates_are_symmetric(name, carbon, before):
    for _, found, _, atoms in residues():
        if l_form(found) == name:
            for oxygen in OURS[name]:
                assert struc.distance(atoms[carbon], atoms[oxygen]) == pytest.approx(1.249, abs=1e-3)
                assert degrees(atoms[before], atoms[carbon], atoms[oxygen]) == pytest.approx(118.4, abs=0.1)


def test_prolines_ring_is_closed_in_both_puckers():
    puckers = []
    for row, name, _, atoms in residues():
        if l_form(name) != "PRO":
            continue
        ring = [atoms[atom] for atom in ("N", "CA", "CB", "CG", "CD")]
        lengths = [struc.distance(ring[k], ring[(k + 1) % 5]) for k in (2, 3, 4)]
        for found, expected in zip(lengths, (1.492, 1.503, 1.473), strict=True):  # Engh & Huber (1991)
            assert found == pytest.approx(expected, abs=1e-3)
        angles = [degrees(ring[k - 1], ring[k], ring[(k + 1) % 5]) for k in (0, 2, 3, 4)]
        for found, expected in zip(angles, (112.0, 104.5, 106.1, 103.2), strict=True):
            assert found == pytest.approx(expected, abs=5.5)
        puckers.append(built()[1][:, row, 0])
    assert 0.2 < (np.concatenate(puckers) > 0).mean() < 0.8


@pytest.mark.parametrize(
    ("names", "centre", "around"),
    [
        (set(L_NAMES) - {"GLY"}, "CA", ("N", "C", "CB")),
        (set(L_NAMES) - {"GLY"}, "CA", ("N", "C", "HA")),
        ({"GLY"}, "CA", ("N", "C", "HA2")),
        ({"ILE"}, "CB", ("CA", "CG1", "CG2")),
        ({"ILE"}, "CB", ("CA", "CG1", "HB")),
        ({"THR"}, "CB", ("CA", "OG1", "CG2")),
        ({"VAL"}, "CB", ("CA", "CG1", "CG2")),
        ({"LEU"}, "CG", ("CB", "CD1", "CD2")),
        ({"LYS", "ARG", "MET", "PHE", "PRO", "SER", "SEC"}, "CB", ("CA", "HB2", "HB3")),
        ({"PRO"}, "CD", ("N", "HD2", "HD3")),
    ],
)
def test_chirality_is_that_of_the_dictionary(names, centre, around):
    for _, name, _, atoms in residues():
        if name in names:
            ideal = ideal_atoms(name)
            assert (volume(atoms, centre, *around) * volume(ideal, centre, *around) > 1.0).all()


def off_plane(points):
    centred = points - points.mean(axis=1, keepdims=True)
    return np.linalg.svd(centred)[1][:, 2]


FLAT = {
    "PHE": "CB CG CD1 CD2 CE1 CE2 CZ HD1 HD2 HE1 HE2 HZ",
    "TYR": "CB CG CD1 CD2 CE1 CE2 CZ OH HH HD1 HD2 HE1 HE2",
    "TRP": "CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2 HD1 HE1 HE3 HZ2 HZ3 HH2",
    "HIS": "CB CG ND1 CD2 CE1 NE2 HD2 HE1 HE2",
    "ASN": "CB CG OD1 ND2 HD21 HD22",
    "GLN": "CG CD OE1 NE2 HE21 HE22",
    "ARG": "CD NE CZ NH1 NH2 HE HH11 HH12 HH21 HH22",
    "ASP": "CB CG OD1 OD2",
    "GLU": "CG CD OE1 OE2",
}


def test_rings_and_amides_are_flat():
    seen = set()
    for _, name, _, atoms in residues():
        if l_form(name) in FLAT:
            points = np.stack([atoms[atom] for atom in FLAT[l_form(name)].split()], axis=1)
            assert off_plane(points).max() < 0.01, name
            seen.add(l_form(name))
    assert seen == set(FLAT)


def test_nh1_of_arginine_is_cis_to_cd():
    for _, name, _, atoms in residues():
        if l_form(name) == "ARG":
            assert np.abs(degrees(*(atoms[atom] for atom in ("CD", "NE", "CZ", "NH1")))).max() < 0.1


def test_amide_hydrogens_lie_in_the_peptide_plane():
    before, checked = None, 0
    for _, name, place, atoms in residues():
        if place in ("inner", "last") and l_form(name) != "PRO":
            carbon, n, ca, h = before["C"], atoms["N"], atoms["CA"], atoms["H"]
            assert off_plane(np.stack([carbon, n, ca, h], axis=1)).max() < 1e-4
            assert degrees(carbon, n, h) == pytest.approx(119.2, abs=0.1)
            assert degrees(ca, n, h) == pytest.approx(119.2, abs=0.1)
            assert struc.distance(n, h) == pytest.approx(1.01, abs=1e-3)
            assert np.abs(degrees(before["O"], carbon, n, h)) == pytest.approx(180, abs=0.1)
            checked += 1
        before = atoms
    assert checked == 39


def test_termini():
    for _, name, place, atoms in residues():
        if place in ("last", "only"):
            o, oxt, carbon, ca = (atoms[atom] for atom in ("O", "OXT", "C", "CA"))
            assert off_plane(np.stack([o, oxt, carbon, ca], axis=1)).max() < 1e-4
            assert struc.distance(carbon, oxt) == pytest.approx(1.25, abs=1e-3)
            assert degrees(o, carbon, oxt) == pytest.approx(360 - 117.0 - 120.1, abs=0.1)
        if place in ("first", "only"):
            hydrogens = [atoms[atom] for atom in ("H1", "H2", "H3") if atom in atoms]
            assert len(hydrogens) == (2 if l_form(name) == "PRO" else 3)
            around = [*hydrogens, atoms["CA"]] + ([atoms["CD"]] if l_form(name) == "PRO" else [])
            for one, other in itertools.combinations(around, 2):
                assert degrees(one, atoms["N"], other) == pytest.approx(109.5, abs=4.5)


def test_alpha_hydrogens_are_opposite_to_the_other_three():
    for _, name, _, atoms in residues():
        if name == "GLY":
            continue
        for atom in ("N", "C", "CB"):
            assert degrees(atoms[atom], atoms["CA"], atoms["HA"]) == pytest.approx(108.5, abs=1.5), name
        assert struc.distance(atoms["HA"], atoms["CB"]).min() > 2.0


def test_no_two_atoms_of_a_residue_are_on_top_of_each_other():
    for _, name, _, atoms in residues():
        for member in np.stack(list(atoms.values()), axis=1):
            apart = struc.distance(member[:, None], member[None])[np.triu_indices(len(member), k=1)]
            assert apart.min() > 0.9, name


CHI = {
    "ARG": "CG CD NE CZ",
    "LYS": "CG CD CE NZ",
    "MET": "CG SD CE",
    "GLN": "CG CD OE1",
    "GLU": "CG CD OE1",
    "ILE": "CG1 CD1",
    "HIS": "CG ND1",
    "TRP": "CG CD1",
    "THR": "OG1",
    "SEC": "SE",
}


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 0.01), (np.float32, 0.1)])
def test_dihedrals_are_those_asked_for(dtype, tolerance):
    layout, _, coords_BL53, _ = built(dtype)
    chi = np.random.default_rng(3).uniform(-np.pi, np.pi, (NUM, len(NAMES), 4))
    coords = place_side_chains(coords_BL53, layout, chi)
    assert coords.dtype == dtype
    for row, name in enumerate(NAMES):
        atoms = {layout.atom_names[k]: coords[:, k] for k in np.flatnonzero(layout.residue_N == row)}
        path = ["N", "CA", "CB", *CHI.get(l_form(name), "").split()]
        for k in range(len(path) - 3):
            found = degrees(*(atoms[atom] for atom in path[k : k + 4]))
            assert np.abs(wrapped(found - np.degrees(chi[:, row, k]))).max() < tolerance, (name, k)


def test_biotite_measures_the_dihedrals_asked_for():
    chain = tuple(name for name in L_NAMES if name not in ("SEC", "PRO"))
    layout = full_atom_layout((chain,))
    chi = np.random.default_rng(3).uniform(-np.pi, np.pi, (1, len(chain), 4))
    coords = place_side_chains(backbone(chain, torsions(1, len(chain))), layout, chi)
    atoms = struc.AtomArray(len(layout.atom_names))
    atoms.coord, atoms.atom_name, atoms.element = coords[0], layout.atom_names, layout.elements
    atoms.res_id, atoms.res_name = layout.number_N, np.array(chain)[layout.residue_N]
    found = struc.dihedral_side_chain(atoms)
    assert np.isfinite(found).sum() == 37
    assert np.abs(wrapped(np.degrees(found - chi[0])))[np.isfinite(found)].max() < 0.01


def test_members_and_residues_do_not_depend_on_each_other():
    layout, chi, coords_BL53, coords = built()
    for member in range(NUM):
        alone = place_side_chains(coords_BL53[member : member + 1], layout, chi[member : member + 1])
        assert np.array_equal(alone[0], coords[member])
    out = np.empty_like(coords)
    assert place_side_chains(coords_BL53, layout, chi, out) is out
    assert np.array_equal(out, coords)
