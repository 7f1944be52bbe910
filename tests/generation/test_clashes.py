"""Clashes against every pair of atoms, one by one."""

import itertools

import numpy as np
import pytest

from foldpix.generation.clashes import CONTACT_LIMITS, NEAR_LIMIT, count_clashes
from foldpix.generation.walk import walk

#: Atoms of neighbours (earlier, later; N, CA, C, O, CB) that are bonded or share one.
JOINED = {(2, 0), (1, 0), (3, 0), (2, 1)}


def pair_by_pair(coords, has_cb):
    count = 0
    for (i, a), (j, b) in itertools.product(itertools.product(range(len(coords)), range(5)), repeat=2):
        if (
            i >= j
            or (a == 4 and not has_cb[i])
            or (b == 4 and not has_cb[j])
            or (j == i + 1 and (a, b) in JOINED)
        ):
            continue
        limit = CONTACT_LIMITS[a, b] if j - i >= 3 else NEAR_LIMIT
        count += np.linalg.norm(coords[i, a].astype(float) - coords[j, b].astype(float)) < limit
    return count


def test_every_pair_is_counted_once(rng):
    torsions = rng.uniform(-np.pi, np.pi, (6, 24, 3))
    torsions[..., 2] = np.pi
    coords = np.empty((6, 24, 5, 3), dtype=np.float32)
    walk(torsions, np.zeros(24, dtype=bool), coords)
    has_cb = rng.random((6, 24)) < 0.8
    lengths = np.array([24, 24, 24, 20, 5, 1])
    expected = [pair_by_pair(c[:n], h) for c, h, n in zip(coords, has_cb, lengths, strict=True)]
    assert count_clashes(coords, has_cb, lengths).tolist() == expected
    assert sum(expected) > 5


@pytest.mark.parametrize(("phi", "psi"), [(-57, -47), (-120, 120), (-75, 145)])
def test_ideal_chains_have_none(phi, psi):
    torsions = np.broadcast_to(np.radians([phi, psi, 180.0]), (1, 40, 3))
    coords = np.empty((1, 40, 5, 3))
    walk(torsions, np.zeros(40, dtype=bool), coords)
    assert count_clashes(coords, np.ones(40, dtype=bool), np.array([40])).tolist() == [0]
