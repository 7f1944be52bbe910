"""Made-up single chains, each with a sequence and a fold of its own: training data out of nothing."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from foldpix.generation.checks import whole_number
from foldpix.generation.composition import sample_sequences
from foldpix.generation.draws import Stream, uniform
from foldpix.generation.ragged import build_ragged
from foldpix.generation.segments import sample_segments
from foldpix.structure import Backbone

#: Chains that are made together; of like length they waste least.
CHUNK = 64


class MadeChain(NamedTuple):
    """A made-up chain.

    Attributes
    ----------
    number : int
    backbone : Backbone
        Named ``chain_<number>``, chain A.
    labels : str
        Secondary structure it was made with, a letter a residue: alpha helix H, 3-10 helix G, strand E, turn
        T, coil C.
    num_clashes : int
        Pairs of atoms that are too near; 0 in nearly all.
    radius : float
        Radius of gyration of its CA atoms, angstrom.
    """

    number: int
    backbone: Backbone
    labels: str
    num_clashes: int
    radius: float


def chain_lengths(
    numbers: Sequence[int] | np.ndarray, min_length: int, max_length: int, seed: int
) -> np.ndarray:
    """Residues of each of these chains, evenly from ``min_length`` to ``max_length``, both included.

    Returns
    -------
    ndarray of int, shape=(n,)

    Raises
    ------
    ValueError
        If the lengths are not 1 <= min_length <= max_length.
    """
    whole_number("min_length", min_length, 1)
    if not min_length <= whole_number("max_length", max_length, 1):
        raise ValueError(f"lengths must be 1 <= min_length <= max_length, not {min_length} and {max_length}")
    u = uniform(seed, np.asarray(numbers), Stream.LENGTH, 1)[:, 0].astype(np.float64)
    return min_length + (u * (max_length - min_length + 1)).astype(np.int64)


def sample_chains(
    numbers: Sequence[int] | np.ndarray,
    min_length: int = 40,
    max_length: int = 64,
    seed: int = 0,
    compact: bool = True,
) -> Iterator[MadeChain]:
    """Make chains up: lengths, secondary structure, sequence, torsions, fold.

    Parameters
    ----------
    numbers : sequence of int
        Which chains of the stream; number k depends on (seed, k) and the options alone.
    min_length, max_length : int
        Residues, both included; drawn evenly.
    seed : int
    compact : bool
        Fold to the radius of gyration of a protein domain; else only clashes are avoided.

    Yields
    ------
    MadeChain
        In the order of the numbers.

    Raises
    ------
    ValueError
        If the lengths are not 1 <= min_length <= max_length, or a number or the seed is out of range.
    """
    members = np.asarray(numbers)
    lengths = chain_lengths(members, min_length, max_length, seed)
    for first in range(0, len(members), CHUNK):
        chunk = slice(first, first + CHUNK)
        yield from _made(members[chunk], lengths[chunk], seed, compact)


def sample_backbones(
    num: int, min_length: int = 40, max_length: int = 64, seed: int = 0, start: int = 0
) -> Iterator[Backbone]:
    """The backbones of ``num`` chains from number ``start`` on; see :func:`sample_chains`."""
    if num < 0:
        raise ValueError(f"num must not be negative, not {num}")
    for chain in sample_chains(range(start, start + num), min_length, max_length, seed):
        yield chain.backbone


def _made(members: np.ndarray, lengths: np.ndarray, seed: int, compact: bool) -> Iterator[MadeChain]:
    sequences = sample_sequences(sample_segments(lengths, seed, members), seed, members)
    chains = build_ragged(sequences, seed, members, compact=compact)
    numbers, clashes = members.tolist(), chains.num_clashes.tolist()
    yield from map(
        MadeChain,
        numbers,
        chains.to_backbones(),
        chains.labels,
        clashes,
        chains.radius_of_gyration().tolist(),
    )
