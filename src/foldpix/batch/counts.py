"""How many rows each graph has, and where they begin."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.schema import LevelSchema
from foldpix.batch.sizes import Sizes
from foldpix.batch.storage import Level, Storage

_NONE = Level({}, np.zeros(0, dtype=np.int64), 0)


class Counts(Sizes):
    """Counts and pointers of a batch.

    They come from lengths kept on the host: no number here asks a device, and tensors here are copies that
    are made at first use and dropped when the graphs change. A level without any field, now or before, has
    no lengths: empty lists, and a pointer of one 0.
    """

    __slots__ = ("_copied_mask", "_pointers", "_storage", "device")

    device: torch.device
    _storage: Storage
    _pointers: dict[tuple[str, str], Tensor]
    _copied_mask: Tensor | None

    @property
    def schema(self) -> LevelSchema:
        """Levels and fields that the batch knows."""
        return self._storage.schema

    @property
    def keys(self) -> dict[str, set[str]]:
        """Names of the fields there are, by level; node, edge and system always appear."""
        names = ["node", "edge", "system", *self._storage.levels]
        return {name: set(self._level(name).fields) for name in names}

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return self._storage.num_graphs

    @property
    def batch_size(self) -> int:
        """Number of graphs."""
        return self._storage.num_graphs

    @property
    def system_capacity(self) -> int:
        """Number of graphs there is room for."""
        return self._storage.max_graphs

    @property
    def num_nodes_list(self) -> list[int]:
        """Nodes of each graph."""
        return self.lengths_list("node")

    @property
    def num_edges_list(self) -> list[int]:
        """Edges of each graph."""
        return self.lengths_list("edge")

    @property
    def num_nodes_per_graph(self) -> Tensor:
        """Nodes of each graph, dtype=int64, shape=(G,)."""
        return self.lengths("node")

    @property
    def num_edges_per_graph(self) -> Tensor:
        """Edges of each graph, dtype=int64, shape=(G,)."""
        return self.lengths("edge")

    @property
    def max_num_nodes(self) -> int:
        """Nodes of the largest graph, 0 without graphs."""
        return max(self.num_nodes_list, default=0)

    @property
    def ptr(self) -> Tensor:
        """First node of each graph, and the end; dtype=int64, shape=(G + 1,)."""
        return self.level_ptr("node")

    @property
    def batch(self) -> Tensor:
        """The graph of each node, dtype=int64, shape=(N,)."""
        return self.level_batch("node")

    @property
    def edge_ptr(self) -> Tensor:
        """Edges of each sender: those of node i are ``edge_ptr[i]`` to ``edge_ptr[i + 1]``.

        Returns
        -------
        Tensor, dtype=int32, shape=(N + 1,)
            All 0 without edges.

        Raises
        ------
        ValueError
            If edges are not in the order of their senders, or too many for int32. It is the one look at
            values, and reads one truth value from a device.
        """
        target = self.schema.fields["edge_index"].index_of or "node"
        num_senders = self.num_rows(target)
        if not self._storage.holds("edge_index") or self.num_edges == 0:
            return torch.zeros(num_senders + 1, dtype=torch.int32, device=self.device)
        if self.num_edges > torch.iinfo(torch.int32).max:
            raise ValueError(f"{self.num_edges} edges; edge_ptr is int32, so split the batch")
        sender_E = self._storage.level_of("edge_index").live("edge_index")[:, 0].contiguous()
        if bool((sender_E[1:] < sender_E[:-1]).any()):
            raise ValueError(
                "edges are not in the order of their senders; sort each graph's edge_index first"
            )
        rows = torch.arange(num_senders + 1, dtype=sender_E.dtype, device=self.device)
        return torch.searchsorted(sender_E, rows, out_int32=True)

    def num_rows(self, level: str) -> int:
        return self._level(level).num_rows

    def lengths_list(self, level: str) -> list[int]:
        """Rows of each graph at a level, on the host."""
        return self._level(level).lengths.tolist()

    def lengths(self, level: str) -> Tensor:
        """Rows of each graph at a level, dtype=int64, shape=(G,)."""
        return self._pointer("lengths", level, lambda found: torch.tensor(found.lengths))

    def level_ptr(self, level: str) -> Tensor:
        """First row of each graph at a level, and the end; dtype=int64, shape=(G + 1,)."""
        return self._pointer("ptr", level, lambda found: torch.tensor(found.ptr))

    def level_batch(self, level: str) -> Tensor:
        """The graph of each row of a level, dtype=int64, shape=(rows,)."""
        return self._pointer(
            "batch",
            level,
            lambda found: torch.from_numpy(np.repeat(np.arange(len(found.lengths)), found.lengths)),
        )

    def _level(self, name: str) -> Level:
        return self._storage.levels.get(self.schema.level(name), _NONE)

    def _pointer(self, what: str, level: str, make: Callable[[Level], Tensor]) -> Tensor:
        key = what, self.schema.level(level)
        if key not in self._pointers:
            self._pointers[key] = make(self._level(level)).to(self.device)
        return self._pointers[key]

    def _replace(self, storage: Storage) -> None:
        """Hold other graphs from now on."""
        self._storage, self._pointers, self._copied_mask = storage, {}, None
