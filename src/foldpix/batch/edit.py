"""Fields that a batch gets later."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.checks import as_rows, check_index, check_row_shape, check_same_rows
from foldpix.batch.plan import join_fields
from foldpix.batch.schema import LevelSchema
from foldpix.batch.storage import Level, Storage


def without(storage: Storage, key: str) -> Storage:
    """The storage less a field; ``KeyError`` if there is none. Its level's lengths stay."""
    storage.level_of(key)
    levels = {
        name: replace(level, fields={other: rows for other, rows in level.fields.items() if other != key})
        for name, level in storage.levels.items()
    }
    return replace(storage, levels=levels)


def with_rows(storage: Storage, schema: LevelSchema, key: str, rows: Tensor) -> Storage:
    """The storage with one more field, whose rows are those of all graphs."""
    name = schema.fields[key].level
    level = storage.levels.get(name) or _one_row_each(storage, name, schema.levels[name])
    check_row_shape(key, rows, schema.fields[key])
    if len(rows) != level.num_rows:
        raise ValueError(f"{key} has {len(rows)} rows; level {name} has {level.num_rows}")
    if level.capacity > level.num_rows:
        padded = rows.new_zeros((level.capacity, *rows.shape[1:]))
        padded[: len(rows)] = rows
        rows = padded
    kept = {other: live for other, live in level.fields.items() if other != key}
    levels = {**storage.levels, name: replace(level, fields={**kept, key: rows})}
    ordered = {other: levels[other] for other in schema.levels if other in levels}
    return replace(storage, schema=schema, levels=ordered)


def with_values(
    storage: Storage, schema: LevelSchema, key: str, values: Sequence[Tensor], device: torch.device
) -> Storage:
    """The storage with one more field, given graph by graph.

    Raises
    ------
    ValueError
        If there are not as many values as graphs, or a value's rows are not those of its graph.
    """
    if len(values) != storage.num_graphs:
        raise ValueError(f"{len(values)} values of {key} for {storage.num_graphs} graphs; give one each")
    field = schema.fields[key]
    ragged = schema.levels[field.level]
    if ragged and field.level not in storage.levels:
        raise ValueError(
            f"the batch has no rows of level {field.level}; give {key} to the graphs it is made of"
        )
    if not values:
        raise ValueError(f"no graphs to give {key} to; add it to the first ones")
    pieces = [as_rows(key, value, field, ragged) for value in values]
    if ragged:
        _check_lengths(key, pieces, storage.levels[field.level].lengths)
    sizes = {name: level.lengths for name, level in storage.levels.items()}
    for number, piece in enumerate(pieces):
        check_same_rows(key, pieces[0], piece, f"graph {number}")
        if field.index_of is not None:
            check_index(key, piece, field, _num_targets(sizes, field.index_of, number))
    joined = join_fields(schema, {key: pieces}, sizes)[key].to(device)
    return with_rows(storage, schema, key, joined)


def _num_targets(sizes: dict[str, np.ndarray], level: str, number: int) -> int:
    return int(sizes[level][number]) if level in sizes else 0


def _check_lengths(key: str, pieces: Sequence[Tensor], lengths: np.ndarray) -> None:
    given = np.array([len(piece) for piece in pieces])
    for number in np.flatnonzero(given != lengths):
        raise ValueError(f"{key} of graph {number} has {given[number]} rows; the graph has {lengths[number]}")


def _one_row_each(storage: Storage, name: str, ragged: bool) -> Level:
    """A level of one row a graph, without fields yet."""
    if ragged:
        raise ValueError(
            f"the batch has no rows of level {name}; give its fields to the graphs it is made of"
        )
    return Level({}, np.ones(storage.num_graphs, dtype=np.int64), storage.max_graphs)
