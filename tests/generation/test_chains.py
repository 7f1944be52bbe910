"""Made-up chains, measured by biotite."""

import itertools

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import sample_backbones
from foldpix.generation.chains import CHUNK, MIN_CA_DISTANCE
from foldpix.generation.segments import RESIDUES

NUM = 60


@pytest.fixture(scope="module")
def chains():
    return list(sample_backbones(NUM, 40, 64, seed=7))


def atom_array(backbone):
    length = len(backbone)
    atoms = struc.AtomArray(3 * length)
    atoms.coord = backbone.coords.reshape(-1, 3)
    atoms.atom_name = np.tile(["N", "CA", "C"], length)
    atoms.res_id = np.repeat(np.arange(1, length + 1), 3)
    atoms.res_name[:] = "ALA"
    atoms.chain_id[:] = "A"
    return atoms


def test_bond_lengths_and_angles_are_those_of_peptides(chains):
    for backbone in chains:
        atoms = backbone.coords.reshape(-1, 3).astype(np.float64)
        lengths = struc.distance(atoms[:-1], atoms[1:])
        for first, (expected, tolerance) in enumerate([(1.459, 0.01), (1.525, 0.01), (1.329, 0.01)]):
            assert lengths[first::3] == pytest.approx(expected, abs=tolerance)  # N-CA, CA-C, C-N
        angles = np.degrees(struc.angle(atoms[:-2], atoms[1:-1], atoms[2:]))
        for first, expected in enumerate([111.0, 116.9, 121.7]):
            assert angles[first::3] == pytest.approx(expected, abs=1.5)  # N-CA-C, CA-C-N, C-N-CA


def test_peptide_bonds_are_trans(chains):
    omega = np.concatenate([struc.dihedral_backbone(atom_array(b))[2][:-1] for b in chains])
    assert (np.cos(omega) < np.cos(np.radians(150))).all()
    ca_steps = np.concatenate([struc.distance(b.coords[:-1, 1], b.coords[1:, 1]) for b in chains])
    assert ca_steps.min() > 3.65 and ca_steps.max() < 3.9  # cis would be 2.9


def test_phi_and_psi_lie_in_populated_regions(chains):
    phi, psi, _ = (
        np.concatenate(parts)
        for parts in zip(*(struc.dihedral_backbone(atom_array(b)) for b in chains), strict=True)
    )
    inner = ~(np.isnan(phi) | np.isnan(psi))
    phi, psi = np.degrees(phi[inner]), np.degrees(psi[inner])
    helix = (apart(phi, -63) < 25) & (apart(psi, -43) < 25)
    strand = (apart(phi, -120) < 40) & (apart(psi, 135) < 40)
    assert 0.5 < helix.mean() < 0.8 and 0.1 < strand.mean() < 0.4
    assert (phi > 0).mean() < 0.06  # the left-handed side, glycine's


def apart(one, other):
    return np.abs((one - other + 180) % 360 - 180)


def test_helices_are_seen_by_biotite_and_right_handed(chains):
    found = np.concatenate([struc.annotate_sse(atom_array(b)) for b in chains])
    assert (found == "a").mean() > 0.25
    twists = []
    for backbone in chains:
        is_helix = struc.annotate_sse(atom_array(backbone)) == "a"
        ca = backbone.coords[:, 1].astype(np.float64)
        inside = is_helix[:-3] & is_helix[1:-2] & is_helix[2:-1] & is_helix[3:]
        twists.append(struc.dihedral(ca[:-3], ca[1:-2], ca[2:-1], ca[3:])[inside])
    twist = np.degrees(np.concatenate(twists))
    assert np.median(twist) == pytest.approx(50, abs=5)  # a left-handed helix has -50
    assert (twist > 0).mean() > 0.99


def test_labels_and_letters(chains):
    for backbone in chains:
        assert len(backbone.sequence) == len(backbone)
        assert set(backbone.sequence) <= set("".join(RESIDUES.values()))
        assert backbone.coords.dtype == np.float32 and backbone.coords.shape == (len(backbone), 3, 3)
        assert np.isfinite(backbone.coords).all()
    assert [b.name for b in chains] == [f"chain_{k:06d}" for k in range(NUM)]
    assert {b.chain for b in chains} == {"A"}
    assert len({b.sequence for b in chains}) == NUM


def num_clashes(backbone):
    ca = backbone.coords[:, 1].astype(np.float64)
    pairs = struc.distance(ca[:, None], ca[None])
    return int((pairs[np.triu_indices(len(ca), k=3)] < MIN_CA_DISTANCE).sum())


def test_most_chains_have_no_clash(chains):
    assert np.mean([num_clashes(backbone) == 0 for backbone in chains]) > 0.95


def test_chains_are_more_compact_than_chance(chains, monkeypatch):
    def radius(backbone):
        atoms = atom_array(backbone)
        return struc.gyration_radius(atoms, np.ones(len(atoms))) / len(backbone) ** 0.38

    monkeypatch.setattr("foldpix.generation.chains.NUM_CANDIDATES", 1)
    first_drawn = [radius(b) for b in sample_backbones(NUM, 40, 64, seed=7)]
    chosen = [radius(b) for b in chains]
    assert np.mean(chosen) < 0.8 * np.mean(first_drawn)
    assert 2.0 < np.mean(chosen) < 3.5  # native chains: about 2.2 A times L^0.38


def same(one, other):
    return (one.name, one.sequence) == (other.name, other.sequence) and np.array_equal(
        one.coords, other.coords
    )


def test_a_chain_depends_on_seed_and_number_alone():
    start = CHUNK - 2
    whole = list(sample_backbones(CHUNK + 3, 20, 30, seed=3))
    part = list(sample_backbones(4, 20, 30, seed=3, start=start))  # across the border of a chunk
    assert all(same(one, other) for one, other in zip(whole[start:], part, strict=False))
    alone = next(sample_backbones(1, 20, 30, seed=3, start=start + 1))
    assert same(alone, whole[start + 1])
    assert not same(alone, next(sample_backbones(1, 20, 30, seed=4, start=start + 1)))


def test_lengths_fill_the_range():
    lengths = [len(backbone) for backbone in sample_backbones(300, 20, 24, seed=0)]
    assert set(lengths) == {20, 21, 22, 23, 24}
    assert {len(backbone) for backbone in sample_backbones(3, 5, 5)} == {5}
    assert [len(backbone) for backbone in sample_backbones(2, 1, 1)] == [1, 1]


def test_the_global_generator_is_left_alone():
    np.random.seed(11)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = list(sample_backbones(2, 20, 30))
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.random.seed(12)  # noqa: NPY002
    assert all(itertools.starmap(same, zip(first, sample_backbones(2, 20, 30), strict=True)))


def test_none_is_no_error():
    assert list(sample_backbones(0)) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, 5), "1 <= min_length <= max_length, not 0 and 5"),
        ((1, 6, 5), "1 <= min_length <= max_length, not 6 and 5"),
        ((-1, 5, 6), "num must not be negative, not -1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        list(sample_backbones(*arguments))
