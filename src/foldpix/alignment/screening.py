"""One reference against any number of fits, of which the best are kept: `screen`.

Memory holds a block of fits and the best, however long the stream is. Under `jax.distributed` each process
overlays every n-th block, and all of them return the best of all.
"""

import heapq
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from foldpix.alignment.prepare import OK
from foldpix.alignment.search import Alignment

Fit = TypeVar("Fit")


@dataclass(frozen=True, eq=False)
class Hit(Generic[Fit]):
    """One of the best.

    Parameters
    ----------
    place : int
        In the stream, from 0.
    fit : object
        As it came from the stream.
    score : float
    transform : ndarray, shape=(4, 4), dtype=float64
        x' = R x + t moves the fit onto the reference.
    """

    place: int
    fit: Fit
    score: float
    transform: np.ndarray

    def __lt__(self, other: "Hit") -> bool:
        """Whether the other is better; of equals the earlier one is."""
        return (self.score, -self.place) < (other.score, -other.place)


@dataclass(frozen=True, eq=False)
class Screening(Generic[Fit]):
    """What came of a stream.

    Parameters
    ----------
    hits : list of Hit
        The best, best first.
    statuses : Counter
        How many fits ended with each status, "ok" or why there is no pose.
    """

    hits: list[Hit[Fit]]
    statuses: Counter[str]


def screen(
    fits: Iterable[Fit],
    overlay: Callable[[list[Fit]], Alignment],
    *,
    top_k: int = 100,
    by: str = "scores",
    block_size: int = 512,
) -> Screening[Fit]:
    """Overlay a stream block by block and keep the best.

    Parameters
    ----------
    fits : iterable
        What `overlay` takes; never held as a whole. Every process must be given the same stream.
    overlay : callable
        Lays a block on the reference: for clouds
        ``lambda block: align([ref] * len(block), block, Volume())``, for backbones
        ``lambda block: align_backbones([ref] * len(block), block)``.
    top_k : int
        The most hits.
    by : str
        Which numbers of the alignment rank the fits: ``scores``, for backbones also ``tm_scores``.
    block_size : int
        Fits a block.

    Returns
    -------
    Screening
        The same in every process.

    Raises
    ------
    ValueError
        If `top_k` or `block_size` is less than 1.
    """
    for name, value in (("top_k", top_k), ("block_size", block_size)):
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be 1 or more")
    best: list[Hit[Fit]] = []
    statuses: Counter[str] = Counter()
    for number, block in enumerate(_blocks(fits, block_size)):
        if number % jax.process_count() == jax.process_index():
            found = overlay(block)
            statuses.update(found.statuses.tolist())
            best = heapq.nlargest(top_k, [*best, *_hits(block, number * block_size, found, by)])
    parts = _of_all_processes((best, statuses))
    every = [hit for hits, _ in parts for hit in hits]
    return Screening(heapq.nlargest(top_k, every), sum((counts for _, counts in parts), Counter()))


def _blocks(fits: Iterable[Fit], size: int) -> Iterator[list[Fit]]:
    stream = iter(fits)
    while block := list(islice(stream, size)):
        yield block


def _hits(block: list[Fit], first: int, found: Alignment, by: str) -> Iterator[Hit[Fit]]:
    scores = getattr(found, by)
    for k in np.flatnonzero(found.statuses == OK):
        yield Hit(first + int(k), block[k], float(scores[k]), found.transforms[k])


def _of_all_processes(mine: Any) -> list[Any]:
    """What each process has, by its index."""
    if jax.process_count() == 1:
        return [mine]
    data = np.frombuffer(pickle.dumps(mine), np.uint8)
    sizes = multihost_utils.process_allgather(np.array(len(data)))
    padded = np.zeros(sizes.max(), np.uint8)
    padded[: len(data)] = data
    rows = multihost_utils.process_allgather(padded)
    return [pickle.loads(row[:size].tobytes()) for row, size in zip(rows, sizes, strict=True)]
