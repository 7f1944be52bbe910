"""Which runs of graphs go where: selecting, putting, compacting and joining are all this."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from torch import Tensor

from foldpix.batch.checks import check_index_room
from foldpix.batch.rows import concatenate, concatenate_index
from foldpix.batch.schema import LevelSchema
from foldpix.batch.storage import Level, Storage, tight_level, tight_storage


class Plan:
    """Copy graphs, in the order given, behind what is there.

    Neighbours in the source that stay neighbours are one run and one copy a field.

    Parameters
    ----------
    source : Storage
    graphs : ndarray, dtype=int64, shape=(n,)
        Their numbers in the source.
    bases : mapping of str to int, optional
        By level, the row of the destination where the first graph begins; 0 by default.
    """

    def __init__(self, source: Storage, graphs: np.ndarray, bases: Mapping[str, int] | None = None) -> None:
        self.source, self.graphs, self._bases = source, graphs, bases or {}
        self._spans: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    @cached_property
    def _runs(self) -> tuple[np.ndarray, np.ndarray]:
        """First graph of each run, and the one behind its last."""
        breaks = np.flatnonzero(np.diff(self.graphs) != 1)
        return self.graphs[np.concatenate(([0], breaks + 1))], self.graphs[np.append(breaks, -1)] + 1

    def lengths(self, name: str) -> np.ndarray:
        """Rows of each graph at a level."""
        return self.source.levels[name].lengths[self.graphs]

    def num_rows(self, name: str) -> int:
        """Rows of all graphs at a level."""
        return int(self.lengths(name).sum())

    def copy(self, name: str, key: str, out: Tensor | None = None) -> Tensor:
        """The graphs' rows of one field, in a new tensor or in `out`."""
        rows = self.source.levels[name].fields[key]
        if len(self.graphs) == 0:
            return rows[:0].clone() if out is None else out
        starts, sizes = self._span(name)
        ends = starts + sizes
        pieces = [rows[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        field = self.source.schema.fields[key]
        if field.index_of is None:
            return concatenate(pieces, out)
        end = self._bases.get(field.index_of, 0) + self.num_rows(field.index_of)
        check_index_room(key, rows.dtype, end)
        return concatenate_index(pieces, self._shifts(field.index_of), field.padded, out)

    def _span(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """First row and number of rows of each run."""
        if name not in self._spans:
            ptr = self.source.levels[name].ptr
            first, stop = self._runs
            self._spans[name] = ptr[first], ptr[stop] - ptr[first]
        return self._spans[name]

    def _shifts(self, target: str) -> list[int]:
        """What indices of rows of that level change by, run by run."""
        starts, sizes = self._span(target)
        return (self._bases.get(target, 0) + _starts(sizes) - starts).tolist()


def select(source: Storage, graphs: np.ndarray) -> Storage:
    """The graphs of these numbers, copied, without room for more."""
    plan = Plan(source, graphs)
    levels = {
        name: tight_level({key: plan.copy(name, key) for key in level.fields}, plan.lengths(name))
        for name, level in source.levels.items()
    }
    return tight_storage(source.schema, levels, len(graphs))


def write_behind(target: Storage, source: Storage, graphs: np.ndarray) -> Storage:
    """Copy graphs behind those of the target, into its tensors; there must be room, and the same fields."""
    bases = {name: level.num_rows for name, level in target.levels.items()}
    plan, levels = Plan(source, graphs, bases), {}
    for name, level in target.levels.items():
        num_rows = plan.num_rows(name)
        for key, rows in level.fields.items():
            plan.copy(name, key, out=rows[bases[name] : bases[name] + num_rows])
        levels[name] = level.with_lengths(np.concatenate((level.lengths, plan.lengths(name))))
    return Storage(target.schema, levels, target.num_graphs + len(graphs), target.max_graphs)


def compact(storage: Storage, kept: np.ndarray) -> Storage:
    """Move the graphs of these ascending numbers to the front of their tensors; what that frees becomes 0."""
    num_still = int(np.flatnonzero(np.append(kept, -1) != np.arange(len(kept) + 1))[0])
    bases = {name: int(level.ptr[num_still]) for name, level in storage.levels.items()}
    plan, levels = Plan(storage, kept[num_still:], bases), {}
    for name, level in storage.levels.items():
        end = bases[name] + plan.num_rows(name)
        for key, rows in level.fields.items():
            rows[bases[name] : end] = plan.copy(name, key)  # not straight: source and destination overlap
            rows[end : level.num_rows].zero_()
        levels[name] = level.with_lengths(level.lengths[kept])
    return Storage(storage.schema, levels, len(kept), storage.max_graphs)


def join_fields(
    schema: LevelSchema, columns: Mapping[str, list[Tensor]], sizes: Mapping[str, np.ndarray]
) -> dict[str, Tensor]:
    """One tensor a field from pieces of whole graphs.

    Parameters
    ----------
    columns : mapping of str to list of Tensor
        The pieces of each field.
    sizes : mapping of str to ndarray
        Rows of each piece at each level.
    """
    joined = {}
    for key, pieces in columns.items():
        field = schema.fields[key]
        if field.index_of is None:
            joined[key] = concatenate(pieces)
            continue
        rows = sizes[field.index_of]
        check_index_room(key, pieces[0].dtype, int(rows.sum()))
        joined[key] = concatenate_index(pieces, _starts(rows).tolist(), field.padded)
    return joined


def join(first: Storage, second: Storage) -> Storage:
    """Graphs of two storages with the same levels and fields, in new tensors."""
    sizes = {
        name: np.array([level.num_rows, second.levels[name].num_rows]) for name, level in first.levels.items()
    }
    levels = {}
    for name, level in first.levels.items():
        other = second.levels[name]
        columns = {key: [level.live(key), other.live(key)] for key in level.fields}
        lengths = np.concatenate((level.lengths, other.lengths))
        levels[name] = Level(join_fields(first.schema, columns, sizes), lengths, int(sizes[name].sum()))
    return tight_storage(first.schema, levels, first.num_graphs + second.num_graphs)


def _starts(sizes: np.ndarray) -> np.ndarray:
    """Where each piece begins."""
    return np.cumsum(sizes) - sizes
