"""Fields of a batch by name, and copies of all of them."""

from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor

from foldpix.batch.counts import Counts
from foldpix.batch.dump import plain_lengths
from foldpix.batch.edit import with_rows, without
from foldpix.batch.storage import Storage

_OWN = frozenset(Counts.__slots__)


class Access(Counts):
    """Rows of all graphs by the names of fields."""

    __slots__ = ()

    def __init__(self, *, device: torch.device | str, storage: Storage) -> None:
        self.device = torch.empty(0, device=device).device  # with its number: "cuda" is not "cuda:0"
        self._replace(storage)

    def __len__(self) -> int:
        return self.num_graphs

    def __contains__(self, key: str) -> bool:
        return self._storage.holds(key)

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """Names and rows of all fields."""
        return self._storage.items()

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or not self._storage.holds(name):
            raise AttributeError(f"no field {name!r} in this batch")
        return self._storage.level_of(name).live(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            self._set(name, value)

    def __setitem__(self, key: str, rows: Tensor) -> None:
        self._set(key, rows)

    def __delitem__(self, key: str) -> None:
        self._storage = without(self._storage, key)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{key}={tuple(rows.shape)}" for key, rows in self)
        return f"<{type(self).__name__}: {self.num_graphs} graphs on {self.device}; {shapes}>"

    def buffer(self, key: str) -> Tensor:
        """A field with the free rows behind those of graphs; ``KeyError`` if there is none."""
        return self._storage.level_of(key).fields[key]

    def clone(self) -> Self:
        """A copy that shares nothing, with the same room."""
        return self._with(self._storage.map(torch.clone))

    def to(
        self,
        device: torch.device | str,
        dtype: torch.dtype | None = None,
        non_blocking: bool = False,
    ) -> Self:
        """A copy on a device, with the same room; `dtype` is that of its floating-point fields."""

        def move(rows: Tensor) -> Tensor:
            kind = dtype if rows.is_floating_point() else None
            return rows.to(device, kind, non_blocking=non_blocking, copy=True)

        return type(self)(device=torch.device(device), storage=self._storage.map(move))

    def cpu(self) -> Self:
        """A copy on the CPU."""
        return self.to("cpu")

    def cuda(self, device: int | None = None, non_blocking: bool = False) -> Self:
        """A copy on a CUDA device, the current one by default."""
        number = torch.cuda.current_device() if device is None else device
        return self.to(torch.device("cuda", number), non_blocking=non_blocking)

    def contiguous(self) -> Self:
        """This batch, each field in one piece of memory."""
        self._storage = self._storage.map(Tensor.contiguous)
        return self

    def pin_memory(self) -> Self:
        """This batch in page-locked memory; as it is on a device, or where there is no CUDA device."""
        if torch.cuda.is_available() and self.device.type == "cpu":
            self._storage = self._storage.map(Tensor.pin_memory)
        return self

    def share_memory_(self) -> Self:
        """This batch in memory that other processes may map; sent to one, it goes without a copy.

        Rows written on one side are seen on the other. Counts are not: they stay as sent.
        """
        self._storage = self._storage.map(Tensor.share_memory_)
        return self

    def model_dump(self) -> dict[str, Any]:
        """Fields and what says whose they are, in one flat dictionary; the tensors are no copies.

        ``torch.load(..., weights_only=True)`` reads it back from a file.
        """
        return {
            "device": str(self.device),
            "keys": self.keys,
            "schema": self.schema.to_dict(),
            "lengths": plain_lengths(self._storage),
            "batch": self.batch,
            "ptr": self.ptr,
            "num_graphs": self.num_graphs,
            "num_nodes_list": self.num_nodes_list,
            "num_edges_list": self.num_edges_list,
            **dict(self._storage.items()),
        }

    def _with(self, storage: Storage) -> Self:
        """Another batch on this device."""
        return type(self)(device=self.device, storage=storage)

    def _shares(self, other: "Access") -> bool:
        """Whether a tensor of both lies in the same memory."""
        ours = {_address(rows) for level in self._storage.levels.values() for rows in level.fields.values()}
        theirs = {
            _address(rows) for level in other._storage.levels.values() for rows in level.fields.values()
        }
        return not ours.isdisjoint(theirs - {0})

    def _set(self, key: str, rows: Tensor) -> None:
        if key not in self.schema.fields:
            raise ValueError(f"unknown field {key!r}; add it by add_key, which takes its level")
        if not isinstance(rows, Tensor) or rows.device != self.device:
            where = rows.device if isinstance(rows, Tensor) else type(rows).__name__
            raise ValueError(f"{key} is {where}; give a tensor on {self.device}")
        self._storage = with_rows(self._storage, self.schema, key, rows)


def _address(rows: Tensor) -> int:
    return rows.untyped_storage().data_ptr()
