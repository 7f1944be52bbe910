"""Ragged batches in plain PyTorch: dictionaries of tensors and lists of lengths, no checks, no classes."""

from itertools import accumulate, pairwise

import torch
from torch import Tensor

#: Level of each field, and the one field of indices.
LEVELS = {
    "positions": "node",
    "velocities": "node",
    "masses": "node",
    "atomic_numbers": "node",
    "categories": "node",
    "edge_index": "edge",
    "shifts": "edge",
    "energies": "system",
}
INDEX = "edge_index"

Fields = dict[str, Tensor]
Lengths = dict[str, list[int]]


def graphs(num_graphs: int, mean_nodes: int, neighbours: float) -> list[Fields]:
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


def half_of(num_graphs: int) -> list[int]:
    """Half of the numbers, drawn, ascending."""
    order = torch.randperm(num_graphs, generator=torch.Generator().manual_seed(1))
    return sorted(order[: num_graphs // 2].tolist())


def quarter_of(num_graphs: int) -> list[int]:
    """A quarter of the numbers, drawn, ascending."""
    order = torch.randperm(num_graphs, generator=torch.Generator().manual_seed(2))
    return sorted(order[: num_graphs // 4].tolist())


def ptr(lengths: list[int]) -> list[int]:
    return [0, *accumulate(lengths)]


def lengths_of(items: list[Fields]) -> Lengths:
    return {
        "node": [len(item["positions"]) for item in items],
        "edge": [len(item[INDEX]) for item in items],
        "system": [1] * len(items),
    }


def cat(items: list[Fields]) -> Fields:
    """Without offsets: what any batch costs."""
    return {key: torch.cat([item[key] for item in items]) for key in items[0]}


def collate(items: list[Fields], lengths: Lengths) -> Fields:
    batch = {key: torch.cat([item[key] for item in items]) for key in items[0] if key != INDEX}
    edges = torch.empty((sum(lengths["edge"]), 2), dtype=torch.int64)
    spans = pairwise(ptr(lengths["edge"]))
    for item, first, (start, stop) in zip(items, ptr(lengths["node"]), spans, strict=False):
        torch.add(item[INDEX], first, out=edges[start:stop])
    return {**batch, INDEX: edges}


def runs(graphs: list[int]) -> list[tuple[int, int]]:
    """First graph and end of each run of neighbours."""
    found: list[tuple[int, int]] = []
    for graph in graphs:
        if found and found[-1][1] == graph:
            found[-1] = (found[-1][0], graph + 1)
        else:
            found.append((graph, graph + 1))
    return found


def select(batch: Fields, lengths: Lengths, graphs: list[int]) -> Fields:
    """Runs of graphs, narrowed and concatenated."""
    offsets, chosen = {level: ptr(rows) for level, rows in lengths.items()}, runs(graphs)
    result = {}
    for key, rows in batch.items():
        at = offsets[LEVELS[key]]
        pieces = [rows.narrow(0, at[first], at[stop] - at[first]) for first, stop in chosen]
        if key == INDEX:
            nodes, new, shifted = offsets["node"], 0, []
            for piece, (first, stop) in zip(pieces, chosen, strict=True):
                shifted.append(piece + (new - nodes[first]))
                new += nodes[stop] - nodes[first]
            pieces = shifted
        result[key] = torch.cat(pieces)
    return result


def get(batch: Fields, offsets: Lengths, graph: int) -> Fields:
    """One graph, from pointers."""
    item = {}
    for key, rows in batch.items():
        at = offsets[LEVELS[key]]
        item[key] = rows[at[graph] : at[graph + 1]]
    item[INDEX] = item[INDEX] - offsets["node"][graph]
    return item


def put(buffer: Fields, batch: Fields, lengths: Lengths, graphs: list[int]) -> None:
    """Copy graphs to the front of a buffer, run by run."""
    offsets = {level: ptr(rows) for level, rows in lengths.items()}
    ends = dict.fromkeys(offsets, 0)
    for first, stop in runs(graphs):
        for key, rows in batch.items():
            at, end = offsets[LEVELS[key]], ends[LEVELS[key]]
            source = rows[at[first] : at[stop]]
            target = buffer[key][end : end + len(source)]
            if key == INDEX:
                torch.add(source, ends["node"] - offsets["node"][first], out=target)
            else:
                target.copy_(source)
        for level, at in offsets.items():
            ends[level] += at[stop] - at[first]


def defrag(batch: Fields, lengths: Lengths, kept: list[int]) -> None:
    """Keep some graphs, at the front of the same tensors; the rest becomes 0."""
    for key, rows in select(batch, lengths, kept).items():
        batch[key][: len(rows)] = rows
        batch[key][len(rows) :].zero_()


def append(first: Fields, second: Fields, num_nodes: int) -> Fields:
    moved = {**second, INDEX: second[INDEX] + num_nodes}
    return {key: torch.cat([rows, moved[key]]) for key, rows in first.items()}


def clone(batch: Fields) -> Fields:
    return {key: rows.clone() for key, rows in batch.items()}
