"""Overlays of backbones, and screening; run by test_proteins.py in a process with two JAX devices."""

import csv

import numpy as np
import pytest

from foldpix.alignment import Alignment, Cloud, Volume, align
from foldpix.alignment.proteins import align_backbones
from foldpix.alignment.screening import screen
from foldpix.structure import Backbone, read_structure
from tests.alignment.test_correspondence import biotite_pairs, ca_atoms, motion, moved, walk


def backbone(ca):
    return Backbone(np.repeat(ca[:, None], 3, axis=1), "A" * len(ca))


@pytest.fixture(scope="module")
def chains():
    """Of lengths for which one shape is compiled."""
    return [walk(np.random.default_rng(seed), length) for seed, length in enumerate((48, 47, 46))]


def test_a_chain_on_itself_wherever_it_lies(chains):
    check_on_itself(chains)


@pytest.mark.slow
def test_chains_of_any_length_on_themselves():
    check_on_itself([walk(np.random.default_rng(length), length) for length in (1, 2, 3, 10, 39, 90, 300)])


def check_on_itself(chains):
    refs = [backbone(ca) for ca in chains]
    fits = [backbone(moved(ca, motion(np.random.default_rng(7), 40.0))) for ca in chains]
    found = align_backbones(refs, fits)
    assert found.statuses.tolist() == ["ok"] * len(chains)
    assert found.tm_scores == pytest.approx(1.0, abs=1e-3)
    assert found.scores == pytest.approx(1.0, abs=1e-3)
    assert found.num_matched.tolist() == [len(ca) for ca in chains]
    for ref, fit, transform in zip(refs, fits, found.transforms, strict=True):
        assert moved(fit.coords[:, 1], transform) == pytest.approx(ref.coords[:, 1], abs=0.05)


def test_a_domain_that_moved(chains):
    """Two thirds of the chain lie on themselves, whatever the rest does."""
    ca = chains[0]
    bent = ca.copy()
    bent[32:] = moved(bent[32:] - bent[32], motion(np.random.default_rng(3), 0.0)) + bent[32]
    found = align_backbones([backbone(ca)], [backbone(bent)])
    assert found.num_matched[0] >= 32
    assert moved(bent[:32], found.transforms[0]) == pytest.approx(ca[:32], abs=1.0)


def test_a_bad_pair_spoils_nothing_and_order_changes_nothing(chains):
    good = [backbone(ca) for ca in chains[:3]]
    broken = backbone(np.where(np.arange(47)[:, None] == 30, np.nan, chains[1]))
    alone = align_backbones(good[:1], good[1:2])
    found = align_backbones([broken, good[2], good[0], good[0]], [good[0], broken, good[1], good[2]])
    assert found.statuses.tolist()[2:] == ["ok", "ok"]
    assert found.statuses.tolist()[:2] == ["reference: points are not finite", "fit: points are not finite"]
    assert np.isnan(found.scores[:2]).all() and np.isnan(found.tm_scores[:2]).all()
    assert (found.transforms[:2] == np.eye(4)).all()
    assert found.transforms[2] == pytest.approx(alone.transforms[0])
    assert found.tm_scores[2] == alone.tm_scores[0]


@pytest.mark.slow
def test_cb_lie_on_each_other_too(real_structures):
    """Of a chain somewhere else, and in the pose of CA as nearly as both points go together."""
    ref, fit = (read_structure(path)[0] for path in sorted(real_structures.glob("chains/*"))[:2])
    there = Backbone(moved(ref.coords.astype(float), motion(np.random.default_rng(0))), ref.sequence)
    found = align_backbones([ref, ref], [there, fit], points="cb")
    assert found.tm_scores[0] == pytest.approx(1.0, abs=1e-3) and found.scores[0] > 0.999
    assert moved(there.coords.astype(float), found.transforms[0]) == pytest.approx(ref.coords, abs=0.05)
    ca = align_backbones([ref], [fit])
    assert found.tm_scores[1] == pytest.approx(ca.tm_scores[0], abs=0.1)
    with pytest.raises(ValueError, match="no points 'cg'; there are ca, cb"):
        align_backbones([ref], [ref], points="cg")


def test_no_pairs():
    found = align_backbones([], [])
    assert found.transforms.shape == (0, 4, 4) and len(found.scores) == len(found.statuses) == 0


def test_as_many_of_both(chains):
    with pytest.raises(ValueError, match="1 references and 0 fits"):
        align_backbones([backbone(chains[0])], [])


@pytest.mark.slow
def test_as_close_as_biotite_brings_them(real_structures):
    """The TM-score of our pose and of biotite's, residues matched by biotite in both."""
    import biotite.structure as struc

    from benchmarks.alignment.bench_proteins import biotite_transform, chain_pairs
    from foldpix.geometry import tm_scale

    pairs = chain_pairs(real_structures, num=20)
    found = align_backbones(*zip(*pairs, strict=True))
    scores = []
    for (ref, fit), ours in zip(pairs, found.transforms, strict=True):
        row = []
        for transform in (ours, biotite_transform(ref, fit)):
            a, b = ref.coords[:, 1].astype(float), moved(fit.coords[:, 1].astype(float), transform)
            matched, _ = biotite_pairs(a, b, tm_scale(min(len(a), len(b))))
            row.append(struc.tm_score(ca_atoms(a), ca_atoms(b), *matched.T))
        scores.append(row)
    ours, biotite = np.mean(scores, axis=0)
    assert ours > biotite - 0.02
    assert found.tm_scores == pytest.approx(np.array(scores)[:, 0], abs=2e-3)


def scored(values):
    """An overlay that takes numbers for their own scores; negative ones are bad."""

    def overlay(block):
        scores = np.array(block, float)
        return Alignment(
            np.tile(np.eye(4), (len(block), 1, 1)), scores, np.where(scores < 0, "negative", "ok").astype(str)
        )

    return overlay


@pytest.mark.parametrize("block_size", [1, 7, 1000])
def test_the_best_of_a_stream_by_sorting_it(block_size):
    values = np.random.default_rng(0).integers(-5, 50, 300).tolist()
    found = screen(iter(values), scored(values), top_k=20, block_size=block_size)
    best = sorted(range(300), key=lambda k: (-values[k], k))[:20]
    assert [hit.place for hit in found.hits] == best
    assert [hit.fit for hit in found.hits] == [values[k] for k in best]
    negative = sum(value < 0 for value in values)
    assert found.statuses == {"ok": 300 - negative, "negative": negative}


def test_a_stream_is_read_as_it_is_needed():
    """No more of a stream is held than a block and the best."""
    seen = []

    def stream():
        for k in range(50):
            seen.append(k)
            yield k

    def overlay(block):
        assert len(seen) <= block[0] + 10
        return scored(None)(block)

    assert [hit.fit for hit in screen(stream(), overlay, top_k=2, block_size=10).hits] == [49, 48]


def test_molecules_like_clouds():
    rng = np.random.default_rng(0)
    ref = Cloud(2.0 * rng.normal(size=(24, 3)))
    fits = [Cloud(ref.points + noise * rng.normal(size=(24, 3))) for noise in (2.0, 0.0, 0.5)]
    found = screen(fits, lambda block: align([ref] * len(block), block, Volume(), num_repeats=12), top_k=2)
    assert [hit.place for hit in found.hits] == [1, 2]
    assert found.hits[0].score == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("options", [{"top_k": 0}, {"block_size": 0}])
def test_limits_of_screening(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is 0; it must be 1 or more"):
        screen([], scored([]), **options)


@pytest.mark.slow
def test_the_nearest_chain_is_of_its_own_family(real_structures):
    with (real_structures / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if 80 <= int(row["n_residues"]) <= 160][:40]
    family = next(row for row in rows if sum(row["cluster50"] == other["cluster50"] for other in rows) > 1)
    fits = [(row, read_structure(real_structures / row["file"])[0]) for row in rows if row is not family]
    ref = read_structure(real_structures / family["file"])[0]

    def overlay(block):
        return align_backbones([ref] * len(block), [chain for _, chain in block])

    best = screen(fits, overlay, top_k=1, by="tm_scores", block_size=16).hits[0]
    assert best.fit[0]["cluster50"] == family["cluster50"]
