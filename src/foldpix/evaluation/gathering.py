"""Chains of all ranks of a distributed run in one place."""

from collections.abc import Sequence

import torch.distributed as dist

from foldpix.batch import Batch
from foldpix.structure import Backbone


def gather(chains: Sequence[Backbone]) -> list[Backbone]:
    """The chains of all ranks, those of rank 0 first; on the other ranks none. All ranks must call it.

    Chains may have any lengths, and ranks any number of them. Rank 0 takes one rank after the other. Without
    a distributed run the chains are what was given.

    Raises
    ------
    ConnectionError
        If a rank has gone.
    """
    if not dist.is_available() or not dist.is_initialized():
        return list(chains)
    if dist.get_rank() > 0:
        batch = Batch.from_backbones(chains, cutoff=0.0) if chains else Batch(device="cpu")
        batch.send(0)
        return []
    gathered = list(chains)
    for rank in range(1, dist.get_world_size()):
        batch = Batch.recv(rank, "cpu")
        gathered += batch.to_backbones() if batch.num_graphs else []
    return gathered
