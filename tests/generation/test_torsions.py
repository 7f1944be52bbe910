import numpy as np
import pytest

from foldpix.generation import sample_torsions
from foldpix.generation.torsions import BASINS, OMEGA


def circular_mean(degrees):
    radians = np.radians(degrees)
    return np.degrees(np.arctan2(np.sin(radians).mean(axis=0), np.cos(radians).mean(axis=0)))


def apart(one, other):
    return np.abs((one - other + 180) % 360 - 180)


@pytest.mark.parametrize("kind", ["H", "E"])
def test_helices_and_strands_lie_in_their_basin(kind, rng):
    degrees = np.degrees(sample_torsions(kind * 4000, rng))
    ((_, phi, psi, deviation),) = BASINS[kind]
    assert circular_mean(degrees)[:2] == pytest.approx([phi, psi], abs=1.0)
    assert degrees[:, :2].std(axis=0) == pytest.approx([deviation] * 2, rel=0.05)


def test_coils_take_each_basin_by_its_share(rng):
    basins = np.array(BASINS["C"])
    degrees = np.degrees(sample_torsions("C" * 20_000, rng))[:, None, :2]
    distance = np.hypot(*np.moveaxis(apart(degrees, basins[:, 1:3]), -1, 0)) / basins[:, 3]
    share = np.bincount(distance.argmin(axis=1), minlength=4) / 20_000
    # Polyproline II and the extended basin overlap, so they are counted together.
    assert share[0] + share[2] == pytest.approx(0.57, abs=0.02)
    assert share[[1, 3]] == pytest.approx([0.35, 0.08], abs=0.02)
    assert basins[:, 0].sum() == pytest.approx(1.0)


def test_peptide_bonds_are_trans(rng):
    omega = np.degrees(sample_torsions("HEC" * 3000, rng))[:, 2]
    assert apart(omega, 180).max() < 30
    assert omega.mean() == pytest.approx(OMEGA[0], abs=0.3) and omega.std() == pytest.approx(
        OMEGA[1], rel=0.05
    )


def test_each_residue_follows_its_own_label(rng):
    labels = "HHHEEECCC" * 300
    degrees = np.degrees(sample_torsions(labels, rng))
    assert degrees.shape == (2700, 3) and degrees.dtype == np.float64
    psi = {kind: degrees[[label == kind for label in labels], 1] for kind in "HE"}
    assert (psi["H"] < 0).all() and (apart(psi["E"], 135) < 80).all()
