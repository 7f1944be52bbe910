"""Folded chains: rebuilt in double precision, counted by `count_clashes`, measured by biotite."""

import numpy as np
import pytest
from biotite.structure import Atom, array, gyration_radius

from foldpix.generation import BatchedGenerator
from foldpix.generation.clashes import count_clashes
from foldpix.generation.composition import sample_sequences
from foldpix.generation.folding import fold
from foldpix.generation.laws import TorsionLaws, ragged_laws
from foldpix.generation.sampling import draw_torsions
from foldpix.generation.segments import sample_segments
from tests.generation.peptides import backbone

SEED = 11
LENGTHS = np.array([70, 25, 3, 70, 48, 1, 60, 2])


class Case:
    """Domains of several lengths, as they are drawn."""

    def __init__(self, lengths=LENGTHS, dtype=np.float32):
        self.lengths, self.members = np.asarray(lengths), 5 + np.arange(len(lengths))
        sequences = sample_sequences(sample_segments(self.lengths, SEED, self.members), SEED, self.members)
        self.laws, self.labels = ragged_laws("domain", sequences, SEED, self.members)
        self.torsions = draw_torsions(self.laws, SEED, self.members, dtype)
        length = self.lengths.max()
        self.is_d = np.zeros(length, dtype=bool)
        self.has_cb = np.array([list(sequence.ljust(length)) for sequence in sequences]) != "G"

    def fold(self, compact, rows=slice(None), chain=0):
        length = self.lengths[rows].max()
        return fold(
            self.torsions[rows, :length],
            self.laws._replace(which=self.laws.which[rows, :length], cutoff=self.laws.cutoff[rows]),
            self.lengths[rows],
            self.is_d[:length],
            self.has_cb[rows, :length],
            self.labels[rows],
            SEED,
            self.members[rows],
            compact,
            chain,
        )


@pytest.fixture(scope="module")
def case():
    return Case()


@pytest.fixture(scope="module", params=[True, False], ids=["compact", "loose"])
def folded(case, request):
    return case.fold(request.param)


def rebuilt(torsions):
    return backbone(np.degrees(torsions.astype(np.float64)))


def test_nothing_clashes(case, folded):
    assert count_clashes(rebuilt(case.torsions), case.has_cb, case.lengths).sum() > 10
    assert count_clashes(rebuilt(folded.torsions), case.has_cb, case.lengths).sum() == 0
    assert folded.num_clashes.sum() == 0


def test_radius_of_gyration(case, folded):
    coords = rebuilt(folded.torsions)
    for ca_L3, length, radius in zip(coords[:, :, 1], case.lengths, folded.radius, strict=True):
        atoms = array([Atom(point, element="C") for point in ca_L3[:length]])
        assert radius == pytest.approx(gyration_radius(atoms), abs=1e-3)


def test_compact_chains_have_the_size_of_domains(case):
    domain = 2.2 * case.lengths**0.38
    long = case.lengths > 40
    loose = (case.fold(False).radius / domain)[long]
    compact = (case.fold(True).radius / domain)[long]
    assert loose.mean() > 1.5
    assert compact.min() > 0.9 and compact.mean() < 1.25


def test_torsions_come_from_the_law_of_the_residue(case, folded):
    for b, length in enumerate(case.lengths):
        for i in range(length):
            assert is_of_law(folded.torsions[b, i], case.laws, case.laws.which[b, i])


def is_of_law(torsions, laws, law):
    """Whether a component of the law has the torsions within its cut-off."""
    used = np.diff(laws.cumulative[law], prepend=0.0) > 0.0
    mean, spread = laws.mean[law, used], laws.spread[law, used]
    z1 = (torsions[0] - mean[:, 0]) / spread[:, 0]
    z2 = (torsions[1] - mean[:, 1] - spread[:, 1] * z1) / spread[:, 2]
    z3 = (torsions[2] - mean[:, 2]) / spread[:, 3]
    return (np.abs([z1, z2, z3]).max(axis=0) < 2.5 + 1e-3).any()


def test_redrawn_torsions_are_spread_as_the_law_says():
    """Of many residues redrawn in compact chains of one law most stand near what the law gives by itself."""
    num, length = 60, 40
    laws = TorsionLaws(
        which=np.zeros((1, length), dtype=np.int32),
        cumulative=np.array([[0.7, 1.0]], dtype=np.float32),
        mean=np.radians([[[-70.0, 145.0, 180.0], [-70.0, -35.0, 180.0]]]),
        spread=np.radians([[[15.0, 5.0, 12.0, 4.0], [10.0, -5.0, 10.0, 4.0]]]),
        cutoff=np.array([2.5]),
    )
    members, lengths = np.arange(num), np.full(num, length)
    drawn = draw_torsions(laws, 0, members)
    no, yes = np.zeros(length, dtype=bool), np.ones(length, dtype=bool)
    redrawn = fold(drawn, laws, lengths, no, yes, ["C" * length] * num, 0, members, True).torsions
    changed = np.degrees(redrawn[(redrawn != drawn).any(axis=-1)])
    assert len(changed) > 800
    phi, omega = changed[:, 0], changed[:, 2]
    assert phi.mean() == pytest.approx(-70.0, abs=1.5) and phi.std() == pytest.approx(13.5, abs=1.5)
    assert omega.mean() == pytest.approx(180.0, abs=0.5) and omega.std() == pytest.approx(3.9, abs=0.4)
    assert (changed[:, 1] > 55.0).mean() == pytest.approx(0.7, abs=0.15)


def test_helices_stay_helices(case, folded):
    coords = rebuilt(folded.torsions)
    distances = [
        np.linalg.norm(coords[b, i, 1] - coords[b, i + 3, 1])
        for b, label in enumerate(case.labels)
        for i in range(len(label) - 4)
        if label[i : i + 5] == "HHHHH"
    ]
    assert len(distances) >= 20
    assert min(distances) > 4.4 and max(distances) < 6.6


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("rows", [slice(0, 1), slice(2, 5), slice(6, 8)])
def test_members_depend_on_themselves_alone(case, compact, rows):
    together, apart = case.fold(compact), case.fold(compact, rows)
    for b, length in enumerate(case.lengths[rows]):
        whole = together.torsions[rows][b, :length]
        assert apart.torsions[b, :length].tolist() == whole.tolist()
    assert apart.num_moves.tolist() == together.num_moves[rows].tolist()


def test_padding_does_not_count():
    one, other = Case([20, 60]), Case([20, 60])
    other.torsions = other.torsions.copy()
    other.torsions[0, 20:] = 0.5
    first, second = one.fold(True), other.fold(True)
    assert first.torsions[0, :20].tolist() == second.torsions[0, :20].tolist()
    assert first.radius.tolist() == second.radius.tolist()
    assert first.num_clashes.tolist() == second.num_clashes.tolist()


def test_chains_of_a_molecule_differ(case):
    assert case.fold(True, slice(0, 1)).radius != case.fold(True, slice(0, 1), chain=1).radius


def test_what_fits_is_kept(case):
    folded = case.fold(False)
    unmoved = folded.num_moves == 0
    assert unmoved.any() and not unmoved.all()
    assert folded.torsions[unmoved].tolist() == case.torsions[unmoved].tolist()
    again = case.fold(False)
    assert folded.torsions.tolist() == again.torsions.tolist()
    inside = np.arange(case.lengths.max()) < case.lengths[:, None]
    assert (folded.torsions != case.torsions).any(axis=-1)[inside].mean() < 0.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_precision_and_the_given_array(dtype):
    case = Case([50], dtype)
    before = case.torsions.copy()
    assert case.fold(True).torsions.dtype == dtype
    assert case.torsions.tolist() == before.tolist()


def test_clashes_that_cannot_be_helped_are_counted():
    """The law of each residue allows nothing but what it has."""
    length = 20
    angles = np.random.default_rng(3).uniform(-np.pi, np.pi, size=(length, 1, 3))
    fixed = TorsionLaws(
        which=np.arange(length, dtype=np.int32)[None],
        cumulative=np.ones((length, 1), dtype=np.float32),
        mean=angles,
        spread=np.zeros((length, 1, 4)),
        cutoff=np.array([2.5]),
    )
    torsions = np.tile(angles[None, :, 0], (2, 1, 1))
    yes, lengths = np.ones(length, dtype=bool), np.full(2, length)
    expected = count_clashes(rebuilt(torsions), yes, lengths)
    folded = fold(torsions, fixed, lengths, ~yes, yes, ["C" * length] * 2, 0, np.arange(2), False)
    assert expected.min() > 0
    assert folded.num_clashes.tolist() == expected.tolist()
    assert folded.torsions == pytest.approx(torsions)


@pytest.mark.slow
def test_hundreds_of_domains():
    """Nearly all are free of clashes, with the size of domains."""
    case = Case(np.full(400, 100))
    folded = case.fold(True)
    ratio = folded.radius / (2.2 * 100**0.38)
    assert (folded.num_clashes == 0).mean() >= 0.999
    assert 0.9 < ratio.mean() < 1.1 and np.median(ratio) < 1.1


def test_long_helices_are_not_bent_into_rings():
    batch = BatchedGenerator("AKEL" * 15, 20).generate_batch(1, "CC" + "H" * 45 + "C" * 13, compact=True)
    ca = batch.by_residue()[0][:, 2:47, 1]
    assert (
        np.linalg.norm(ca[:, -1] - ca[:, 0], axis=-1).min() > 0.85 * 1.5 * 44
    )  # a helix rises 1.5 A a residue
