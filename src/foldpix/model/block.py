"""Pre-norm transformer block over the cells of a feature map."""

import torch.nn.functional as F
from jaxtyping import Bool, Complex64, Float
from torch import Tensor, nn

from foldpix.model.config import HVQVAEConfig
from foldpix.model.rotary import rotate


class Attention(nn.Module):
    """Multi-head self-attention with rotary positions; padded cells are never attended to."""

    def __init__(self, config: HVQVAEConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.qkv = nn.Linear(config.n_embd, 3 * config.latent_dim, bias=False)
        self.out = nn.Linear(config.latent_dim, config.n_embd, bias=False)

    def forward(
        self, x: Float[Tensor, "b n c"], mask: Bool[Tensor, "b n"], phases: Complex64[Tensor, "n half"]
    ) -> Float[Tensor, "b n c"]:
        qkv = self.qkv(x).unflatten(-1, (3, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # (3, B, heads, N, D)
        q, k = rotate(qkv[0], phases), rotate(qkv[1], phases)
        attended = F.scaled_dot_product_attention(q, k, qkv[2], attn_mask=mask[:, None, None, :])
        return self.out(attended.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``."""

    def __init__(self, config: HVQVAEConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.n_embd, bias=False)
        self.attention = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.n_embd, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, config.mlp_hidden_dim, bias=False),
            nn.GELU(),
            nn.Linear(config.mlp_hidden_dim, config.n_embd, bias=False),
        )

    def forward(
        self, x: Float[Tensor, "b n c"], mask: Bool[Tensor, "b n"], phases: Complex64[Tensor, "n half"]
    ) -> Float[Tensor, "b n c"]:
        x = x + self.attention(self.attention_norm(x), mask, phases)
        return x + self.mlp(self.mlp_norm(x))
