"""A batch as a buffer that graphs go into and out of."""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.access import Access
from foldpix.batch.buffers import check_matching, check_occupied, fitting
from foldpix.batch.plan import compact, select, write_behind
from foldpix.batch.selection import check_mask, mask_array


class Buffered(Access):
    """Putting graphs into free room, and taking out those that went elsewhere."""

    __slots__ = ()

    def put(
        self,
        src_batch: "Buffered",
        mask: Tensor,
        *,
        copied_mask: Tensor | None = None,
        dest_mask: Tensor | None = None,
    ) -> None:
        """Copy graphs of another batch behind those here, as far as there is room at every level.

        Graphs are taken in turn; one that does not fit is passed over, and later ones that do are copied.

        Parameters
        ----------
        src_batch : Batch
            With the same levels and fields.
        mask : Tensor of bool, shape=(G of src_batch,)
            Graphs to copy.
        copied_mask : Tensor of bool, shape=(G of src_batch,), optional
            Becomes the graphs that were copied. Without it `src_batch` keeps them, for `defrag` and `trim`.
        dest_mask : Tensor of bool, shape=(system_capacity,), optional
            Slots that are occupied, just the first ``num_graphs``; becomes those occupied afterwards.

        Raises
        ------
        ValueError
            If a mask has another dtype or length, or levels, fields, dtypes, shapes or devices differ.
        """
        wanted = mask_array("mask", mask, src_batch.num_graphs)
        if copied_mask is not None:
            check_mask("copied_mask", copied_mask, src_batch.num_graphs)
        if dest_mask is not None:
            check_occupied(dest_mask, self._storage)
        if src_batch is self or self._shares(src_batch):
            raise ValueError("a batch cannot be put into itself; put its clone()")
        if src_batch.device != self.device:
            raise ValueError(f"the source is on {src_batch.device}; move it to {self.device}")
        check_matching(self._storage, src_batch._storage, "the source")
        graphs = fitting(self._storage, src_batch._storage, wanted)
        self._replace(write_behind(self._storage, src_batch._storage, graphs))
        copied = np.zeros(src_batch.num_graphs, dtype=np.bool_)
        copied[graphs] = True
        if copied_mask is None:
            src_batch._copied_mask = torch.from_numpy(copied)
        else:
            copied_mask.copy_(torch.from_numpy(copied))
        if dest_mask is not None:
            dest_mask[: self.num_graphs] = True

    def defrag(self, copied_mask: Tensor | None = None) -> Self:
        """Drop the graphs of a mask and move the others together; the room stays.

        Parameters
        ----------
        copied_mask : Tensor of bool, shape=(G,), optional
            By default the graphs that the last :meth:`put` of this batch copied.

        Raises
        ------
        ValueError
            If there was no such put since the graphs last changed, or the mask has another dtype or length.
        """
        kept = self._kept(copied_mask)
        self._replace(compact(self._storage, kept))
        return self

    def trim(self, copied_mask: Tensor | None = None) -> Self | None:
        """A new batch less the graphs of a mask, without free room, or None if none is left; as `defrag`."""
        kept = self._kept(copied_mask)
        return self._with(select(self._storage, kept)) if len(kept) else None

    def zero(self) -> None:
        """Drop all graphs and set all rows to 0; the room stays."""
        storage = self._storage.map(Tensor.zero_)
        self._replace(storage.without_graphs())

    def _kept(self, copied_mask: Tensor | None) -> np.ndarray:
        """Numbers of the graphs that a mask does not drop."""
        mask = self._copied_mask if copied_mask is None else copied_mask
        if mask is None:
            raise ValueError("no graphs of this batch were put anywhere; give copied_mask")
        return np.flatnonzero(~mask_array("copied_mask", mask, self.num_graphs))
