"""Folding: what it reaches, what it keeps, and what a member depends on."""

import numpy as np
import pytest

from foldpix.generation.clashes import count_clashes
from foldpix.generation.differentiable import build_atoms
from foldpix.generation.folding import fold
from foldpix.generation.laws import ragged_laws
from foldpix.generation.sampling import draw_torsions

SEQUENCES = ["ACDEFGHIKLMNPQRSTVWY" * 4, "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", "GSGSGPGPAPAP" * 4]


def folded(numbers, compact=True, seed=2, sequences=SEQUENCES):
    own = [sequences[k % len(sequences)] for k in numbers]
    members = np.array(numbers)
    laws, labels = ragged_laws("domain", own, seed, members)
    torsions = np.array(draw_torsions(laws, seed, members))
    lengths = np.array([len(sequence) for sequence in own])
    has_cb = np.array([list(sequence.ljust(lengths.max())) for sequence in own]) != "G"
    is_d = np.zeros(lengths.max(), dtype=bool)
    return (
        fold(torsions, laws, lengths, is_d, has_cb, labels, seed, members, compact),
        torsions,
        laws,
        lengths,
        has_cb,
        labels,
    )


@pytest.mark.parametrize("compact", [False, True])
def test_no_clash_is_left_in_float64_either(compact):
    found, _, _, lengths, has_cb, _ = folded(range(30), compact)
    assert not found.num_clashes.any()
    atoms = build_atoms(found.torsions.astype(np.float64))
    assert not count_clashes(atoms, has_cb, lengths).any()


def test_compact_chains_have_the_size_of_domains():
    found, _, _, lengths, *_ = folded(range(60))
    assert np.mean(found.radius / (2.2 * lengths**0.38)) == pytest.approx(1.0, abs=0.15)
    atoms = build_atoms(found.torsions.astype(np.float64))
    for coords, length, radius in zip(atoms, lengths, found.radius, strict=True):
        ca = coords[:length, 1]
        assert radius == pytest.approx(np.sqrt(np.square(ca - ca.mean(axis=0)).sum(axis=1).mean()), rel=1e-4)


def test_torsions_stay_within_their_laws():
    found, _, laws, lengths, *_ = folded(range(20))
    for torsions, which, length in zip(found.torsions.astype(float), laws.which, lengths, strict=True):
        for angles, law in zip(torsions[:length], which[:length], strict=True):
            used = np.diff(laws.cumulative[law], prepend=0.0) > 0
            a, b, c, d = laws.spread[law, used].T
            off = angles - laws.mean[law, used]
            z1 = off[:, 0] / a
            z2 = (off[:, 1] - b * z1) / c
            inside = (np.abs([z1, z2, off[:, 2] / d]) < 2.51).all(axis=0)
            assert inside.any()


def test_few_residues_change_where_only_clashes_are_removed():
    found, torsions, _, lengths, *_ = folded(range(30), compact=False)
    inside = np.arange(torsions.shape[1]) < lengths[:, None]
    changed = (found.torsions != torsions).any(axis=-1) & inside
    assert 0 < changed.sum() < 0.5 * inside.sum()


def test_a_member_depends_on_no_other():
    whole = folded(range(12))[0].torsions
    part = folded([7, 3])[0].torsions
    for row, k in enumerate([7, 3]):
        length = len(SEQUENCES[k % 3])
        assert np.array_equal(part[row, :length], whole[k, :length])


def test_helices_stay_helices():
    found, torsions, *_, labels = folded(range(40))
    rigid = np.array([list(label.ljust(torsions.shape[1])) for label in labels]) == "H"
    before, after = (
        ((np.abs(phi + 63) < 25) & (np.abs(psi + 42) < 25)).mean()
        for phi, psi in (np.degrees(each[rigid][:, :2]).T for each in (torsions, found.torsions))
    )
    assert before > 0.9 and after == pytest.approx(before, abs=0.02)
