"""Made-up chains, measured by biotite."""

import itertools

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import chain_lengths, sample_backbones, sample_chains
from foldpix.generation.chains import CHUNK

NUM = 100


@pytest.fixture(scope="module")
def made():
    return list(sample_chains(range(NUM), 40, 80, seed=7))


def atom_array(backbone):
    length = len(backbone)
    atoms = struc.AtomArray(3 * length)
    atoms.coord = backbone.coords.reshape(-1, 3)
    atoms.atom_name = np.tile(["N", "CA", "C"], length)
    atoms.res_id = np.repeat(np.arange(1, length + 1), 3)
    atoms.res_name[:] = "ALA"
    atoms.chain_id[:] = "A"
    return atoms


def test_bond_lengths_and_angles_are_those_of_peptides(made):
    for chain in made:
        atoms = chain.backbone.coords.reshape(-1, 3).astype(np.float64)
        lengths = struc.distance(atoms[:-1], atoms[1:])
        for first, expected in enumerate([1.459, 1.525, 1.331]):
            assert lengths[first::3] == pytest.approx(expected, abs=0.001)  # N-CA, CA-C, C-N
        angles = np.degrees(struc.angle(atoms[:-2], atoms[1:-1], atoms[2:]))
        for first, expected in enumerate([111.0, 117.0, 121.6]):
            assert angles[first::3] == pytest.approx(expected, abs=0.05)  # N-CA-C, CA-C-N, C-N-CA


def test_peptide_bonds_are_trans(made):
    omega = np.concatenate([struc.dihedral_backbone(atom_array(c.backbone))[2][:-1] for c in made])
    assert (np.cos(omega) < np.cos(np.radians(150))).all()


def test_labels_are_what_biotite_sees(made):
    """P-SEA, from CA alone, calls most of H helix and little of anything else."""
    found = np.concatenate([struc.annotate_sse(atom_array(c.backbone)) for c in made])
    labels = np.array(list("".join(c.labels for c in made)))
    assert (found[labels == "H"] == "a").mean() > 0.75
    assert (found[labels == "E"] == "b").mean() > 0.4
    assert (found[np.isin(labels, list("TC"))] == "a").mean() < 0.2
    assert set(labels) == set("HGETC")


def test_names_sequences_and_lengths(made):
    for number, chain in enumerate(made):
        backbone = chain.backbone
        assert chain.number == number and backbone.name == f"chain_{number:06d}" and backbone.chain == "A"
        assert len(backbone) == len(backbone.sequence) == len(chain.labels)
        assert backbone.coords.dtype == np.float32 and np.isfinite(backbone.coords).all()
    assert len({chain.backbone.sequence for chain in made}) == NUM
    letters = set("".join(chain.backbone.sequence for chain in made))
    assert letters == set("ACDEFGHIKLMNPQRSTVWY")


def test_no_chain_passes_through_itself(made):
    assert sum(chain.num_clashes > 0 for chain in made) == 0
    for chain in made:
        ca = chain.backbone.coords[:, 1].astype(np.float64)
        pairs = struc.distance(ca[:, None], ca[None])
        assert pairs[np.triu_indices(len(ca), k=3)].min() > 3.0


def test_chains_are_as_compact_as_domains(made):
    for chain in made:
        ca = atom_array(chain.backbone)[1::3]
        assert chain.radius == pytest.approx(struc.gyration_radius(ca, np.ones(len(ca))), rel=1e-4)
    ratio = [chain.radius / (2.2 * len(chain.backbone) ** 0.38) for chain in made]
    loose = [c.radius / (2.2 * len(c.backbone) ** 0.38) for c in sample_chains(range(30), 40, 80, 7, False)]
    assert 0.95 < np.mean(ratio) < 1.15 < 1.5 < np.mean(loose)


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
    scattered = [chain.backbone for chain in sample_chains([60, 3, 62], 20, 30, seed=3)]
    assert all(same(one, whole[k]) for one, k in zip(scattered, [60, 3, 62], strict=True))


def test_lengths_fill_the_range():
    lengths = chain_lengths(range(3000), 20, 24, seed=0)
    assert np.bincount(lengths)[20:] == pytest.approx(600, abs=90)
    assert [len(b) for b in sample_backbones(50, 20, 24)] == lengths[:50].tolist()
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
        ((1, 0, 5), "min_length=0"),
        ((1, 5.5, 6), "min_length=5.5"),
        ((1, 6, 5), "1 <= min_length <= max_length, not 6 and 5"),
        ((-1, 5, 6), "num must not be negative, not -1"),
        ((1, 5, 6, -1), "seed=-1"),
        ((1, 5, 6, 0, -1), "member -1 is negative"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        list(sample_backbones(*arguments))
