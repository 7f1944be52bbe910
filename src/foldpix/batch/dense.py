"""Rows of graphs as one padded array, and back; one value a graph from its rows."""

import torch
from torch import Tensor


def to_dense(rows: Tensor, batch: Tensor, ptr: Tensor, longest: int, pad: float) -> tuple[Tensor, Tensor]:
    """Rows (N, ...) to (G, longest, ...), and the mask of what is no padding."""
    num_graphs = len(ptr) - 1
    dense = rows.new_full((num_graphs, longest, *rows.shape[1:]), pad)
    mask = torch.zeros((num_graphs, longest), dtype=torch.bool, device=rows.device)
    place = torch.arange(len(batch), device=rows.device) - ptr[batch]
    mask[batch, place] = True
    return dense.index_put((batch, place), rows), mask


def from_dense(dense: Tensor, batch: Tensor, ptr: Tensor) -> Tensor:
    """Rows (N, ...) of (G, longest, ...), less the padding."""
    return dense[batch, torch.arange(len(batch), device=dense.device) - ptr[batch]]


def reduce_rows(rows: Tensor, batch: Tensor, lengths: Tensor, how: str) -> Tensor:
    """Sum, mean, largest or smallest of each graph's rows, shape (G, ...).

    The sum over no rows is 0, their mean NaN; a largest or smallest of none is refused by the caller.
    """
    num_graphs = len(lengths)
    if how in ("sum", "mean"):
        total = rows.new_zeros((num_graphs, *rows.shape[1:])).index_add(0, batch, rows)
        return total if how == "sum" else total / lengths.reshape(-1, *[1] * (rows.ndim - 1))
    index = batch.reshape(-1, *[1] * (rows.ndim - 1)).expand_as(rows)
    start = rows.new_zeros((num_graphs, *rows.shape[1:]))
    return start.scatter_reduce(0, index, rows, {"max": "amax", "min": "amin"}[how], include_self=False)
