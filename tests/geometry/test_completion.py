"""Distances that nobody gave."""

import numpy as np
import pytest

from foldpix.geometry import complete_distances, orientation_maps, relative_rotations


def straight_chain(num: int, rng: np.random.Generator) -> np.ndarray:
    """Residues of random shape, 3 angstrom apart on a line."""
    return rng.normal(0, 1, (num, 3, 3)) + np.arange(num)[:, None, None] * [3.0, 0.0, 0.0]


@pytest.mark.parametrize("reach", [15.0, 40.0, 100.0])
def test_what_lies_beyond_reach_is_found_step_by_step(reach, rng):
    exact, omega, theta, phi = orientation_maps(straight_chain(60, rng))
    direction, _ = relative_rotations(omega, theta, phi)
    known, wanted = (exact < reach) & ~np.eye(60, dtype=bool), ~np.eye(60, dtype=bool)
    found = complete_distances(np.minimum(exact, reach), direction, known, wanted)
    assert found == pytest.approx(exact, abs=1e-6)


def test_what_nobody_connects_keeps_its_value(rng):
    coords = straight_chain(20, rng)
    coords[10:] += 500.0
    exact, omega, theta, phi = orientation_maps(coords)
    direction, _ = relative_rotations(omega, theta, phi)
    wanted = ~np.eye(20, dtype=bool)
    found = complete_distances(np.minimum(exact, 100.0), direction, (exact < 100.0) & wanted, wanted)
    assert found[:10, :10] == pytest.approx(exact[:10, :10])
    assert (found[:10, 10:] == 100.0).all()
