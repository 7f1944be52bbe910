"""Batches from another process: the ring, beside a queue of tensors."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
import torch.multiprocessing as mp

from benchmarks.timing import Row
from foldpix.batch import AtomicData, Batch
from foldpix.batch.ring import Ring


def chains(num_batches: int, batch_size: int, length: int):
    """The same batch again and again: what is measured is the way, not the making."""
    item = AtomicData(positions=torch.zeros(length, 3), charges=torch.zeros(length), energies=[[0.0]])
    batch = Batch.from_data_list([item] * batch_size)
    for _ in range(num_batches):
        yield batch


def bench(
    num_batches: int = 300, batch_size: int = 64, length: int = 128, source: Path | None = None
) -> Iterator[Row]:
    """Wall time a chain, from the first batch to the last, beside messages of three tensors."""
    ours = _ring_ms(num_batches, batch_size, length)
    each, whole = (_queue_ms(num_batches // 10 + 2, batch_size, length, whole) for whole in (False, True))
    what, size = "feed a chain (wall)", f"{batch_size} chains of {length} a batch"
    yield Row(what, size, ours, each, "queue of chains", whole, "queue of batches")


def _ring_ms(num_batches: int, batch_size: int, length: int) -> float:
    make = partial(chains, num_batches, batch_size, length)
    (template,) = chains(1, 1, length)
    room = {"num_systems": batch_size, "num_nodes": batch_size * length, "num_edges": 0}
    with Ring(make, template, num_slots=4, **room) as ring:
        batches = iter(ring)
        next(batches)
        start, seen = time.perf_counter(), 0
        for batch in batches:
            seen += batch.num_graphs
        return 1e3 * (time.perf_counter() - start) / seen


def _queue_ms(num_batches: int, batch_size: int, length: int, whole: bool) -> float:
    context = mp.get_context("spawn")
    queue, done = context.Queue(4 if whole else 4 * batch_size), context.Event()
    process = context.Process(
        target=_fill, args=(queue, done, num_batches, batch_size, length, whole), daemon=True
    )
    process.start()
    queue.get()
    start, count = time.perf_counter(), num_batches if whole else num_batches * batch_size
    for _ in range(count - 1):
        queue.get()
    elapsed = time.perf_counter() - start
    done.set()
    process.join()
    return 1e3 * elapsed / (num_batches * batch_size)


def _fill(queue, done, num_batches: int, batch_size: int, length: int, whole: bool) -> None:
    for batch in chains(num_batches, batch_size, length):
        for fields in [batch] if whole else batch.to_data_list():
            queue.put({key: rows.clone() for key, rows in fields})
    done.wait()
