"""The templates of D-residues, against the chemical component dictionary and against their mirror images."""

import numpy as np
import pytest
from biotite.structure.info import get_from_ccd
from biotite.structure.info import residue as component

from foldpix.generation.rotamers import draw_chi
from foldpix.generation.sequence import COMPONENT_OF_D, component_code, is_d, l_form
from foldpix.generation.sidechains import full_atom_layout, place_side_chains
from tests.generation.full_atoms import backbone, ideal_atoms, mirror_of, residues, torsions, volume

# What the dictionary's free, neutral amino acids have and peptides of pH 7 have not.
ACIDS = {"ASP": "HD2", "GLU": "HE2", "HIS": "HD1"}


def test_d_residues_have_the_names_of_their_own_component():
    for _, name, place, atoms in residues():
        if is_d(name) and place == "inner":
            known = get_from_ccd("chem_comp_atom", component_code(name), "atom_id").as_array(str)
            differing = set(known.tolist()) ^ set(atoms)
            assert differing <= {"OXT", "H2", "HXT", "H", "HZ3", ACIDS.get(l_form(name))}  # DLY is neutral


def tetrahedral(name):
    """Atoms with four neighbours but for methyls and ammonium, which turn, and three of the neighbours."""
    atoms = component(l_form(name))
    for number, centre in enumerate(atoms.atom_name):
        around = sorted(
            atoms.atom_name[atoms.bonds.get_bonds(number)[0]].tolist(), key=lambda one: one[0] == "H"
        )
        if len(around) == 4 and sum(one[0] == "H" for one in around) < 3:
            yield str(centre), [one for one in around if one not in ("H", "H2")][:3]


@pytest.mark.parametrize("name", COMPONENT_OF_D)
def test_each_centre_of_d_residues_has_the_hand_of_their_own_component(name):
    ideal, checked = ideal_atoms(name), 0
    for _, found, _, atoms in residues():
        if found == name:
            for centre, around in tetrahedral(name):
                assert (volume(atoms, centre, *around) * volume(ideal, centre, *around) > 1.0).all(), centre
                checked += 1
    assert checked >= 2


def test_d_peptides_are_mirror_images_hydrogens_included():
    names = tuple(l_form(name) for name in COMPONENT_OF_D) * 2
    mirrored = tuple(f"D-{name}" for name in names)
    angles, members = torsions(4, len(names)), np.arange(4)
    one = place_side_chains(backbone(names, angles), full_atom_layout((names,)), draw_chi(names, 2, members))
    other = place_side_chains(
        backbone(mirrored, -angles), full_atom_layout((mirrored,)), draw_chi(mirrored, 2, members)
    )
    image = one[:, list(mirror_of(names))] * [1, 1, -1]  # the walk begins in the xy plane
    np.testing.assert_allclose(other, image, atol=1e-9)
