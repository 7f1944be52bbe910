"""Code vectors along a chain to N, CA, C."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from foldpix.geometry.residue import CA_C, N_CA, N_CA_C
from foldpix.model.config import RowsConfig
from foldpix.model.lifted import lifted_picture, pairs_of, unit
from foldpix.model.pair_block import Block, PairEmbedding
from foldpix.model.rotary import chain_phases

#: Angstrom that an output of 1 stands for: of places in space, and of corrections to them.
SPACE, STEP = 10.0, 1.0
#: Residues after which the waves return that tell a residue how far the ends of the chain are.
PERIODS = (8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0)
#: N, CA, C of an ideal residue: CA at the origin, C along x.
_IDEAL = [[N_CA * math.cos(N_CA_C), N_CA * math.sin(N_CA_C), 0.0], [0.0, 0.0, 0.0], [CA_C, 0.0, 0.0]]


class RowDecoder(nn.Module):
    """First a draft of the chain in any frame, then corrections by what its picture looks like.

    Each residue is ideal: its N, CA, C are those of a rigid body, so that no draft is ever degenerate.
    """

    def __init__(self, config: RowsConfig, in_channels: int) -> None:
        super().__init__()
        self.head_dim = config.n_embd // config.n_head
        self.project = nn.Linear(in_channels + 4 * len(PERIODS), config.n_embd)
        self.blocks = nn.ModuleList(Block(config, has_pairs=False) for _ in range(config.decoder_depth))
        self.draft = nn.Sequential(nn.LayerNorm(config.n_embd), nn.Linear(config.n_embd, 9))
        self.pairs = PairEmbedding(config) if config.refine_depth else None
        self.refinements = nn.ModuleList(Block(config, has_pairs=True) for _ in range(config.refine_depth))
        self.corrections = nn.ModuleList(_correction(config.n_embd) for _ in range(config.refine_depth))

    def forward(
        self, vectors: Float[Tensor, "b l d"], mask: Bool[Tensor, "b l"]
    ) -> list[Float[Tensor, "b l 3 3"]]:
        """All drafts, the best last."""
        x = self.project(torch.cat([vectors, ends(mask)], dim=-1))
        phases = chain_phases(x.shape[1], self.head_dim, x.device)
        for block in self.blocks:
            x = block(x, mask, phases)
        drafts = [ideal_residues(SPACE * self.draft(x).float().unflatten(-1, (3, 3)))]
        for block, correction in zip(self.refinements, self.corrections, strict=True):
            assert self.pairs is not None
            now = drafts[-1].detach()  # each draft answers for itself
            pairs = self.pairs(lifted_picture(now) * pairs_of(mask)[:, None])
            x = block(x, mask, phases, pairs)
            shift = STEP * correction(x).float().unflatten(-1, (3, 3))  # in the residue's own frame
            drafts.append(ideal_residues(now + shift @ residue_axes(now)))
        return drafts


def _correction(width: int) -> nn.Module:
    """At first it corrects nothing."""
    last = nn.Linear(width, 9)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(width), last)


def ends(mask: Bool[Tensor, "b l"]) -> Float[Tensor, "b l w"]:
    """Waves of the number of residues before and behind each: attention alone knows no ends."""
    before = torch.arange(mask.shape[-1], device=mask.device, dtype=torch.float32).expand(mask.shape)
    both = torch.stack([before, mask.sum(dim=-1, keepdim=True) - 1.0 - before], dim=-1)
    angle = both[..., None] * (2.0 * math.pi / torch.tensor(PERIODS, device=mask.device))
    return torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(2)


def ideal_residues(points: Float[Tensor, "b l 3 3"]) -> Float[Tensor, "b l 3 3"]:
    """N, CA, C of rigid residues, each with its CA at the one given and turned as its points are."""
    ideal = torch.tensor(_IDEAL, dtype=points.dtype, device=points.device)
    return points[..., 1:2, :] + ideal @ residue_axes(points)


def residue_axes(points: Float[Tensor, "b l 3 3"]) -> Float[Tensor, "b l 3 3"]:
    """Rows: along CA -> C, towards N across it, and across both."""
    n, ca, c = points.unbind(-2)
    x = unit(c - ca)
    y = unit(n - ca - ((n - ca) * x).sum(dim=-1, keepdim=True) * x)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-2)
