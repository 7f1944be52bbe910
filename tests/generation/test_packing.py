"""Side chains that keep clear of each other, against all pairs by biotite."""

from functools import cache

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import packing
from foldpix.generation.packing import RADIUS_CARBON, RADIUS_OTHER, pack_side_chains
from foldpix.generation.rotamers import draw_chi, rotamers
from foldpix.generation.sequence import is_d, parse_sequence
from foldpix.generation.sidechains import full_atom_layout, place_side_chains
from foldpix.generation.walk import walk
from tests.generation.full_atoms import mirror_of

HELIX, STRAND = (-63.0, -43.0), (-120.0, 135.0)
SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAWIDTVENC"
NUM = 12


def peptide(text, phi_psi, num=NUM, dtype=np.float32, drift=4.0):
    """Chains, names, layout and backbone of one chain in one conformation."""
    chains = parse_sequence(text)
    (names,) = chains
    angles = np.random.default_rng(0).normal([*phi_psi, 180.0], [drift, drift, 2.0], (num, len(names), 3))
    hand = np.array([is_d(name) for name in names])
    angles[:, hand, :2] *= -1
    backbone = np.empty((num, len(names), 5, 3), dtype=dtype)
    walk(np.radians(angles).astype(dtype), hand, backbone)
    return names, full_atom_layout(chains), backbone


@cache
def packed(phi_psi):
    names, layout, backbone = peptide(SEQUENCE, phi_psi)
    members = np.arange(NUM)
    return (
        layout,
        place_side_chains(backbone, layout, draw_chi(names, 1, members)),
        pack_side_chains(backbone, layout, names, 1, members),
    )


def heavy_distances(layout, coords):
    """Distances of the heavy atoms of different residues but bonded ones, and their two numbers."""
    heavy = np.flatnonzero(np.array(layout.elements) != "H")
    first, second = (heavy[side] for side in np.triu_indices(len(heavy), k=1))
    names, apart = np.array(layout.atom_names), layout.residue_N[second] - layout.residue_N[first]
    backbone = np.isin(names, ["N", "CA", "C", "O", "CB"])
    kept = (apart > 0) & ~(backbone[first] & backbone[second])
    first, second = first[kept], second[kept]
    return struc.distance(coords[:, first], coords[:, second]), first, second


@pytest.mark.parametrize(("phi_psi", "before"), [(HELIX, 5), (STRAND, 1)])
def test_no_side_chain_of_a_helix_or_strand_comes_too_near(phi_psi, before):
    layout, drawn, (coords, _) = packed(phi_psi)
    assert (heavy_distances(layout, drawn)[0] < 2.2).sum() > before * NUM
    assert (heavy_distances(layout, coords)[0] < 2.2).sum() == 0


def facing_helices(text, apart):
    """Names, layout and backbone of a helix and its copy, antiparallel at a distance between their axes."""
    names, _, one = peptide(text, HELIX, drift=2.0)
    flat = one.reshape(NUM, -1, 3)
    centred = flat - flat.mean(axis=1, keepdims=True)
    along_x = (centred @ np.linalg.svd(centred)[2].transpose(0, 2, 1)).reshape(one.shape)
    both = np.concatenate([along_x, along_x * [-1, -1, 1] + [0, apart, 0]], axis=1).astype(one.dtype)
    return names * 2, full_atom_layout((names, names)), both


def test_side_chains_between_helices_bend(monkeypatch):
    names, layout, backbone = facing_helices("LKFWEYLQRFIEHMKLWE", 9.0)
    bent = pack_side_chains(backbone, layout, names, 1, np.arange(NUM))[0]
    monkeypatch.setattr(packing, "BENT_SWEEPS", 0)
    straight = pack_side_chains(backbone, layout, names, 1, np.arange(NUM))[0]
    assert (heavy_distances(layout, straight)[0] < 2.2).sum() > 2 * NUM
    assert (heavy_distances(layout, bent)[0] < 2.2).sum() == 0


def test_clashing_side_chains_are_counted():
    layout, _, (coords, num_clashing) = packed(HELIX)
    is_carbon = ~np.isin(layout.elements, ["N", "O"])
    radius = np.where(is_carbon, RADIUS_CARBON, RADIUS_OTHER)
    distance, first, second = heavy_distances(layout, coords)
    is_side = ~np.isin(layout.atom_names, ["N", "CA", "C", "O", "CB", "OXT"])
    for member in range(NUM):
        near = distance[member] < radius[first] + radius[second] - 1e-5
        atoms = np.concatenate([first[near], second[near]])
        touching = set(layout.residue_N[atoms[is_side[atoms]]].tolist())
        # A side chain may overlap with its own backbone, too.
        assert len(touching) <= num_clashing[member] <= len(touching) + 2


def test_residues_are_whole_and_in_rotamers():
    layout, drawn, (coords, _) = packed(HELIX)
    atoms, before = layout.frame_G4[:, 3], layout.frame_G4[:, 2]
    np.testing.assert_allclose(
        struc.distance(coords[:, atoms], coords[:, before]),
        struc.distance(drawn[:, atoms], drawn[:, before]),
        atol=1e-4,
    )
    array = struc.AtomArray(len(layout.atom_names))
    array.atom_name, array.element = layout.atom_names, layout.elements
    array.res_id = layout.number_N
    names = np.array(parse_sequence(SEQUENCE)[0])
    array.res_name = names[layout.residue_N]
    for member in range(NUM):
        array.coord = coords[member]
        for name, chi in zip(names, struc.dihedral_side_chain(array), strict=True):
            table = rotamers(name)
            if table is not None:
                off = (chi - table.mean_K4 + np.pi) % (2 * np.pi) - np.pi
                assert np.nanmin(np.nanmax(np.abs(off) / table.spread_K4, axis=1)) < 5.0


def test_what_does_not_clash_stays_as_drawn():
    names, layout, backbone = peptide("GGAGGSGGG", STRAND)
    members = np.arange(NUM)
    coords, num_clashing = pack_side_chains(backbone, layout, names, 3, members)
    free = num_clashing == 0
    drawn = place_side_chains(backbone, layout, draw_chi(names, 3, members))
    assert free.all() and np.array_equal(coords, drawn)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_members_do_not_depend_on_each_other(dtype):
    names, layout, backbone = peptide(SEQUENCE[:20], HELIX, dtype=dtype)
    coords, num_clashing = pack_side_chains(backbone, layout, names, 2, np.arange(NUM))
    assert coords.dtype == dtype
    for part in (slice(0, 1), slice(5, 12)):
        alone = pack_side_chains(backbone[part], layout, names, 2, np.arange(NUM)[part])
        assert np.array_equal(alone[0], coords[part]) and np.array_equal(alone[1], num_clashing[part])


def test_d_peptides_are_packed_as_their_mirror_images():
    text = "-".join(parse_sequence("KAYIAKQRQFSFVKSH")[0])
    mirrored = "D-" + text.replace("-", "-D-")
    names, layout, backbone = peptide(text, HELIX, dtype=np.float64)
    d_names, d_layout, _ = peptide(mirrored, HELIX, dtype=np.float64)
    coords, num_clashing = pack_side_chains(backbone, layout, names, 2, np.arange(NUM))
    image, d_num = pack_side_chains(backbone * [1, 1, -1], d_layout, d_names, 2, np.arange(NUM))
    np.testing.assert_allclose(image, coords[:, list(mirror_of(names))] * [1, 1, -1], atol=1e-9)
    assert np.array_equal(num_clashing, d_num)


def test_a_batch_may_be_empty():
    names, layout, backbone = peptide("AKS", HELIX, num=0)
    coords, num_clashing = pack_side_chains(backbone, layout, names, 0, np.arange(0))
    assert coords.shape == (0, len(layout.atom_names), 3) and num_clashing.shape == (0,)
