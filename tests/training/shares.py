"""What two spawned ranks do; light to import."""

import pickle
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from foldpix.evaluation.gathering import gather
from foldpix.model.quantize import Quantize
from foldpix.structure import Backbone


def quantizer() -> Quantize:
    torch.manual_seed(0)
    layer = Quantize(5, 8, 3, decay=0.9, revive_below=0.0)
    layer.started.fill_(True)
    return layer


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 5, 4, 4, generator=generator), torch.rand(6, 4, 4, generator=generator) < 0.7


def chains(rank: int) -> list[Backbone]:
    """Those of a rank, of many lengths."""
    rng = np.random.default_rng(rank)
    return [
        Backbone(rng.standard_normal((length, 3, 3)), "X" * length, f"of_{rank}_{length}")
        for length in ((5, 90, 1), (33, 4))[rank]
    ]


def take_a_share(rank: int, port: int, folder: Path) -> None:
    """Quantise a part of the batch, and gather chains of both ranks, of one and of none."""
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    layer, share = quantizer(), slice(0, 4) if rank == 0 else slice(4, 6)
    x, mask = batch()
    for _ in range(4):
        layer(x[share], mask[share])
    torch.save(layer.state_dict(), folder / f"{rank}.pt")
    rounds = [gather(chains(rank)), gather(chains(rank) if rank else []), gather([])]
    (folder / f"{rank}.pickle").write_bytes(pickle.dumps(rounds))
    dist.destroy_process_group()
