"""Rows of the lifted picture to features of residues, for chains of any length."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from foldpix.model.config import RowsConfig
from foldpix.model.pair_block import Block, PairEmbedding
from foldpix.model.rotary import chain_phases

#: Columns on either side of the diagonal that a row is read in one by one.
REACH = 16
#: Where the stretches of further columns end over which a row is averaged: offsets along the chain.
STRETCHES = (24, 32, 48, 64, 96, 128, 192, 256, 1024)


class RowEncoder(nn.Module):
    """A row is one residue's view of the chain: near columns one by one, further ones by averages.

    What else it holds comes in by attention, which the picture biases.
    """

    def __init__(self, config: RowsConfig) -> None:
        super().__init__()
        self.head_dim = config.n_embd // config.n_head
        self.near = nn.Linear(6 * (2 * REACH + 1), config.n_embd)
        self.far = nn.Linear(7 * 2 * len(STRETCHES), config.n_embd, bias=False)
        self.pairs = PairEmbedding(config)
        self.blocks = nn.ModuleList(Block(config, has_pairs=True) for _ in range(config.encoder_depth))
        self.norm = nn.LayerNorm(config.n_embd, bias=False)

    def forward(self, picture: Float[Tensor, "b 6 l l"], mask: Bool[Tensor, "b l"]) -> Float[Tensor, "b l c"]:
        """The picture must be 0 in padding and on its diagonal."""
        x = self.near(band(picture)) + self.far(stretches(picture, mask))
        phases = chain_phases(x.shape[1], self.head_dim, x.device)
        pairs = self.pairs(picture)
        for block in self.blocks:
            x = block(x, mask, phases, pairs)
        return self.norm(x)


def band(picture: Float[Tensor, "b c l l"]) -> Float[Tensor, "b l k"]:
    """The columns around the diagonal, 0 beyond the ends of the chain."""
    length = picture.shape[-1]
    padded = F.pad(picture, (REACH, REACH))
    column = torch.arange(length, device=picture.device)[:, None] + torch.arange(
        2 * REACH + 1, device=picture.device
    )
    near = padded.gather(-1, column.expand(*picture.shape[:3], -1))
    return near.transpose(1, 2).flatten(2)


def stretches(picture: Float[Tensor, "b c l l"], mask: Bool[Tensor, "b l"]) -> Float[Tensor, "b l k"]:
    """Means over stretches of further columns, and how much of each stretch there is."""
    place = torch.arange(picture.shape[-1], device=picture.device)
    offset = place[None] - place[:, None]
    ends = torch.tensor([REACH, *STRETCHES], device=picture.device)
    number = torch.bucketize(offset.abs(), ends) - 1  # -1 inside the band
    number = torch.where((offset > 0) & (number >= 0), number + len(STRETCHES), number)
    member_LLS = F.one_hot(number + 1, 2 * len(STRETCHES) + 1)[..., 1:].to(picture.dtype)
    weight = mask[:, None, None, :].to(picture.dtype)  # (B, 1, 1, L)
    channels = torch.cat([picture, torch.ones_like(picture[:, :1]) * weight], dim=1)
    total = torch.einsum("bcij,ijs->bics", channels, member_LLS)
    count = total[:, :, -1:]
    return torch.cat([total[:, :, :-1] / count.clamp(min=1.0), count / 64.0], dim=2).flatten(2)
