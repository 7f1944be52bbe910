"""Side-chain dihedrals."""

import numpy as np
import pytest

from foldpix.generation.rotamers import draw_chi, rotamers
from foldpix.generation.sequence import COMPONENT_OF_D, NAME_OF_LETTER, l_form

ALL = (*NAME_OF_LETTER.values(), *COMPONENT_OF_D)
# fmt: off
NUM_CHI = {
    "ALA": 0, "GLY": 0, "CYS": 1, "SEC": 1, "SER": 1, "THR": 1, "VAL": 1, "ASN": 2, "ASP": 2, "HIS": 2,
    "ILE": 2, "LEU": 2, "PHE": 2, "PRO": 2, "TRP": 2, "TYR": 2, "GLN": 3, "GLU": 3, "MET": 3,
    "ARG": 4, "LYS": 4,
}
# fmt: on


def draw(names, seed=0, num=4000):
    return np.degrees(draw_chi(tuple(names), seed, np.arange(num)))


def test_every_residue_has_its_number_of_dihedrals():
    chi = draw(ALL, num=50)
    assert chi.shape == (50, len(ALL), 4) and chi.dtype == np.float64
    for number, name in enumerate(ALL):
        assert (np.isfinite(chi[:, number]) == (np.arange(4) < NUM_CHI[l_form(name)])).all()


# Lovell et al. (2000), per cent of minus (-60), plus (60) and trans (180) of chi 1.
@pytest.mark.parametrize(
    ("name", "minus", "plus", "trans"),
    [("VAL", 20, 6, 73), ("SER", 29, 48, 22), ("THR", 43, 49, 7)],
)
def test_shares_are_those_published(name, minus, plus, trans):
    chi = draw([name])[:, 0, 0] % 360
    shares = [100 * np.mean(np.abs(chi - centre) < 60) for centre in (300, 60, 180)]
    assert shares == pytest.approx([minus, plus, trans], abs=5)


def test_leucine_has_its_two_rotamers():
    chi = draw(["LEU"])[:, 0] % 360
    minus_trans = (np.abs(chi[:, 0] - 295) < 40) & (np.abs(chi[:, 1] - 175) < 40)
    trans_plus = (np.abs(chi[:, 0] - 180) < 40) & (np.abs(chi[:, 1] - 62) < 40)
    assert 100 * np.array([minus_trans.mean(), trans_plus.mean()]) == pytest.approx([59, 29], abs=6)  # Lovell


def test_drawn_shares_means_and_spreads_are_those_of_the_table():
    table = rotamers("MET")
    chi = np.radians(draw(["MET"], num=20000)[:, 0, :3])
    apart = (chi[:, None] - table.mean_K4[:, :3][None] + np.pi) % (2 * np.pi) - np.pi
    nearest = np.abs(apart / table.spread_K4[:, :3]).max(axis=2).argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(table.mean_K4)) / len(chi)
    assert shares == pytest.approx(np.diff(table.cumulative_K, prepend=0), abs=0.02)
    first = apart[nearest == 0, 0]
    assert first.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.03)
    assert first.std(axis=0) == pytest.approx(table.spread_K4[0, :3], rel=0.1)


def test_d_residues_are_mirror_images():
    # The dictionary names the methyls of valine and leucine the same in both: another one turns with chi.
    offsets = {"D-VAL": (0, 120.03), "D-LEU": (1, 120.09)}
    for name in COMPONENT_OF_D:
        expected = -draw([l_form(name)], num=40)
        if name in offsets:
            number, offset = offsets[name]
            expected[..., number] -= offset
        np.testing.assert_allclose(draw([name], num=40), expected, atol=1e-9)


def test_proline_has_two_puckers():
    chi = draw(["PRO"])[:, 0, :2]
    assert len(np.unique(chi[:, 0])) == 2 and 0.4 < (chi[:, 0] > 0).mean() < 0.6
    assert (chi[:, 0] * chi[:, 1] < 0).all()


def test_members_and_places_depend_on_nothing_else():
    whole = draw(ALL, seed=5, num=20)
    assert np.array_equal(np.degrees(draw_chi(ALL, 5, np.array([13]))), whole[13:14], equal_nan=True)
    assert np.array_equal(draw(ALL[:7], seed=5, num=20), whole[:, :7], equal_nan=True)
    assert not np.array_equal(draw(ALL, seed=6, num=20), whole, equal_nan=True)


def test_neighbours_and_members_are_independent():
    chi = np.cos(draw(["VAL"] * 4, num=20000)[..., 0])
    columns = np.concatenate([chi, np.roll(chi[:, :1], 1, axis=0)], axis=1)
    correlation = np.corrcoef(columns.T) - np.eye(5)
    assert np.abs(correlation).max() < 0.03
