"""Graphs to a batch."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.checks import check_row_shape, check_same_keys, check_same_rows
from foldpix.batch.item import AtomicData
from foldpix.batch.plan import join_fields
from foldpix.batch.schema import LevelSchema
from foldpix.batch.storage import Storage, tight_level, tight_storage

Columns = Mapping[str, list[Tensor]]


def collate(
    items: Sequence[AtomicData],
    device: torch.device,
    schema: LevelSchema | None,
    skip_validation: bool,
    exclude: Collection[str],
) -> Storage:
    """Graphs with the same fields, one behind the other; see :meth:`foldpix.batch.Batch.from_data_list`."""
    first = items[0]
    schema = schema or first.schema
    if not skip_validation:
        _check_keys(items, schema, exclude)
    graphs = [item.fields for item in items]
    columns = {key: [fields[key] for fields in graphs] for key in first.fields if key not in exclude}
    if not skip_validation:
        _check_columns(columns, schema)
    lengths = {
        name: np.array([item.lengths[name] for item in items])
        for name in schema.levels
        if name in first.lengths
    }
    try:
        joined = join_fields(schema, columns, lengths)
    except RuntimeError:  # torch.cat looks at shapes and devices anyway, and faster than Python
        _name_odd_one(columns)
        raise
    levels = {
        name: tight_level(
            {key: rows.to(device) for key, rows in joined.items() if schema.fields[key].level == name},
            rows_each,
        )
        for name, rows_each in lengths.items()
    }
    return tight_storage(schema, levels, len(items))


def _check_keys(items: Sequence[AtomicData], schema: LevelSchema, exclude: Collection[str]) -> None:
    """All have the fields of the first, and mean the same by them."""
    ours = {key: None for key, _ in items[0] if key not in exclude}
    for number, item in enumerate(items):
        if item.fields.keys() != items[0].fields.keys():
            theirs = {key: None for key, _ in item if key not in exclude}
            check_same_keys(ours, theirs, f"graph {number}")
        if item.schema is not schema:
            _check_schema(number, item, schema, ours)


def _check_schema(number: int, item: AtomicData, schema: LevelSchema, keys: Collection[str]) -> None:
    for key in keys:
        ours, theirs = schema.field(key), item.schema.fields[key]
        if (ours.level, ours.index_of, ours.padded) != (theirs.level, theirs.index_of, theirs.padded):
            raise ValueError(f"{key} of graph {number} is {theirs}; the batch has {ours}")


def _check_columns(columns: Columns, schema: LevelSchema) -> None:
    """One dtype a field (torch.cat would promote) and one shape of index rows (adding would widen)."""
    for key, column in columns.items():
        check_row_shape(key, column[0], schema.fields[key])
        kinds = {value.dtype for value in column}
        is_index = schema.fields[key].index_of is not None
        if len(kinds) > 1 or (is_index and len({value.shape[1:] for value in column}) > 1):
            _name_odd_one({key: column})


def _name_odd_one(columns: Columns) -> None:
    """The error about the first graph whose rows differ from those of graph 0, if one does."""
    for key, column in columns.items():
        for number, value in enumerate(column):
            check_same_rows(key, column[0], value, f"graph {number}")
            if value.device != column[0].device:
                raise ValueError(
                    f"{key} of graph {number} is on {value.device}; move it to {column[0].device}"
                )
