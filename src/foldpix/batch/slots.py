"""Buffers for batches in memory that two processes share, under no name that could outlive them."""

import mmap
import os
import tempfile
from dataclasses import replace
from functools import partial
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.batch import Batch
from foldpix.batch.storage import Storage

#: Fields begin at multiples of it.
_ALIGNMENT = 64

_SHARED = Path("/dev/shm")


class Slots:
    """Some buffers of one size, one behind the other. Pickled on the way to a new process, it goes by handle.

    Parameters
    ----------
    number : int
        How many.
    like : Batch
        An empty one with the fields and the room of each; on the meta device it costs nothing.
    """

    _file: Any
    _headers: list[np.ndarray]
    _storages: list[Storage]

    def __init__(self, number: int, like: Batch) -> None:
        self.number, self._like = number, like._storage
        folder = _SHARED if _SHARED.is_dir() else None
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - close() ends it
        size = number * self._slot_size()
        os.ftruncate(self._file.fileno(), size)
        if hasattr(os, "posix_fallocate"):  # an error here and now; later, a full memory would be a crash
            os.posix_fallocate(self._file.fileno(), 0, size)
        self._map(self._file.fileno())

    def __getstate__(self) -> dict[str, Any]:
        return {"number": self.number, "like": self._like, "file": DupFd(self._file.fileno())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.number, self._like = state["number"], state["like"]
        self._file = os.fdopen(state["file"].detach(), "r+b")
        self._map(self._file.fileno())

    def write(self, slot: int, batch: Batch) -> Batch | None:
        """Copy as many graphs as fit into a slot; the rest, or None.

        Raises
        ------
        ValueError
            If none fits, or the batch has other fields.
        """
        buffer = Batch(device="cpu", storage=self._storages[slot])
        buffer.put(batch, torch.ones(batch.num_graphs, dtype=torch.bool))
        if batch.num_graphs and not buffer.num_graphs:
            sizes = {name: int(level.lengths[0]) for name, level in batch._storage.levels.items()}
            room = {name: level.capacity for name, level in self._like.levels.items()}
            raise ValueError(f"a graph of {sizes} rows does not fit into a slot of {room}; make slots larger")
        header, storage = self._headers[slot], buffer._storage
        header[0, 0] = storage.num_graphs
        for row, level in zip(header[1:], storage.levels.values(), strict=True):
            row[: storage.num_graphs] = level.lengths
        return batch.trim()

    def read(self, slot: int) -> Batch:
        """The graphs in a slot, without a copy."""
        header, storage = self._headers[slot], self._storages[slot]
        num_graphs = int(header[0, 0])
        levels = {
            name: level.with_lengths(row[:num_graphs].copy())
            for row, (name, level) in zip(header[1:], storage.levels.items(), strict=True)
        }
        return Batch(device="cpu", storage=replace(storage, levels=levels, num_graphs=num_graphs))

    def close(self) -> None:
        """Let go of the memory; it is free when no batch of it is left."""
        self._file.close()
        self._headers, self._storages = [], []

    def _header_shape(self) -> tuple[int, int]:
        """A row for the number of graphs, and one for the lengths at each level."""
        return 1 + len(self._like.levels), max(self._like.max_graphs, 1)

    def _slot_size(self) -> int:
        fields = [rows for level in self._like.levels.values() for rows in level.fields.values()]
        header = 8 * int(np.prod(self._header_shape()))
        return _aligned(header) + sum(_aligned(rows.numel() * rows.element_size()) for rows in fields)

    def _map(self, descriptor: int) -> None:
        memory = mmap.mmap(descriptor, self.number * self._slot_size())
        self._headers, self._storages = [], []
        for slot in range(self.number):
            at = slot * self._slot_size()
            shape = self._header_shape()
            self._headers.append(np.frombuffer(memory, np.int64, int(np.prod(shape)), at).reshape(shape))
            place = [at + _aligned(8 * int(np.prod(shape)))]
            self._storages.append(self._like.map(partial(_take, memory, place)))


def _take(memory: mmap.mmap, place: list[int], like: Tensor) -> Tensor:
    """A tensor on the memory at the place, which moves behind it."""
    start, size = place[0], like.numel()
    place[0] += _aligned(size * like.element_size())
    if size == 0:
        return torch.empty(like.shape, dtype=like.dtype)
    return torch.frombuffer(memory, dtype=like.dtype, count=size, offset=start).reshape(like.shape)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
