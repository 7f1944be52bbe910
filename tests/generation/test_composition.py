import csv
import re
from collections import Counter

import numpy as np
import pytest

from foldpix.generation.composition import AMINO_ACIDS, places, sample_sequences
from foldpix.generation.segments import KINDS, sample_segments

MEMBERS = np.arange(1000)


@pytest.fixture(scope="module")
def chains() -> tuple[str, str]:
    """Labels and sequences of all chains in one row."""
    labels = sample_segments(np.full(len(MEMBERS), 128), 0, MEMBERS)
    return "".join(labels), "".join(sample_sequences(labels, 0, MEMBERS))


def test_places_count_from_the_start_of_a_run(rng) -> None:
    for _ in range(20):
        labels = "".join(rng.choice(list("HGETC"), 6).repeat(rng.integers(1, 7, 6)))
        expected = []
        for i, letter in enumerate(labels):
            behind = len(labels[: i + 1]) - len(labels[: i + 1].rstrip(letter))
            is_last = labels[i + 1 : i + 2] != letter
            is_behind_helix_or_turn = behind == 1 and i > 0 and labels[i - 1] in "HGT"
            expected.append((4 if is_behind_helix_or_turn else min(behind - 1, 3)) + 5 * is_last)
        assert places(labels).tolist() == expected


def test_a_member_is_the_same_in_any_batch(rng) -> None:
    lengths, members = rng.integers(1, 100, 30), rng.integers(0, 2**40, 30)
    labels = sample_segments(lengths, 3, members)
    together = sample_sequences(labels, 3, members)
    assert [len(text) for text in together] == lengths.tolist()
    for k in (0, 11, 29):
        assert sample_sequences(labels[k : k + 1], 3, members[k : k + 1]) == [together[k]]
    assert sample_sequences(labels, 4, members) != together


def test_amino_acids_are_as_frequent_as_in_real_chains(chains, real_structures) -> None:
    """In chains that the shares were not counted in."""
    with (real_structures / "index.csv").open() as lines:
        real = Counter("".join(row["sequence"] for row in csv.DictReader(lines) if row["split"] != "train"))
    made = Counter(chains[1])
    assert set(made) == set(AMINO_ACIDS)
    for letter in AMINO_ACIDS:
        assert 0.75 < (made[letter] / made.total()) / (real[letter] / real.total()) < 1.33


def test_residues_prefer_their_structures(chains) -> None:
    labels, sequence = (np.array(list(text)) for text in chains)
    share = {
        (kind, letter): (sequence[labels == kind] == letter).mean()
        for kind in KINDS
        for letter in AMINO_ACIDS
    }
    assert share["H", "A"] > 1.3 * share["E", "A"]
    assert share["E", "V"] > 1.5 * share["H", "V"]
    assert share["C", "P"] > 2 * share["E", "P"]
    assert share["T", "G"] > 3 * share["H", "G"]


def test_prolines_stand_where_their_nitrogen_needs_no_bond(chains) -> None:
    """As in real chains: frequent at starts behind coil, not behind the first turn of a helix or its end."""
    labels, sequence = chains
    places = {"HHHH": [], "GGG": [], "[HGT][^HGT]": [], "C[HGT]": []}
    for pattern, found in places.items():
        ends = [match.end(1) - 1 for match in re.finditer(f"(?=({pattern}))", labels)]
        found += [sequence[i] == "P" for i in ends]
    shares = {pattern: np.mean(found) for pattern, found in places.items()}
    assert shares["HHHH"] == shares["GGG"] == 0.0
    assert shares["[HGT][^HGT]"] < 0.002 < 0.15 < shares["C[HGT]"]
