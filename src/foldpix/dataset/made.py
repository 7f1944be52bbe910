"""Which made-up chains there are: their splits, and the chains themselves, by number."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from foldpix.generation.chains import CHUNK, MadeChain, chain_lengths, sample_chains
from foldpix.generation.draws import Stream, uniform

#: On record in every folder of made-up chains: raise it when the same options make other chains.
CHAINS_FORMAT = "foldpix-made 2"
#: Chains are numbered below it, as in the counters of their draws.
END = 2**63 - 1
#: Consecutive numbers with an exact share of validation chains.
SPLIT_BLOCK = 1000


class Stopped(Exception):
    """Somebody asked for the work to end; what was under way is not there."""


@dataclass(frozen=True)
class ChainOptions:
    """What the made-up chains are.

    Parameters
    ----------
    seed : int
        Chain k depends on (seed, k) and the options below alone.
    start : int
        Number of the first chain.
    min_length, max_length : int
        Residues, both included.
    compact : bool
        Folded up, instead of as the torsions were drawn.
    valid_frac : float
        Share of ``val``, to the nearest of 1,000.
    """

    seed: int
    start: int
    min_length: int
    max_length: int
    compact: bool
    valid_frac: float


def lengths_of(numbers: np.ndarray, options: ChainOptions) -> np.ndarray:
    """Residues of each chain, without building it."""
    return chain_lengths(numbers, options.min_length, options.max_length, options.seed)


def is_val(numbers: np.ndarray, options: ChainOptions) -> np.ndarray:
    """Which chains are for validation; a bool each.

    Of K in a thousand, each is drawn from its own K-th of the thousand: any run of consecutive chains, be it
    short, holds its share to within one or two.
    """
    num_val = round(SPLIT_BLOCK * options.valid_frac)
    if num_val == 0:
        return np.zeros(len(numbers), dtype=bool)
    edges = np.arange(num_val + 1) * SPLIT_BLOCK // num_val
    thousands = np.unique(numbers // SPLIT_BLOCK)
    draws_TK = uniform(options.seed, thousands, Stream.SPLIT, num_val).astype(np.float64)
    places_TK = edges[:-1] + (draws_TK * np.diff(edges)).astype(np.int64)
    return np.isin(numbers, thousands[:, None] * SPLIT_BLOCK + places_TK)


def build(numbers: np.ndarray, options: ChainOptions, is_stopped: Callable[[], bool]) -> Iterator[MadeChain]:
    """The chains, in order of their numbers, when all are built.

    Raises
    ------
    Stopped
        As soon as ``is_stopped()``.
    """
    by_length = numbers[np.argsort(lengths_of(numbers, options), kind="stable")]
    made: list[MadeChain] = []
    for first in range(0, len(by_length), CHUNK):
        check_stopped(is_stopped)
        chunk = by_length[first : first + CHUNK]
        made += sample_chains(
            chunk, options.min_length, options.max_length, options.seed, compact=options.compact
        )
    for chain in sorted(made, key=attrgetter("number")):
        check_stopped(is_stopped)
        yield chain


def check_stopped(is_stopped: Callable[[], bool]) -> None:
    """Raise `Stopped` if ``is_stopped()``."""
    if is_stopped():
        raise Stopped
