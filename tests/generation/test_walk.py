"""The compiled walk: against the sequential textbook placement, biotite, and the virtual CB."""

import itertools
import math

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation.walk import LANES, RESIDUES, walk
from foldpix.geometry import place_atom, superpose, virtual_cb
from foldpix.geometry.nerf import C_N, C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA, N_CA_C


def walked(torsions, is_d=None, dtype=np.float64):
    num, length = torsions.shape[:2]
    out = np.full((num, length, 5, 3), np.nan, dtype=dtype)
    walk(torsions, np.zeros(length, dtype=bool) if is_d is None else is_d, out)
    return out


def placed_one_by_one(torsions):
    """N, CA, C of one chain, atom after atom."""
    n, ca = np.zeros(3), np.array([N_CA, 0, 0])
    c = ca + CA_C * np.array([-math.cos(N_CA_C), math.sin(N_CA_C), 0])
    atoms = [n, ca, c]
    for (_, psi, omega), (phi, _, _) in itertools.pairwise(torsions):
        atoms.append(place_atom(*atoms[-3:], C_N, CA_C_N, np.array(psi)))
        atoms.append(place_atom(*atoms[-3:], N_CA, C_N_CA, np.array(omega)))
        atoms.append(place_atom(*atoms[-3:], CA_C, N_CA_C, np.array(phi)))
    return np.array(atoms)


@pytest.mark.parametrize("length", [1, 2, RESIDUES, RESIDUES + 1, 30])
@pytest.mark.parametrize("num", [1, LANES - 1, LANES + 3])
def test_atoms_are_those_placed_one_by_one(length, num, rng):
    torsions = rng.uniform(-math.pi, math.pi, (num, length, 3))
    coords = walked(torsions)
    for member in {0, num // 2, num - 1}:
        assert coords[member, :, :3].reshape(-1, 3) == pytest.approx(
            placed_one_by_one(torsions[member]), abs=1e-10
        )


def test_float32_is_as_exact_as_its_digits(rng):
    torsions = rng.uniform(-math.pi, math.pi, (40, 512, 3))
    single, double = walked(torsions, dtype=np.float32), walked(torsions)
    bonds = np.linalg.norm(np.diff(single[:, :, :3].reshape(40, -1, 3).astype(float), axis=1), axis=-1)
    assert bonds[:, 0::3] == pytest.approx(N_CA, abs=1e-4)
    assert bonds[:, 1::3] == pytest.approx(CA_C, abs=1e-4)
    assert bonds[:, 2::3] == pytest.approx(C_N, abs=1e-4)
    moved = superpose(single[:, :, 1].astype(float), double[:, :, 1])
    assert np.abs(moved - double[:, :, 1]).max() < 0.01


def measured(coords):
    n, ca, c = (coords[:, :, atom] for atom in range(3))
    phi = struc.dihedral(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:])
    psi = struc.dihedral(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:])
    omega = struc.dihedral(ca[:, :-1], c[:, :-1], n[:, 1:], ca[:, 1:])
    return phi, psi, omega


def test_biotite_measures_the_torsions_that_were_asked_for(rng):
    torsions = rng.uniform(-math.pi, math.pi, (20, 64, 3))
    asked = torsions[:, 1:, 0], torsions[:, :-1, 1], torsions[:, :-1, 2]
    for dtype, tolerance in ((np.float64, 0.01), (np.float32, 0.1)):
        for found, wanted in zip(measured(walked(torsions, dtype=dtype)), asked, strict=True):
            apart = np.degrees(np.abs(np.angle(np.exp(1j * (found.astype(float) - wanted)))))
            assert apart.max() < tolerance


def test_oxygen_lies_in_the_peptide_plane_opposite_the_next_n(rng):
    torsions = rng.uniform(-math.pi, math.pi, (5, 20, 3))
    coords = walked(torsions)
    n, ca, c, o, _ = np.moveaxis(coords, 2, 0)
    turn = struc.dihedral(n, ca, c, o) - torsions[..., 1]
    assert np.abs(np.angle(np.exp(1j * turn))) == pytest.approx(math.pi, abs=1e-4)  # the last residue too
    assert np.linalg.norm(o - c, axis=-1) == pytest.approx(1.231, abs=1e-6)
    assert np.degrees(struc.angle(o[:, :-1], c[:, :-1], n[:, 1:])) == pytest.approx(122.9, abs=0.2)
    assert np.linalg.norm(o[:, :-1] - n[:, 1:], axis=-1) == pytest.approx(2.25, abs=0.02)


def test_cb_is_the_virtual_one_and_its_mirror_image_in_d_residues(rng):
    torsions = rng.uniform(-math.pi, math.pi, (5, 20, 3))
    is_d = rng.random(20) < 0.5
    n, ca, c, _, cb = np.moveaxis(walked(torsions, is_d), 2, 0)
    expected = virtual_cb(np.stack([n, ca, c], axis=2))
    assert cb[:, ~is_d] == pytest.approx(expected[:, ~is_d], abs=1e-9)
    hand = np.degrees(struc.dihedral(n, c, ca, cb))
    assert hand[:, ~is_d] == pytest.approx(122.7, abs=0.5)
    assert hand[:, is_d] == pytest.approx(-122.7, abs=0.5)


def test_any_layout_of_torsions_and_any_slice_of_the_batch(rng):
    torsions = rng.uniform(-math.pi, math.pi, (70, 9, 3))
    whole = walked(torsions)
    turned = np.ascontiguousarray(torsions.transpose(1, 2, 0)).transpose(2, 0, 1)
    assert np.array_equal(walked(turned), whole)
    assert np.array_equal(walked(torsions[41:45, :6]), whole[41:45, :6])
    assert walked(torsions[:0]).shape == (0, 9, 5, 3)
