"""Whole made-up chains: of many drawn from the torsions, the most compact one without clashes."""

from collections.abc import Iterator

import numpy as np

from foldpix.generation.segments import sample_labels, sample_sequence
from foldpix.generation.torsions import sample_torsions
from foldpix.geometry import build_backbone
from foldpix.structure import Backbone

#: Chains drawn for each one that is kept.
NUM_CANDIDATES = 16

#: CA atoms of residues more than two apart come no closer than this in real proteins, angstrom.
MIN_CA_DISTANCE = 3.8

CHUNK = 64


def sample_backbones(
    num: int, min_length: int = 40, max_length: int = 64, seed: int = 0, start: int = 0
) -> Iterator[Backbone]:
    """Draw ``num`` backbones; number k depends on (seed, k) alone.

    Parameters
    ----------
    num : int
        How many.
    min_length, max_length : int
        Residues, both included; drawn evenly.
    seed : int
    start : int
        Number of the first chain.

    Yields
    ------
    Backbone
        Named ``chain_<k>``, chain A.

    Raises
    ------
    ValueError
        If the lengths are not 1 <= min_length <= max_length, or ``num`` is negative.
    """
    if not 1 <= min_length <= max_length:
        raise ValueError(f"lengths must be 1 <= min_length <= max_length, not {min_length} and {max_length}")
    if num < 0:
        raise ValueError(f"num must not be negative, not {num}")
    for first in range(start, start + num, CHUNK):
        numbers = range(first, min(first + CHUNK, start + num))
        yield from _sample_chunk(numbers, min_length, max_length, seed)


def _sample_chunk(numbers: range, min_length: int, max_length: int, seed: int) -> Iterator[Backbone]:
    generators = [np.random.default_rng((seed, number)) for number in numbers]
    drawn = [_draw(rng, min_length, max_length) for rng in generators]
    torsions_BKL3 = np.zeros((len(drawn), NUM_CANDIDATES, max_length, 3))
    for row, (labels, torsions) in zip(torsions_BKL3, drawn, strict=True):
        row[:, : len(labels[0])] = torsions
    # The start of a longer chain is the shorter chain, so one walk serves all lengths.
    coords_BKLA3 = build_backbone(torsions_BKL3)
    for number, rng, coords_KLA3, (labels, _) in zip(numbers, generators, coords_BKLA3, drawn, strict=True):
        best = _most_compact(coords_KLA3[:, : len(labels[0]), 1])
        coords = coords_KLA3[best, : len(labels[best])].astype(np.float32)
        yield Backbone(coords, sample_sequence(labels[best], rng), name=f"chain_{number:06d}", chain="A")


def _draw(rng: np.random.Generator, min_length: int, max_length: int) -> tuple[list[str], np.ndarray]:
    length = int(rng.integers(min_length, max_length + 1))
    labels = [sample_labels(length, rng) for _ in range(NUM_CANDIDATES)]
    torsions = np.stack([sample_torsions(candidate, rng) for candidate in labels])
    return labels, torsions


def _most_compact(ca_KL3: np.ndarray) -> int:
    """The candidate with the fewest clashes, and of those the one with the least radius of gyration."""
    squared_KLL = np.square(ca_KL3[:, :, None] - ca_KL3[:, None]).sum(axis=-1)
    apart = np.triu(np.ones(squared_KLL.shape[1:], dtype=bool), k=3)
    clashes = ((squared_KLL < MIN_CA_DISTANCE**2) & apart).sum(axis=(1, 2))
    return int(np.lexsort((squared_KLL.sum(axis=(1, 2)), clashes))[0])
