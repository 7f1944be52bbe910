"""Peptide bonds from coordinates that torsions built."""

import numpy as np
import pytest

from foldpix.geometry import build_backbone, peptide_bonds


def chain_with(omega: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    torsions = rng.uniform(-np.pi, np.pi, (len(omega), 3))
    torsions[:, 2] = omega
    return build_backbone(torsions)


def test_cis_is_where_omega_is_below_a_right_angle(rng):
    omega = rng.uniform(-np.pi, np.pi, 60)
    bonds = peptide_bonds(chain_with(omega, rng), np.ones(60))
    assert (bonds.cis == (np.abs(omega) < np.pi / 2)[:-1]).all()


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
def test_gaps_are_told_from_noise(noise, rng):
    coords = chain_with(np.full(80, np.pi), rng)
    coords[30:] += 12.0 * np.array([1.0, 0.0, 0.0])
    coords += rng.normal(0, noise, (80, 1, 3))  # residues move as one, as errors of CB move them
    mask = np.ones(80)
    mask[70:] = 0.0
    bonded = peptide_bonds(coords, mask).bonded
    assert np.flatnonzero(~bonded).tolist() == [29, *range(69, 79)]
