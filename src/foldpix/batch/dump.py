"""A batch as one flat dictionary of tensors and plain values, and storage from tensors that are there."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.checks import check_row_shape
from foldpix.batch.schema import RESERVED, LevelSchema
from foldpix.batch.storage import Storage, tight_level, tight_storage


def storage_of(
    schema: LevelSchema, fields: Mapping[str, Tensor], lengths: Mapping[str, Sequence[int]]
) -> Storage:
    """Storage of tensors as they are, no copy; indices count rows of the whole batch.

    Raises
    ------
    ValueError
        If lengths are missing, negative, not one a graph, or do not add up to a field's rows.
    """
    counts = {schema.level(name): np.array(rows, dtype=np.int64) for name, rows in lengths.items()}
    by_level: dict[str, dict[str, Tensor]] = {name: {} for name in counts}
    for key, rows in fields.items():
        check_row_shape(key, rows, schema.field(key))
        by_level.setdefault(schema.fields[key].level, {})[key] = rows
    num_graphs = _num_graphs(counts, by_level, schema)
    for name in by_level:
        if name not in counts and schema.levels[name]:
            raise ValueError(f"no lengths of level {name}; give the rows of each graph")
        _check_level(
            name, by_level[name], counts.setdefault(name, np.ones(num_graphs, dtype=np.int64)), num_graphs
        )
    levels = {name: tight_level(by_level[name], counts[name]) for name in by_level}
    return tight_storage(schema, levels, num_graphs)


def load_storage(dump: Mapping[str, Any]) -> Storage:
    """The storage that :meth:`foldpix.batch.Batch.model_dump` wrote down."""
    missing = {"schema", "lengths"} - dump.keys()
    if missing:
        raise ValueError(f"the dictionary lacks {', '.join(sorted(missing))}; give one of Batch.model_dump")
    fields = {key: rows for key, rows in dump.items() if key not in RESERVED}
    return storage_of(LevelSchema.from_dict(dump["schema"]), fields, dump["lengths"])


def plain_lengths(storage: Storage) -> dict[str, list[int]]:
    """Rows of each graph by level."""
    return {name: level.lengths.tolist() for name, level in storage.levels.items()}


def device_of(fields: Mapping[str, Tensor]) -> torch.device:
    """Where the fields lie, the CPU without any; ``ValueError`` if they are not in one place."""
    devices = {rows.device for rows in fields.values()}
    if len(devices) > 1:
        raise ValueError(f"fields on {', '.join(sorted(map(str, devices)))}; move them to one device")
    return devices.pop() if devices else torch.device("cpu")


def _num_graphs(
    counts: Mapping[str, np.ndarray], by_level: Mapping[str, Mapping[str, Tensor]], schema: LevelSchema
) -> int:
    for rows in counts.values():
        return len(rows)
    for name, fields in by_level.items():
        if not schema.levels[name]:
            return len(next(iter(fields.values())))
    return 0


def _check_level(name: str, fields: Mapping[str, Tensor], lengths: np.ndarray, num_graphs: int) -> None:
    if len(lengths) != num_graphs or (lengths < 0).any():
        raise ValueError(
            f"level {name} has lengths {lengths.tolist()[:5]}...; give one of 0 or more to each graph"
        )
    for key, rows in fields.items():
        if len(rows) != lengths.sum():
            raise ValueError(
                f"{key} has {len(rows)} rows; the lengths of level {name} add up to {lengths.sum()}"
            )
