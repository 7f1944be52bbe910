"""Generators of batches for a ring, and a loop to be killed; light to import."""

import sys
import time
from collections.abc import Iterator

import torch

from foldpix.batch import AtomicData, Batch
from foldpix.batch.ring import Ring

ROOM = {"num_systems": 64, "num_nodes": 400, "num_edges": 64}


def chain(number: int) -> AtomicData:
    """A graph that says its number at each level."""
    many = 1 + number % 7
    return AtomicData(
        positions=torch.full((many, 3), float(number)),
        edge_index=torch.tensor([[0, many - 1]]),
        energies=torch.tensor([[number]], dtype=torch.float64),
    )


def chains(num_batches: int, batch_size: int) -> Iterator[Batch]:
    for number in range(num_batches):
        first = number * batch_size
        yield Batch.from_data_list([chain(first + k) for k in range(batch_size)])


def many_chains(total: int, batch_size: int) -> Iterator[Batch]:
    """As `chains`, without the cost of making them anew: only the numbers change."""
    batch = next(chains(1, batch_size))
    for first in range(0, total, batch_size):
        batch.energies = first + torch.arange(batch_size, dtype=torch.float64)[:, None]
        yield batch


def failing() -> Iterator[Batch]:
    yield from chains(1, 5)
    raise ArithmeticError("out of chains")


def too_large() -> Iterator[Batch]:
    yield Batch.from_data_list(
        [AtomicData(positions=torch.zeros(999, 3), edge_index=[[0, 1]], energies=[[0.0]])]
    )


def endless() -> Iterator[Batch]:
    while True:
        yield from chains(1, 5)


def stuck(num_batches: int = 1, batch_size: int = 5) -> Iterator[Batch]:
    yield from chains(num_batches, batch_size)
    time.sleep(600)


if __name__ == "__main__":
    with Ring(endless if sys.argv[1] == "endless" else stuck, chain(0), **ROOM) as ring:
        for _ in ring:
            print(ring._process.pid, flush=True)
            time.sleep(600)
