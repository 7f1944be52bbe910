"""Ragged batches: 256 graphs, the steps of a pipeline, beside plain PyTorch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.reference import ragged_batch as plain
from benchmarks.timing import Row, median_ms
from foldpix.batch import AtomicData, Batch, LevelSchema

SCHEMA = (
    LevelSchema()
    .with_field("masses", "node", torch.float32)
    .with_field("categories", "node", torch.int64)
    .with_field("velocities", "node", torch.float32)
)


def bench(
    num_graphs: int = 256, mean_nodes: int = 150, neighbours: float = 13.23, source: Path | None = None
) -> Iterator[Row]:
    """Each operation on one batch of made-up graphs."""
    items = graphs(num_graphs, mean_nodes, neighbours)
    batch = Batch.from_data_list([AtomicData(schema=SCHEMA, **item) for item in items])
    size = f"{num_graphs} graphs, {batch.num_nodes // 1000}k nodes, {batch.num_edges // 1000}k edges"
    fields, lengths = dict(iter(batch)), plain.lengths_of(items)
    half = np.random.default_rng(1).permutation(num_graphs)[: num_graphs // 2]
    half.sort()
    yield _from_data_list(items, lengths, size)
    yield _row("index_select half", size, *_select(batch, fields, lengths, half), "narrow + cat")
    yield _get_data(batch, fields, lengths, size)
    yield _put_defrag(batch, lengths, size)
    yield _append(batch, size)
    yield _row("clone", size, batch.clone, lambda: plain.clone(fields), "plain clone")


def graphs(num_graphs: int, mean_nodes: int, neighbours: float) -> list[plain.Fields]:
    """Made-up graphs, edges in the order of their senders."""
    rng, items = torch.Generator().manual_seed(0), []
    for _ in range(num_graphs):
        num_nodes = int(torch.randint(mean_nodes // 2, mean_nodes * 3 // 2 + 1, (), generator=rng))
        ends = torch.randint(0, num_nodes, (int(num_nodes * neighbours), 2), generator=rng)
        items.append(
            {
                "positions": torch.randn(num_nodes, 3, generator=rng),
                "velocities": torch.randn(num_nodes, 3, generator=rng),
                "masses": torch.rand(num_nodes, generator=rng),
                "atomic_numbers": torch.randint(1, 20, (num_nodes,), generator=rng),
                "categories": torch.randint(0, 4, (num_nodes,), generator=rng),
                "edge_index": ends[ends[:, 0].argsort()],
                "shifts": torch.randn(len(ends), 3, generator=rng),
                "energies": torch.randn(1, 1, generator=rng),
            }
        )
    return items


def _row(what, size, ours, reference, name):
    times = median_ms(ours, reference)
    return Row(what, size, times[0], times[1], name, times[1], name)


def _from_data_list(items, lengths, size) -> Row:
    data = [AtomicData(schema=SCHEMA, **item) for item in items]
    ours, reference, limit = median_ms(
        lambda: Batch.from_data_list(data), lambda: plain.collate(items, lengths), lambda: plain.cat(items)
    )
    return Row("from_data_list", size, ours, reference, "plain collate", limit, "torch.cat alone")


def _select(batch, fields, lengths, half):
    numbers = half.tolist()
    return lambda: batch.index_select(half), lambda: plain.select(fields, lengths, numbers)


def _get_data(batch, fields, lengths, size) -> Row:
    offsets, num_graphs = {level: plain.ptr(rows) for level, rows in lengths.items()}, batch.num_graphs
    ours, reference = median_ms(
        lambda: [batch.get_data(graph) for graph in range(num_graphs)],
        lambda: [plain.get(fields, offsets, graph) for graph in range(num_graphs)],
    )
    each = reference / num_graphs
    return Row("get_data, one graph", size, ours / num_graphs, each, "plain slices", each, "plain slices")


def _put_defrag(batch, lengths, size) -> Row:
    """A quarter of the graphs into a buffer, and out of the batch; both sides copy the batch first."""
    num_graphs = batch.num_graphs
    taken = torch.zeros(num_graphs, dtype=torch.bool)
    taken[torch.randperm(num_graphs, generator=torch.Generator().manual_seed(2))[: num_graphs // 4]] = True
    graphs, kept = taken.nonzero()[:, 0].tolist(), (~taken).nonzero()[:, 0].tolist()
    ours_into = Batch.empty(
        num_systems=num_graphs, num_nodes=batch.num_nodes, num_edges=batch.num_edges, template=batch
    )
    plain_into = {key: torch.zeros_like(rows) for key, rows in batch}

    def ours():
        source = batch.clone()
        ours_into.put(source, taken)
        source.defrag()
        ours_into._replace(ours_into._storage.without_graphs())

    def reference():
        source = plain.clone(dict(iter(batch)))
        plain.put(plain_into, source, lengths, graphs)
        plain.defrag(source, lengths, kept)

    return _row("put + defrag a quarter", size, ours, reference, "plain cycle")


def _append(batch, size) -> Row:
    half = batch.num_graphs // 2
    first, second = batch.index_select(slice(half)), batch.index_select(slice(half, None))
    mine, theirs, num_nodes = dict(iter(first)), dict(iter(second)), first.num_nodes
    storage = first._storage

    def ours():
        first.append(second)
        first._replace(storage)

    return _row(
        "append half to half", size, ours, lambda: plain.append(mine, theirs, num_nodes), "plain append"
    )
