"""Sums and samples over the ranks of a distributed run; without one they return what they got."""

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Number of ranks, 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def sum_over_ranks(x: Tensor) -> Tensor:
    """Elementwise sum over all ranks, the same bits on each."""
    if world_size() > 1:
        dist.all_reduce(x)
    return x


def gather_rows(rows: Tensor) -> Tensor:
    """(N, D) of each rank -> (world N, D) in rank order, on every rank."""
    if world_size() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)
