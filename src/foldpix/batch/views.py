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

    __slots__ = ("_first", "_levels", "_schema", "_taken", "lengths")

    def __init__(self, storage: Storage, graph: int) -> None:
        self._schema, self._levels = storage.schema, storage.levels
        self._first = {name: level.ptr.item(graph) for name, level in self._levels.items()}
        self.lengths = {name: level.lengths.item(graph) for name, level in self._levels.items()}
        self._taken: dict[str, Tensor] = {}

    def __getitem__(self, key: str) -> Tensor:
        taken = self._taken.get(key)
        if taken is None:
            taken = self._taken[key] = self._take(key)
        return taken

    def __iter__(self) -> Iterator[str]:
        for level in self._levels.values():
            yield from level.fields

    def __len__(self) -> int:
        return sum(len(level.fields) for level in self._levels.values())

    def __contains__(self, key: object) -> bool:
        return any(key in level.fields for level in self._levels.values())

    def __reduce__(self) -> Any:
        """Copied and pickled as the dictionary that it stands for."""
        return dict, (dict(self),)

    def _take(self, key: str) -> Tensor:
        for name, level in self._levels.items():
            if key in level.fields:
                first, field = self._first[name], self._schema.fields[key]
                rows = level.fields[key][first : first + self.lengths[name]]
                if field.index_of is None:
                    return rows
                return shifted_back(rows, self._first[field.index_of], field.padded)
        raise KeyError(key)
