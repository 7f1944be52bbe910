"""What two spawned ranks do; light to import."""

from pathlib import Path

import torch
import torch.distributed as dist

from foldpix.model.quantize import Quantize


def quantizer() -> Quantize:
    torch.manual_seed(0)
    layer = Quantize(5, 8, 3, decay=0.9, revive_below=0.0)
    layer.started.fill_(True)
    return layer


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 5, 4, 4, generator=generator), torch.rand(6, 4, 4, generator=generator) < 0.7


def quantize_a_share(rank: int, port: int, folder: Path) -> None:
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    layer, share = quantizer(), slice(0, 4) if rank == 0 else slice(4, 6)
    x, mask = batch()
    for _ in range(4):
        layer(x[share], mask[share])
    torch.save(layer.state_dict(), folder / f"{rank}.pt")
    dist.destroy_process_group()
