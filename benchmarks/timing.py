"""Medians of CPU time, side by side."""

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

#: Time for a line of the table, and the rounds it gets at any rate.
SECONDS, LEAST_ROUNDS = 1.5, 3

Work = Callable[[], object]


class Row(NamedTuple):
    """A line of the table; times in milliseconds of CPU, NaN where there is none."""

    what: str
    size: str
    ours: float
    reference: float
    reference_name: str
    limit: float
    limit_name: str


def median_ms(*works: Work) -> list[float]:
    """Median CPU time of each in milliseconds."""
    return medians(*(partial(cpu_ms, work) for work in works))


def medians(*measures: Callable[[], float]) -> list[float]:
    """Median of each, taken in turns, so that what disturbs one disturbs all.

    A first round does not count.
    """
    for measure in measures:
        measure()
    rounds: list[list[float]] = []
    end = time.monotonic() + SECONDS
    while len(rounds) < LEAST_ROUNDS or time.monotonic() < end:
        rounds.append([measure() for measure in measures])
    return [statistics.median(values) for values in zip(*rounds, strict=True)]


def cpu_ms(work: Work) -> float:
    """CPU time of one call in milliseconds."""
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def figure(value: float) -> str:
    """Three digits for a table, ``-`` for NaN."""
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
