import itertools

import numpy as np
import pytest

from foldpix.generation import sample_labels
from foldpix.generation.segments import RESIDUES, SEGMENT_LENGTHS, sample_sequence


def segments(labels):
    return [(kind, len(list(group))) for kind, group in itertools.groupby(labels)]


@pytest.mark.parametrize("length", [1, 2, 7, 40, 333])
def test_labels_have_the_length_asked_for(length, rng):
    labels = sample_labels(length, rng)
    assert len(labels) == length and set(labels) <= set("HEC")


def test_segments_are_of_natural_lengths_and_parted_by_coils(rng):
    seen = {kind: set() for kind in "HEC"}
    for _ in range(200):
        *whole, _ = segments(sample_labels(150, rng))  # the last one may be cut off
        assert [kind == "C" for kind, _ in whole] == [number % 2 == 0 for number in range(len(whole))]
        for kind, length in whole:
            seen[kind].add(length)
    for kind, (low, high) in SEGMENT_LENGTHS.items():
        assert seen[kind] == set(range(low, high + 1))


def test_helices_outnumber_strands_as_three_to_two(rng):
    kinds = [kind for _ in range(100) for kind, _ in segments(sample_labels(400, rng))]
    helices, strands = kinds.count("H"), kinds.count("E")
    assert helices / (helices + strands) == pytest.approx(0.6, abs=0.05)


def test_sequences_suit_their_labels(rng):
    labels = sample_labels(2000, rng)
    sequence = sample_sequence(labels, rng)
    assert len(sequence) == 2000
    for kind, letters in RESIDUES.items():
        found = {letter for letter, label in zip(sequence, labels, strict=True) if label == kind}
        assert found == set(letters)
    assert set("".join(RESIDUES.values())) == set("ACDEFGHIKLMNPQRSTVWY")


def test_labels_repeat_by_generator():
    first, second = (sample_labels(80, np.random.default_rng(4)) for _ in range(2))
    assert first == second != sample_labels(80, np.random.default_rng(5))
