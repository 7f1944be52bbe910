"""Tensors of a batch, and how many of their rows belong to which graph."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from foldpix.batch.schema import LevelSchema


@dataclass(frozen=True)
class Level:
    """The rows of one level: those of graph 0, of graph 1, ... and behind them, in a buffer, free ones.

    Parameters
    ----------
    fields : dict of str to Tensor, shape=(capacity, ...)
    lengths : ndarray, dtype=int64, shape=(G,)
        Rows of each graph. They lie on the host and are what counts; devices are never asked.
    capacity : int
        Rows that the tensors have.
    """

    fields: dict[str, Tensor]
    lengths: np.ndarray
    capacity: int

    @cached_property
    def ptr(self) -> np.ndarray:
        """First row of each graph, and the end; dtype=int64, shape=(G + 1,)."""
        return np.concatenate((_ZERO, np.cumsum(self.lengths)))

    @cached_property
    def num_rows(self) -> int:
        """Rows that belong to graphs."""
        return int(self.ptr[-1])

    def live(self, key: str) -> Tensor:
        """The rows of a field that belong to graphs; a view where there are more."""
        rows = self.fields[key]
        return rows if self.num_rows == self.capacity else rows[: self.num_rows]

    def with_lengths(self, lengths: np.ndarray) -> "Level":
        """The same tensors for other graphs."""
        return Level(self.fields, lengths, self.capacity)

    def map(self, change: Callable[[Tensor], Tensor]) -> "Level":
        """The same graphs with changed tensors."""
        return Level({key: change(rows) for key, rows in self.fields.items()}, self.lengths, self.capacity)


_ZERO = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Storage:
    """The levels of a batch that have fields, or had some.

    Parameters
    ----------
    schema : LevelSchema
    levels : dict of str to Level
        In the schema's order.
    num_graphs, max_graphs : int
        Graphs there are, and graphs there is room for.
    """

    schema: LevelSchema
    levels: dict[str, Level]
    num_graphs: int
    max_graphs: int

    @cached_property
    def places(self) -> dict[str, str]:
        """The level of each field."""
        return {key: name for name, level in self.levels.items() for key in level.fields}

    def level_of(self, key: str) -> Level:
        """The level that holds a field; ``KeyError`` if none does."""
        return self.levels[self.places[key]]

    def holds(self, key: str) -> bool:
        """Whether there is a field of this name."""
        return key in self.places

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """Names and live rows of all fields."""
        for level in self.levels.values():
            for key in level.fields:
                yield key, level.live(key)

    def is_tight(self) -> bool:
        """Whether there is no free row and no room for another graph."""
        return self.num_graphs == self.max_graphs and all(
            level.num_rows == level.capacity for level in self.levels.values()
        )

    def without_graphs(self) -> "Storage":
        """The same tensors, all of them room."""
        levels = {name: level.with_lengths(_ZERO[:0]) for name, level in self.levels.items()}
        return Storage(self.schema, levels, 0, self.max_graphs)

    def map(self, change: Callable[[Tensor], Tensor]) -> "Storage":
        """The same graphs and room with changed tensors."""
        levels = {name: level.map(change) for name, level in self.levels.items()}
        return Storage(self.schema, levels, self.num_graphs, self.max_graphs)


def tight_level(fields: dict[str, Tensor], lengths: np.ndarray) -> Level:
    """A level without free rows."""
    return Level(fields, lengths, int(lengths.sum()))


def tight_storage(schema: LevelSchema, levels: dict[str, Level], num_graphs: int) -> Storage:
    """A storage without room for more graphs, its levels in the schema's order."""
    ordered = {name: levels[name] for name in schema.levels if name in levels}
    return Storage(schema, ordered, num_graphs, num_graphs)
