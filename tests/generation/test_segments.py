import csv
import itertools
from collections import Counter

import numpy as np
import pytest

from foldpix.generation.segments import KINDS, SHORTEST, break_at_prolines, sample_segments
from scripts.generation.fit_segments import SEGMENT_OF
from scripts.generation.labelled_chains import labelled, segments

MEMBERS = np.arange(2000)


@pytest.fixture(scope="module")
def compact_chains(real_structures) -> list[str]:
    """Labels of chains that the tables were not counted in, less than 1.2 times as large as a domain."""
    with (real_structures / "index.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "val"]
    compact = [row["file"] for row in rows if float(row["rg"]) < 1.2 * 2.2 * int(row["n_residues"]) ** 0.38]
    files = [file for file in compact if file.startswith("chains/")]
    return [labelled(real_structures / file).labels.translate(SEGMENT_OF) for file in files[::3]]


def drawn(length: int, seed: int = 0) -> list[str]:
    return sample_segments(np.full(len(MEMBERS), length), seed, MEMBERS)


@pytest.mark.parametrize("length", [1, 2, 7, 128])
def test_labels_have_the_length_asked(length) -> None:
    labels = drawn(length)
    assert {len(text) for text in labels} == {length}
    assert set("".join(labels)) <= set(KINDS)


def test_a_member_is_the_same_in_any_batch(rng) -> None:
    lengths = rng.integers(1, 200, 50)
    members = rng.integers(0, 2**40, 50)
    together = sample_segments(lengths, 5, members)
    assert [len(text) for text in together] == lengths.tolist()
    for k in (0, 17, 49):
        assert sample_segments(lengths[k : k + 1], 5, members[k : k + 1]) == [together[k]]
    order = rng.permutation(50)
    assert sample_segments(lengths[order], 5, members[order]) == [together[k] for k in order]
    assert sample_segments(lengths, 6, members) != together


def test_chains_begin_and_end_in_coil() -> None:
    assert {text[0] + text[-1] for text in drawn(60)} == {"CC"}


def test_no_segment_is_shorter_than_its_kind_can_be() -> None:
    shortest = dict(zip(KINDS, SHORTEST, strict=False))
    runs = [run for text in drawn(90) for run in segments(text)]
    assert all(size >= shortest[letter] for letter, size in runs)
    found = {letter: min(size for other, size in runs if other == letter) for letter in KINDS}
    assert found == shortest


def test_shares_lengths_and_order_are_those_of_real_chains(compact_chains) -> None:
    made = drawn(sum(map(len, compact_chains)) // len(compact_chains))
    for kind, slack in zip("HETC", (0.06, 0.06, 0.03, 0.05), strict=True):
        assert abs(_share(compact_chains, kind) - _share(made, kind)) < slack
        assert 0.85 < _mean_length(made, kind) / _mean_length(compact_chains, kind) < 1.15
    following, made_following = _following(compact_chains), _following(made)
    assert all(abs(following[pair] - made_following[pair]) < 0.04 for pair in following)


def width(length: int) -> float:
    """Of a ball with the radius of gyration of a domain, angstrom."""
    return 2.0 * (5.0 / 3.0) ** 0.5 * 2.2 * length**0.38


def longest(labels: str, kind: str) -> int:
    return max((size for letter, size in segments(labels) if letter == kind), default=0)


@pytest.mark.parametrize(("kind", "rise"), [("H", 1.5), ("E", 3.3), ("G", 2.0)])
def test_no_helix_or_strand_is_longer_than_a_domain_is_wide(kind, rise) -> None:
    for length in (25, 40, 64, 128, 300):
        most = max(longest(text, kind) for text in drawn(length))
        assert most * rise <= width(length)
        if kind != "G":  # whose length has limits of its own
            assert (most + 1) * rise > width(length)


@pytest.mark.parametrize(("kind", "rise"), [("H", 1.5), ("E", 3.3)])
def test_hardly_any_is_longer_in_real_domains(kind, rise, compact_chains) -> None:
    fits = [
        size * rise <= width(len(text))
        for text in compact_chains
        for letter, size in segments(text)
        if letter == kind
    ]
    assert len(fits) > 300 and np.mean(fits) > 0.95


def test_short_chains_have_shorter_helices() -> None:
    """A chain of 40 had helices of 38 residues, a rod."""
    sizes = [np.quantile([longest(text, "H") for text in drawn(length)], 0.99) for length in (40, 64, 128)]
    assert sizes[0] < 17 and sizes[1] < 20 < sizes[2]


@pytest.mark.parametrize(
    ("labels", "sequence", "broken"),
    [
        ("CHHHHHHHHHC", "AAAPAAAAAAA", "CHHHHHHHHHC"),
        ("CHHHHHHHHHHC", "AAAAAAPAAAAA", "CHHHHCHHHHHC"),
        ("CHHHHHHHHHHC", "AAAAAPAAAAAA", "CCCCCHHHHHHC"),
        ("CHHHHHHHC", "AAAAAAAAP", "CHHHHHHCC"),
        ("CHHHHHHHTC", "AAAAAAAAAP", "CHHHHHHHTC"),
        ("CGGGGGGTC", "AAAAPAAAA", "CCCCGGGTC"),
        ("CEEEEEEC", "APPPPPPP", "CEEEEEEC"),
        ("CHHHHHHHHHHHC", "AAAAAAPAPAAAA", "CHHHHCHHHHHHC"),
        ("CHHHHHHHHHHHHC", "AAAAAAPAAAPAAA", "CHHHHCCCCCCCCC"),
    ],
)
def test_helices_break_before_prolines(labels, sequence, broken) -> None:
    codes = np.frombuffer(labels.encode(), dtype=np.uint8)[None]
    found = break_at_prolines(codes, np.array([letter == "P" for letter in sequence]))
    assert found.tobytes().decode() == broken
    assert codes.tobytes().decode() == labels


def _share(labels: list[str], kind: str) -> float:
    return "".join(labels).count(kind) / sum(map(len, labels))


def _mean_length(labels: list[str], kind: str) -> float:
    sizes = [size for text in labels for letter, size in segments(text)[1:-1] if letter == kind]
    return float(np.mean(sizes))


def _following(labels: list[str]) -> Counter[tuple[str, str]]:
    """Share of each pair of neighbouring segments in all pairs."""
    runs = [[letter for letter, _ in segments(text)] for text in labels]
    pairs = Counter(pair for letters in runs for pair in itertools.pairwise(letters))
    return Counter({pair: num / pairs.total() for pair, num in pairs.items()})


def test_some_chains_are_all_helical_and_some_all_strands() -> None:
    """A Markov chain without classes makes a third as many chains without helix."""
    chains = drawn(128)
    helical = np.mean([text.count("E") == 0 and text.count("H") > 40 for text in chains])
    of_strands = np.mean([text.count("H") == 0 and text.count("E") > 30 for text in chains])
    assert 0.1 < helical < 0.4 and 0.05 < of_strands < 0.25
