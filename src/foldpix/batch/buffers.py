"""Room for graphs that come later, and what may go into it."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.checks import check_same_keys, check_same_rows
from foldpix.batch.item import AtomicData
from foldpix.batch.schema import Field, LevelSchema
from foldpix.batch.selection import mask_array
from foldpix.batch.storage import Level, Storage


def minimal_item(with_edges: bool) -> AtomicData:
    """What a buffer holds that nobody described: positions, atomic numbers, energies, and edges if any."""
    edges = torch.zeros((0, 2), dtype=torch.int64) if with_edges else None
    return AtomicData(
        positions=torch.zeros(0, 3),
        atomic_numbers=torch.zeros(0, dtype=torch.int64),
        energies=torch.zeros((1, 1), dtype=torch.float64),
        edge_index=edges,
    )


def empty_storage(
    schema: LevelSchema,
    template: Mapping[str, Mapping[str, Tensor]],
    capacities: Mapping[str, int],
    device: torch.device,
) -> Storage:
    """Zeros for a number of rows at each level, and no graph.

    Parameters
    ----------
    template : mapping of str to mapping of str to Tensor
        By level, fields with the rows' shapes and dtypes.
    capacities : mapping of str to int
        Rows by level; that of "system", the number of graphs, holds for every level of one row a graph.

    Raises
    ------
    ValueError
        If one is missing, negative, or of a level that there is not.
    """
    rows = {schema.level(name): number for name, number in capacities.items()}
    for name, number in rows.items():
        if number < 0:
            raise ValueError(f"room for {number} rows of level {name}; it must be 0 or more")
    levels = {}
    for name in (name for name in schema.levels if name in template):
        capacity = rows.get(name) if schema.levels[name] else rows["system"]
        if capacity is None:
            raise ValueError(f"no capacity of level {name}; give num_rows={{{name!r}: ...}}")
        fields = {
            key: value.new_zeros((capacity, *value.shape[1:]), device=device)
            for key, value in template[name].items()
        }
        levels[name] = Level(fields, np.zeros(0, dtype=np.int64), capacity)
    return Storage(schema, levels, 0, rows["system"])


def check_matching(target: Storage, source: Storage, whose: str) -> None:
    """``ValueError`` if levels, fields, their rows or their meaning differ."""
    check_same_keys(target.levels, source.levels, f"{whose}, by levels,")
    for name, level in target.levels.items():
        other = source.levels[name]
        check_same_keys(level.fields, other.fields, f"level {name} of {whose}")
        for key, rows in level.fields.items():
            check_same_rows(key, rows, other.fields[key], whose)
            ours, theirs = target.schema.fields[key], source.schema.fields[key]
            if _meaning(ours) != _meaning(theirs):
                raise ValueError(f"{key} of {whose} is {theirs}; it must be {ours}")


def aligned(source: Storage, target: Storage) -> Storage:
    """The source with the levels that only the target has: no rows, or zeros where each graph has one."""
    missing = {name: level for name, level in target.levels.items() if name not in source.levels}
    if not missing:
        return source
    levels = dict(source.levels)
    for name, level in missing.items():
        each = 0 if target.schema.levels[name] else 1
        lengths = np.full(source.num_graphs, each)
        num_rows = int(lengths.sum())
        fields = {key: rows.new_zeros((num_rows, *rows.shape[1:])) for key, rows in level.fields.items()}
        levels[name] = Level(fields, lengths, num_rows)
    schema = LevelSchema(
        {**target.schema.fields, **source.schema.fields}, target.schema.levels, target.schema.aliases
    )
    return Storage(schema, levels, source.num_graphs, source.num_graphs)


def fitting(target: Storage, source: Storage, wanted: np.ndarray) -> np.ndarray:
    """Numbers of the wanted graphs that go into the free room, in turn, passing over what does not fit."""
    room = {name: level.capacity - level.num_rows for name, level in target.levels.items()}
    left, graphs = target.max_graphs - target.num_graphs, np.flatnonzero(wanted)
    totals = {name: source.levels[name].lengths[graphs].sum() for name in room}
    if len(graphs) <= left and all(totals[name] <= room[name] for name in room):
        return graphs
    fits: list[int] = []
    for graph in graphs.tolist():
        sizes = {name: int(source.levels[name].lengths[graph]) for name in room}
        if len(fits) < left and all(sizes[name] <= room[name] for name in room):
            fits.append(graph)
            room = {name: room[name] - sizes[name] for name in room}
    return np.array(fits, dtype=np.int64)


def has_room(target: Storage, source: Storage) -> bool:
    """Whether all graphs of the source go into the free room."""
    return len(fitting(target, source, np.ones(source.num_graphs, dtype=bool))) == source.num_graphs


def check_occupied(dest_mask: Tensor, target: Storage) -> None:
    """``ValueError`` if the mask does not say that just the first slots, the live graphs, are occupied."""
    occupied = mask_array("dest_mask", dest_mask, target.max_graphs)
    if not np.array_equal(occupied, np.arange(target.max_graphs) < target.num_graphs):
        raise ValueError(
            f"dest_mask has {occupied.sum()} slots occupied; the buffer's graphs are in its first "
            f"{target.num_graphs} slots, so just these must be True"
        )


def _meaning(field: Field) -> tuple[str, str | None, bool]:
    return field.level, field.index_of, field.padded
