import numpy as np
import pytest

from foldpix.generation.domain import domain_radius, longest_segments


def test_the_longest_helix_spans_a_ball_as_large_as_a_domain(rng) -> None:
    """Points spread evenly in a ball as wide as the longest helix have the radius of gyration of a domain."""
    length = np.array([2000])
    helix, strand, coil = longest_segments(length, "HEC")[0]
    points = rng.uniform(-1.0, 1.0, (200_000, 3)) * helix * 1.5 / 2.0
    inside = points[np.linalg.norm(points, axis=1) < helix * 1.5 / 2.0]
    radius = np.sqrt(np.square(inside - inside.mean(axis=0)).sum(axis=1).mean())
    assert radius == pytest.approx(domain_radius(length)[0], rel=0.02)
    assert strand * 3.3 == pytest.approx(helix * 1.5, abs=3.3)
    assert coil == 2000


def test_longer_chains_have_no_shorter_segments(rng) -> None:
    lengths = rng.integers(1, 2000, 50)
    assert longest_segments(lengths, "HEGC").shape == (50, 4)
    assert (np.diff(longest_segments(np.sort(lengths), "HEGC"), axis=0) >= 0).all()
