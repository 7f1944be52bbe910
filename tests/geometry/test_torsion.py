"""Torsions, beside biotite's and beside those a chain was built from."""

import biotite.structure as struc
import numpy as np
import pytest
import torch

from foldpix.geometry import backbone_torsions, build_backbone
from foldpix.structure import read_structure
from tests.conftest import run_jax


def atoms(coords: np.ndarray) -> struc.AtomArray:
    made = struc.AtomArray(3 * len(coords))
    made.coord = coords.reshape(-1, 3)
    made.res_id = np.repeat(np.arange(len(coords)), 3)
    made.res_name[:] = "ALA"
    made.atom_name = np.tile(["N", "CA", "C"], len(coords))
    made.element = np.tile(["N", "C", "C"], len(coords))
    made.chain_id[:] = "A"
    return made


def assert_same_angles(found, expected, tolerance):
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    difference = np.exp(1j * found) - np.exp(1j * expected)
    assert np.nanmax(np.abs(difference)) < tolerance


def test_a_built_chain_gives_its_torsions_back(rng):
    asked = rng.uniform(-np.pi, np.pi, (2, 5, 30, 3))
    found = backbone_torsions(build_backbone(asked))
    asked[..., 0, 0] = asked[..., -1, 1:] = np.nan
    assert_same_angles(found, asked, 1e-9)


def test_biotite_measures_the_same(rng):
    coords = rng.normal(0, 3, (40, 3, 3))
    found = backbone_torsions(coords)
    assert_same_angles(found, np.stack(struc.dihedral_backbone(atoms(coords)), axis=-1), 1e-4)


def test_biotite_measures_the_same_on_a_real_chain(real_structures):
    coords = read_structure(next((real_structures / "chains").glob("1a*.pdb.gz")))[0].coords
    found = backbone_torsions(coords)
    assert_same_angles(found, np.stack(struc.dihedral_backbone(atoms(coords)), axis=-1), 1e-4)


@pytest.mark.parametrize("length", [1, 2])
def test_short_chains(rng, length):
    torsions = backbone_torsions(rng.normal(0, 3, (length, 3, 3)))
    expected = [[True, True, True]] if length == 1 else [[True, False, False], [False, True, True]]
    assert np.isnan(torsions).tolist() == expected


def test_padding_has_none(rng):
    coords = rng.normal(0, 3, (2, 6, 3, 3))
    padded = coords.copy()
    padded[1, 4:] = np.nan
    found = backbone_torsions(padded)
    assert np.array_equal(found[0], backbone_torsions(coords[0]), equal_nan=True)
    assert np.array_equal(found[1, :4], backbone_torsions(coords[1, :4]), equal_nan=True)
    assert np.isnan(found[1, 4:]).all()


def test_torch_and_jax_give_the_same(rng):
    coords = rng.normal(0, 3, (9, 3, 3))
    expected = backbone_torsions(coords)
    assert_same_angles(backbone_torsions(torch.from_numpy(coords)).numpy(), expected, 1e-9)
    from_jax = run_jax("foldpix.geometry.backbone_torsions(x)", coords.astype(np.float32))
    assert_same_angles(from_jax, expected, 1e-3)
