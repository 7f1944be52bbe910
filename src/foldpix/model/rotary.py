"""Rotary position embedding over the two axes of a feature map, or along a chain."""

import torch
from jaxtyping import Complex64, Float
from torch import Tensor

BASE = 100.0
CHAIN_BASE = 1000.0


def axial_phases(height: int, width: int, head_dim: int, device: torch.device) -> Complex64[Tensor, "n half"]:
    """Unit complex numbers that turn pairs of values: the first half by the row, the second by the column.

    Positions are whole cells, so a cell keeps its phase when the map is padded. Always float32: in bfloat16
    positions beyond 256 would collapse.
    """
    num_pairs = head_dim // 4
    frequency = BASE ** (-torch.arange(num_pairs, dtype=torch.float32, device=device) / num_pairs)
    row = torch.arange(height, dtype=torch.float32, device=device)[:, None] * frequency
    column = torch.arange(width, dtype=torch.float32, device=device)[:, None] * frequency
    angle = torch.cat(
        [row[:, None].expand(-1, width, -1), column[None].expand(height, -1, -1)], dim=-1
    ).reshape(height * width, 2 * num_pairs)
    return torch.polar(torch.ones_like(angle), angle)


def chain_phases(length: int, head_dim: int, device: torch.device) -> Complex64[Tensor, "n half"]:
    """Unit complex numbers that turn pairs of values by the place along the chain, in float32."""
    num_pairs = head_dim // 2
    frequency = CHAIN_BASE ** (-torch.arange(num_pairs, dtype=torch.float32, device=device) / num_pairs)
    angle = torch.arange(length, dtype=torch.float32, device=device)[:, None] * frequency
    return torch.polar(torch.ones_like(angle), angle)


def rotate(x: Float[Tensor, "b h n d"], phases: Complex64[Tensor, "n half"]) -> Float[Tensor, "b h n d"]:
    """Turn consecutive pairs of the last axis by their phases, in float32."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * phases).flatten(-2).type_as(x)
