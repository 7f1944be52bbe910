"""Overlays found by `align`, judged in float64 by plain NumPy."""

import jax
import numpy as np
import pytest

from foldpix.alignment import Charged, Cloud, Pharmacophore, Volume, align, apply
from tests.alignment.reference import overlap, tanimoto
from tests.conftest import random_rotation

VOLUME = Volume(0.81)


def molecule(rng, num, *, spread=1.0):
    """A walk with bonds of 1.5 Å, about as compact as a molecule, charged and with features."""
    steps = rng.standard_normal((num, 3))
    points = np.cumsum(1.5 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0) * spread
    types = rng.integers(0, 8, num)
    return Cloud(points, 0.3 * rng.standard_normal(num), types, rng.standard_normal((num, 3)))


def moved(cloud, rng, far=0.0):
    rotation, shift = random_rotation(rng), rng.standard_normal(3)
    points = cloud.points @ rotation.T + far * shift / np.linalg.norm(shift)
    return Cloud(points, cloud.charges, cloud.types, cloud.vectors @ rotation.T)


# Extended points are checked in test_moments.py, too.
EXTENDED = pytest.param(Pharmacophore("tversky", True), marks=pytest.mark.slow)
OVERLAPS = [VOLUME, Charged(0.81, 0.1), Pharmacophore(), EXTENDED]


@pytest.mark.parametrize("which", OVERLAPS, ids=lambda which: type(which).__name__)
def test_a_cloud_finds_its_copy(which, rng):
    clouds = [molecule(rng, num) for num in (2, 3, 5, 8) for _ in range(3)]
    copies = [moved(cloud, rng, far) for cloud, far in zip(clouds, 4 * (0.0, 40.0, 100.0), strict=True)]
    found = align(clouds, copies, which)
    assert list(found.statuses) == ["ok"] * 12
    np.testing.assert_allclose(found.scores, 1.0, atol=1e-4)
    if which == VOLUME:  # clouds of two and three points are symmetric
        for cloud, copy, transform in list(zip(clouds, copies, found.transforms, strict=True))[6:]:
            assert np.abs(apply(transform, copy.points) - cloud.points).max() < 0.02


@pytest.mark.parametrize(("method", "num_repeats"), [("newton", 50), ("adam", 8)])
def test_scores_are_those_of_the_poses(method, num_repeats, rng):
    refs = [molecule(rng, num) for num in (7, 12, 20)]
    fits = [molecule(rng, num) for num in (8, 7, 5)]
    found = align(refs, fits, VOLUME, method=method, num_repeats=num_repeats, max_num_steps=60)
    for ref, fit, transform, score in zip(refs, fits, found.transforms, found.scores, strict=True):
        assert np.abs(transform[:3, :3] @ transform[:3, :3].T - np.eye(3)).max() < 1e-12
        assert np.linalg.det(transform) == pytest.approx(1.0)
        expected = tanimoto(ref.points, apply(transform, fit.points), 0.81)
        assert score == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("which", OVERLAPS[1:], ids=lambda which: type(which).__name__)
def test_scores_with_charges_and_features(which, rng):
    ref, fit = molecule(rng, 11), molecule(rng, 8)
    found = align([ref], [fit], which)
    rotation = found.transforms[0, :3, :3]
    there = Cloud(apply(found.transforms[0], fit.points), fit.charges, fit.types, fit.vectors @ rotation.T)
    both, own, other = (overlap(which, a, b) for a, b in ((ref, there), (ref, ref), (fit, fit)))
    shared = both / (own + other - both)
    if which.similarity == "tversky":
        shared = min(1.0, both / (0.95 * own + 0.05 * other))
    assert found.scores[0] == pytest.approx(shared, abs=1e-5)


def test_newton_beats_many_random_poses(rng):
    ref, fit = molecule(rng, 14), molecule(rng, 8)
    found = align([ref], [fit], VOLUME).scores[0]
    best = max(
        tanimoto(
            ref.points - ref.points.mean(0), (fit.points - fit.points.mean(0)) @ random_rotation(rng).T, 0.81
        )
        for _ in range(500)
    )
    assert found > best


def test_batches_orders_and_frames_do_not_matter(rng):
    refs = [molecule(rng, num) for num in (4, 9, 17, 25, 30, 8)]
    fits = [molecule(rng, num) for num in (8, 8, 6, 7, 13, 3)]
    together = align(refs, fits, VOLUME)
    order = rng.permutation(6)
    shuffled = align([refs[k] for k in order], [fits[k] for k in order], VOLUME)
    np.testing.assert_allclose(shuffled.scores, together.scores[order], atol=1e-6)
    for k in (0, 3):
        alone = align(refs[k : k + 1], fits[k : k + 1], VOLUME)
        np.testing.assert_allclose(alone.scores, together.scores[k], atol=1e-6)
        np.testing.assert_allclose(alone.transforms[0], together.transforms[k], atol=1e-3)
    elsewhere = align([moved(x, rng, 40.0) for x in refs], [moved(x, rng, 100.0) for x in fits], VOLUME)
    np.testing.assert_allclose(elsewhere.scores, together.scores, atol=1e-4)


def test_a_swapped_pair_has_the_same_score(rng):
    refs, fits = [molecule(rng, 20), molecule(rng, 6)], [molecule(rng, 7), molecule(rng, 13)]
    one, other = align(refs, fits, VOLUME), align(fits, refs, VOLUME)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
    np.testing.assert_allclose(one.transforms @ other.transforms, np.tile(np.eye(4), (2, 1, 1)), atol=1e-3)


def test_degenerate_clouds(rng):
    one, line = Cloud(np.array([[5.0, 6.0, 7.0]])), Cloud(np.arange(5)[:, None] * np.array([[0.0, 1.2, 0.0]]))
    square = Cloud(np.array([[1.0, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]]))
    clouds = [one, line, square]
    rotations = [random_rotation(rng) for _ in clouds]
    copies = [Cloud(cloud.points @ turn.T + 3.0) for cloud, turn in zip(clouds, rotations, strict=True)]
    np.testing.assert_allclose(align(clouds, copies, VOLUME).scores, 1.0, atol=1e-4)
    mixed = align(clouds, copies[1:] + copies[:1], VOLUME)
    assert (mixed.statuses == "ok").all() and np.isfinite(mixed.scores).all()


def test_a_bad_pair_spoils_no_other(rng):
    good, other = molecule(rng, 9), molecule(rng, 7)
    bad = Cloud(np.full((4, 3), np.nan))
    refs, fits = [good, bad, good, good], [other, other, Cloud(np.zeros((0, 3))), other]
    found = align(refs, fits, VOLUME)
    assert list(found.statuses) == ["ok", "reference: points are not finite", "fit: no points", "ok"]
    assert np.isnan(found.scores[1:3]).all() and (found.transforms[1:3] == np.eye(4)).all()
    assert found.scores[0] == found.scores[3] == align([good], [other], VOLUME).scores[0]
    assert list(align([Cloud(good.points)], [other], Charged(0.81, 0.1)).statuses) == [
        "reference: no charges"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("num_repeats", [1, 50])
def test_the_best_poses_of_a_pair(num_repeats, rng):
    ref, fit = molecule(rng, 14), molecule(rng, 8)
    found = align([ref], [fit], VOLUME, num_best=3, num_repeats=num_repeats)
    assert found.transforms.shape == (1, 3, 4, 4)
    expected = [tanimoto(ref.points, apply(pose, fit.points), 0.81) for pose in found.transforms[0]]
    np.testing.assert_allclose(found.scores[0], expected, atol=1e-5)
    alone = align([ref], [fit], VOLUME, num_repeats=num_repeats).scores
    assert found.scores[0, 0] == pytest.approx(alone[0], abs=1e-6)
    if num_repeats == 50:
        assert (np.diff(found.scores[0]) < -1e-5).all()


def test_no_pairs():
    found = align([], [], VOLUME)
    assert found.transforms.shape == (0, 4, 4) and found.scores.shape == found.statuses.shape == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gradient"}, "newton, adam"),
        ({"num_repeats": 0}, "at least 1"),
        ({"num_best": 9}, "num_best is 9; it must be 1 to 8"),
        ({"starts": []}, "1 references and 0 starts"),
    ],
)
def test_errors(options, message, rng):
    with pytest.raises(ValueError, match=message):
        align([molecule(rng, 3)], [molecule(rng, 3)], VOLUME, **options)
    with pytest.raises(ValueError, match="tanimoto, tversky, tversky_ref, tversky_fit"):
        Pharmacophore("nonsense")


@pytest.mark.slow
def test_one_start_stays_near(rng):
    ref = molecule(rng, 8)
    fit = Cloud(ref.points + 0.3)
    found = align([ref], [fit], VOLUME, num_repeats=1)
    np.testing.assert_allclose(found.transforms[0][:3, 3], -0.3, atol=0.01)
    assert align([ref], [Cloud(ref.points + 500.0)], VOLUME, num_repeats=1).scores[0] < 1e-6


@pytest.mark.slow
def test_guides_start_the_fine_search(rng):
    ref, fit = molecule(rng, 20), molecule(rng, 16)
    coarse = [Cloud(ref.points)], [Cloud(fit.points)]
    fine = [
        Cloud(np.repeat(x.points, 6, axis=0) + 0.5 * rng.standard_normal((6 * len(x), 3))) for x in (ref, fit)
    ]
    guided = align([fine[0]], [fine[1]], VOLUME, guides=(*coarse, VOLUME))
    assert guided.scores[0] > align([fine[0]], [fine[1]], VOLUME).scores[0] - 0.02
    assert list(
        align([fine[0]], [fine[1]], VOLUME, guides=([Cloud(np.zeros((0, 3)))], coarse[1], VOLUME)).statuses
    ) == ["reference: no points"]


def test_progress_counts_pairs(rng):
    seen = []
    clouds = [molecule(rng, num) for num in (3, 8, 4)]
    align(clouds, clouds, VOLUME, progress=seen.append, devices=jax.local_devices()[:1])
    assert sum(seen) == 3
