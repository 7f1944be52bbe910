"""One graph of a batch, field by field when asked."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from foldpix.batch.rows import shifted_back
from foldpix.batch.storage import Storage


class Views(Mapping[str, Tensor]):
    """The fields of one graph, each taken from the batch's tensors when it is first asked for.

    Parameters
    ----------
    storage : Storage
    graph : int
        From 0.

    Attributes
    ----------
    lengths : dict of str to int
        Rows of each level.
    """

    __slots__ = ("_first", "_storage", "_taken", "lengths")

    def __init__(self, storage: Storage, graph: int) -> None:
        self._storage = storage
        self._first = {name: level.ptr.item(graph) for name, level in storage.levels.items()}
        self.lengths = {name: level.lengths.item(graph) for name, level in storage.levels.items()}
        self._taken: dict[str, Tensor] = {}

    def __getitem__(self, key: str) -> Tensor:
        if key in self._taken:
            return self._taken[key]
        name = self._storage.places[key]
        first, field = self._first[name], self._storage.schema.fields[key]
        rows = self._storage.levels[name].fields[key][first : first + self.lengths[name]]
        if field.index_of is not None:
            rows = shifted_back(rows, self._first[field.index_of], field.padded)
        self._taken[key] = rows
        return rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._storage.places)

    def __len__(self) -> int:
        return len(self._storage.places)

    def __contains__(self, key: object) -> bool:
        return key in self._storage.places

    def __reduce__(self) -> Any:
        """Copied and pickled as the dictionary that it stands for."""
        return dict, (dict(self),)
