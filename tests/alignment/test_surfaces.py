"""Surfaces: closed forms on spheres, RDKit's accessible areas, and the peer's surfaces."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFreeSASA

from foldpix.alignment.molecule import Molecule
from foldpix.alignment.surfaces import (
    COULOMB,
    exposed_points,
    surface_alpha,
    surface_points,
    surface_potential,
)
from tests.alignment.conftest import embed, molecule
from tests.conftest import random_rotation

DRUG = "CC(C)Cc1ccc(cc1)C(C)C(=O)O"


def test_points_of_one_atom_lie_evenly_on_its_sphere():
    points = surface_points(np.array([[5.0, -3.0, 1.0]]), np.array([1.7]), 200)
    assert np.linalg.norm(points - [5.0, -3.0, 1.0], axis=1) == pytest.approx(np.full(200, 2.9), abs=1e-5)
    nearest = np.sort(np.linalg.norm(points[:, None] - points, axis=-1), axis=1)[:, 1]
    hexagonal = np.sqrt(2.0 / np.sqrt(3.0) * 4.0 * np.pi * 2.9**2 / 200)  # the densest packing's spacing
    assert nearest.min() > 0.6 * hexagonal


@pytest.mark.parametrize("num_points", [1, 50, 400])
def test_points_lie_on_a_sphere_and_in_none(num_points):
    drug = molecule(DRUG, num_surf_points=num_points)
    gap = np.linalg.norm(drug.surf_pos[:, None] - drug.get_positions(no_H=False), axis=-1) - drug.radii - 1.2
    assert drug.surf_pos.shape == (num_points, 3)
    assert np.abs(gap.min(axis=1)).max() < 1e-5


@pytest.mark.parametrize("smiles", [DRUG, "C", "CCCCCCCC", "c1ccc2ccccc2c1"])
def test_the_exposed_area_is_that_of_another_program(smiles):
    mol = embed(smiles)
    radii = Molecule(mol).radii
    options = rdFreeSASA.SASAOpts(rdFreeSASA.LeeRichards, rdFreeSASA.Protor, 1.2)
    area = rdFreeSASA.CalcSASA(mol, radii=radii.tolist(), opts=options)
    points = exposed_points(mol.GetConformer().GetPositions(), radii + 1.2, density=20.0)
    assert len(points) / 20.0 == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_a_surface_turns_with_the_molecule(seed):
    rng = np.random.default_rng(seed)
    mol = embed(DRUG, seed + 1)
    coords, radii = mol.GetConformer().GetPositions(), Molecule(mol).radii
    rotation, shift = random_rotation(rng), rng.normal(0, 40, 3)
    here = surface_points(coords, radii, 120)
    there = surface_points(coords @ rotation.T + shift, radii, 120)
    assert there == pytest.approx(here @ rotation.T + shift, abs=1e-5)


def test_the_number_of_points_follows_a_density():
    drug = molecule(DRUG, density=0.5)
    options = rdFreeSASA.SASAOpts(rdFreeSASA.LeeRichards, rdFreeSASA.Protor, 1.2)
    area = rdFreeSASA.CalcSASA(drug.mol, radii=drug.radii.tolist(), opts=options)
    assert len(drug.surf_pos) == pytest.approx(0.5 * area, rel=0.05)


def test_the_potential_of_a_charge_is_coulombs():
    # e / (4 pi epsilon_0 angstrom), from the CODATA constants
    volts = 1.602176634e-19 / (4.0 * np.pi * 8.8541878128e-12 * 1e-10)
    potential = surface_potential(np.array([[0.0, 0.0, 2.0]]), np.zeros((1, 3)), np.array([-3.0]))
    assert potential == pytest.approx([-1.5 * volts], rel=1e-5)
    assert pytest.approx(14.39977, abs=1e-5) == COULOMB


def test_alpha_goes_through_its_table_and_ends_with_it():
    table = {50: 0.6011, 100: 0.8668, 150: 1.022, 200: 1.118, 300: 1.216, 400: 1.258}
    assert [surface_alpha(number) for number in table] == pytest.approx(list(table.values()))
    between = [surface_alpha(number) for number in range(50, 401)]
    assert (np.diff(between) > 0).all()
    for number in (49, 401):
        with pytest.raises(ValueError, match=f"{number} surface points"):
            surface_alpha(number)


def test_a_surface_needs_a_number_and_finite_atoms():
    with pytest.raises(ValueError, match="num_points or density"):
        surface_points(np.zeros((1, 3)), np.ones(1))
    with pytest.raises(ValueError, match="0 points"):
        surface_points(np.zeros((1, 3)), np.ones(1), 0)
    with pytest.raises(ValueError, match="not finite"):
        surface_points(np.full((1, 3), np.nan), np.ones(1), 50)


def test_surfaces_spread_and_feel_like_the_peers(peer_data):
    peer = np.load(peer_data / "surfaces200.npz")
    mols = list(Chem.SDMolSupplier(str(peer_data / "mols.sdf"), removeHs=False))
    for number in sorted({int(key.split("_")[0]) for key in peer}):
        found = Molecule(mols[number], num_surf_points=200)
        found = found.center_to(found.atom_pos.mean(axis=0))
        theirs, esp = peer[f"{number}_pos"], peer[f"{number}_esp"]
        assert found.partial_charges == pytest.approx(peer[f"{number}_q"], abs=1e-6)
        assert surface_potential(
            theirs, found.get_positions(no_H=False), found.partial_charges
        ) == pytest.approx(esp, abs=1e-5)
        distance = np.linalg.norm(found.surf_pos[:, None] - theirs, axis=-1)
        spacing = np.sort(np.linalg.norm(theirs[:, None] - theirs, axis=-1), axis=1)[:, 1].mean()
        assert max(distance.min(axis=0).max(), distance.min(axis=1).max()) < 1.5 * spacing
        assert found.surf_esp.mean() == pytest.approx(esp.mean(), abs=0.05)
        assert found.surf_esp.std() == pytest.approx(esp.std(), rel=0.1)
