import numpy as np
import pytest
from biotite.structure import angle, dihedral, distance

from foldpix.geometry import build_backbone, virtual_cb
from foldpix.structure import place_oxygen


def random_chain(seed, length=40, omega=np.pi):
    torsions = np.random.default_rng(seed).uniform(-np.pi, np.pi, (length, 3))
    torsions[..., 2] = omega
    return build_backbone(torsions)


@pytest.mark.parametrize("omega", [np.pi, 0.0])  # trans and cis: O is trans to N in both
@pytest.mark.parametrize("seed", range(3))
def test_in_the_plane_of_the_peptide_bond(seed, omega):
    coords = random_chain(seed, omega=omega)
    n, ca, c = coords[:, 0], coords[:, 1], coords[:, 2]
    o = place_oxygen(coords)
    np.testing.assert_allclose(distance(c, o), 1.231, atol=1e-5)
    np.testing.assert_allclose(np.degrees(angle(ca, c, o)), 120.1, atol=1e-3)
    # 360 - 117.0 (CA-C-N of the ideal chain) - 120.1; Engh & Huber state 122.7 to 123.0
    np.testing.assert_allclose(np.degrees(angle(o[:-1], c[:-1], n[1:])), 122.9, atol=1e-3)
    psi = dihedral(n[:-1], ca[:-1], c[:-1], n[1:])
    turned = dihedral(n[:-1], ca[:-1], c[:-1], o[:-1]) - psi
    np.testing.assert_allclose(np.cos(turned), -1, atol=1e-6)


def test_extended_where_no_bond_follows():
    coords = random_chain(0)
    coords[20:] += [3.0, 0, 0]
    o = place_oxygen(coords)
    torsion = dihedral(coords[:, 0], coords[:, 1], coords[:, 2], o)
    np.testing.assert_allclose(np.degrees(torsion[[19, 39]]), 135 - 180, atol=1e-3)


def test_one_residue():
    assert place_oxygen(random_chain(0)[:1]).shape == (1, 3)


def test_moves_with_the_chain():
    coords = random_chain(1)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    np.testing.assert_allclose(
        place_oxygen(coords @ rotation + 5), place_oxygen(coords) @ rotation + 5, atol=1e-6
    )


def test_cb_is_that_of_an_l_residue():
    coords = random_chain(2)
    n, ca, c, cb = coords[:, 0], coords[:, 1], coords[:, 2], virtual_cb(coords)
    np.testing.assert_allclose(distance(ca, cb), 1.53, atol=0.02)
    np.testing.assert_allclose(np.degrees(angle(n, ca, cb)), 110.4, atol=1.5)
    np.testing.assert_allclose(np.degrees(angle(c, ca, cb)), 110.1, atol=1.5)
    improper = np.degrees(dihedral(n, c, cb, ca))
    assert np.all(improper > 0) or np.all(improper < 0)
    # L: looking from H to CA, CO-R-N run clockwise, so (N - CA) x (C - CA) points to CB
    assert np.all(np.sum(np.cross(n - ca, c - ca) * (cb - ca), axis=-1) > 0)
