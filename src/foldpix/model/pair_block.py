"""Pre-norm transformer blocks over residues, with or without a picture of the chain beside them."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Complex64, Float
from torch import Tensor, nn

from foldpix.model.config import RowsConfig
from foldpix.model.rotary import rotate

#: Offsets along the chain beyond it count as one.
FARTHEST = 32


class PairEmbedding(nn.Module):
    """Features of each pair of residues: of the lifted picture, and of the way along the chain."""

    def __init__(self, config: RowsConfig) -> None:
        super().__init__()
        self.picture = nn.Linear(7, config.pair_dim)
        self.offset = nn.Embedding(2 * FARTHEST + 1, config.pair_dim)

    def forward(self, picture: Float[Tensor, "b 6 l l"]) -> Float[Tensor, "b l l p"]:
        # Contacts are a narrow strip of the scale of d; here they are wide: 1 at 0, a half at 10 A.
        nearness = 1.0 / (1.0 + (4.0 * (picture[:, :1] + 1.0)).square())
        channels = torch.cat([picture, nearness], dim=1).permute(0, 2, 3, 1)
        place = torch.arange(picture.shape[-1], device=picture.device)
        offset = (place[None] - place[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        return F.gelu(self.picture(channels) + self.offset(offset))


class Attention(nn.Module):
    """Multi-head self-attention with rotary positions.

    Features of the pairs, where there are some, bias it and are collected by it.
    """

    def __init__(self, config: RowsConfig, has_pairs: bool) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd, bias=False)
        gathered = config.n_embd + has_pairs * config.n_head * config.pair_dim
        self.bias = nn.Linear(config.pair_dim, config.n_head, bias=False) if has_pairs else None
        self.out = nn.Linear(gathered, config.n_embd, bias=False)

    def forward(
        self,
        x: Float[Tensor, "b l c"],
        mask: Bool[Tensor, "b l"],
        phases: Complex64[Tensor, "l half"],
        pairs: Float[Tensor, "b l l p"] | None,
    ) -> Float[Tensor, "b l c"]:
        qkv = self.qkv(x).unflatten(-1, (3, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # (3, B, heads, L, D)
        q, k, v = rotate(qkv[0], phases), rotate(qkv[1], phases), qkv[2]
        attended = mask[:, None, None, :]
        if self.bias is None or pairs is None:
            gathered = F.scaled_dot_product_attention(q, k, v, attn_mask=attended)
            return self.out(gathered.transpose(1, 2).flatten(-2))
        logits = q @ k.mT * q.shape[-1] ** -0.5 + self.bias(pairs).permute(0, 3, 1, 2)
        share = logits.masked_fill(~attended, float("-inf")).softmax(dim=-1)
        of_pairs = share.transpose(1, 2) @ pairs  # (B, L, heads, P)
        gathered = (share @ v).transpose(1, 2)
        return self.out(torch.cat([gathered.flatten(-2), of_pairs.flatten(-2)], dim=-1))


class Block(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``."""

    def __init__(self, config: RowsConfig, has_pairs: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.n_embd, bias=False)
        self.attention = Attention(config, has_pairs)
        self.mlp_norm = nn.LayerNorm(config.n_embd, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, config.mlp_hidden_dim, bias=False),
            nn.GELU(),
            nn.Linear(config.mlp_hidden_dim, config.n_embd, bias=False),
        )

    def forward(
        self,
        x: Float[Tensor, "b l c"],
        mask: Bool[Tensor, "b l"],
        phases: Complex64[Tensor, "l half"],
        pairs: Float[Tensor, "b l l p"] | None = None,
    ) -> Float[Tensor, "b l c"]:
        x = x + self.attention(self.attention_norm(x), mask, phases, pairs)
        return x + self.mlp(self.mlp_norm(x))
