"""Rows of graphs as one padded array, and back; one value a graph from its rows."""

import torch
from torch import Tensor

from foldpix.batch.access import Access


class Dense(Access):
    """Padded arrays, and sums over graphs. Gradients flow through all of it."""

    __slots__ = ()

    def to_dense(self, key: str, pad: float = 0.0) -> tuple[Tensor, Tensor]:
        """A field graph by graph, padded to the longest.

        Returns
        -------
        dense : Tensor, shape=(G, longest, ...)
        mask : Tensor of bool, shape=(G, longest)
            True where it is no padding.
        """
        rows, name = self._field(key)
        graph, place = self._places(name)
        longest = int(self._level(name).lengths.max(initial=0))
        mask = torch.zeros((self.num_graphs, longest), dtype=torch.bool, device=self.device)
        mask[graph, place] = True
        dense = rows.new_full((self.num_graphs, longest, *rows.shape[1:]), pad)
        return dense.index_put((graph, place), rows), mask

    def from_dense(self, dense: Tensor, level: str = "node") -> Tensor:
        """The rows of an array as :meth:`to_dense` pads it, shape (rows, ...).

        Raises
        ------
        ValueError
            If it is not (G, longest, ...) for the lengths of this level.
        """
        shape = (self.num_graphs, int(self._level(level).lengths.max(initial=0)))
        if tuple(dense.shape[:2]) != shape:
            raise ValueError(
                f"the array has shape {tuple(dense.shape)}; level {level} needs {shape} in front"
            )
        return dense[self._places(level)]

    def reduce(self, key: str, how: str = "sum") -> Tensor:
        """The sum, mean, max or min of a field over the rows of each graph, shape (G, ...).

        Over no rows the sum is 0 and the mean NaN.

        Raises
        ------
        ValueError
            If a max or min is asked for of a graph without rows, or for something else.
        """
        rows, name = self._field(key)
        graph, tail = self.level_batch(name), [1] * (rows.ndim - 1)
        start = rows.new_zeros((self.num_graphs, *rows.shape[1:]))
        if how in ("sum", "mean"):
            total = start.index_add(0, graph, rows)
            return total if how == "sum" else total / self.lengths(name).reshape(-1, *tail)
        if how not in ("max", "min"):
            raise ValueError(f"how={how!r}; give sum, mean, max or min")
        if (self._level(name).lengths == 0).any():
            raise ValueError(
                f"{how} of {key} over a graph without rows; leave such graphs out by index_select"
            )
        index = graph.reshape(-1, *tail).expand_as(rows)
        return start.scatter_reduce(0, index, rows, f"a{how}", include_self=False)

    def _field(self, key: str) -> tuple[Tensor, str]:
        """Rows of a field, and its level."""
        return self._storage.level_of(key).live(key), self.schema.fields[key].level

    def _places(self, level: str) -> tuple[Tensor, Tensor]:
        """Graph of each row, and its number there."""
        graph = self.level_batch(level)
        return graph, torch.arange(len(graph), device=self.device) - self.level_ptr(level)[graph]
