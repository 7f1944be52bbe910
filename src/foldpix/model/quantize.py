"""Vector quantisation with a codebook learnt by moving averages (van den Oord et al., 2017)."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from foldpix.model.collectives import gather_rows, sum_over_ranks, world_size


class Quantized(NamedTuple):
    """Code vectors (with the straight-through gradient), code numbers (0 in padding), commitment loss."""

    vectors: Float[Tensor, "b d h w"]
    codes: Int64[Tensor, "b h w"]
    commitment: Float[Tensor, ""]


class Quantize(nn.Module):
    """Replaces each cell's vector by its nearest code.

    The codebook starts from vectors of the first training batch. It follows the mean of the vectors given to
    each code, summed over all ranks; a code that is hardly used is put on a random vector of the batch.
    Without gradients it learns nothing. Everything is computed in float32, also under autocast. Padded cells
    count nowhere.

    Parameters
    ----------
    in_channels, codebook_size, codebook_dim : int
    decay : float
        Of the moving averages.
    revive_below : float
        Share of the mean use under which a code is revived.
    """

    def __init__(
        self, in_channels: int, codebook_size: int, codebook_dim: int, decay: float, revive_below: float
    ) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, codebook_dim, kernel_size=1)
        self.decay = decay
        self.revive_below = revive_below
        self.codebook: Tensor
        self.cluster_size: Tensor
        self.started: Tensor
        self.register_buffer("codebook", torch.randn(codebook_size, codebook_dim))
        self.register_buffer("cluster_size", torch.ones(codebook_size))
        self.register_buffer("started", torch.tensor(False))

    def forward(self, x: Float[Tensor, "b c h w"], mask: Bool[Tensor, "b h w"]) -> Quantized:
        with torch.autocast(x.device.type, enabled=False):
            encoded = self.project(x.float()).permute(0, 2, 3, 1)  # (B, H, W, D)
            vectors = encoded.detach().flatten(0, 2)
            # A batch that overflowed is skipped by the optimizer; it must not poison the averages either.
            finite = vectors.isfinite().all(dim=-1)
            vectors, weight = vectors.nan_to_num(0.0, 0.0, 0.0), (mask.flatten() & finite).float()
            codebook = sample = self.codebook
            learning = self.training and torch.is_grad_enabled()
            if learning:
                sample = self._random_vectors(vectors, weight)
                # Asking a GPU whether the codebook has started would make it wait, so nothing branches on it.
                codebook = torch.where(self.started, self.codebook, sample)
            codes = torch.cdist(vectors, codebook).argmin(dim=-1) * mask.flatten()
            quantized = codebook[codes].view_as(encoded)
            if learning:
                self._update(codebook, vectors, weight, codes, sample)
            squared = (encoded - quantized).square().mean(dim=-1)
            commitment = (squared * mask).sum() / mask.sum().clamp(min=1)
            through = encoded + (quantized - encoded).detach()
            return Quantized(through.permute(0, 3, 1, 2), codes.view(mask.shape), commitment)

    def lookup(self, codes: Int64[Tensor, "b h w"]) -> Float[Tensor, "b d h w"]:
        """Code vectors of code numbers."""
        return self.codebook[codes].permute(0, 3, 1, 2)

    @torch.no_grad()
    def _update(
        self, codebook_KD: Tensor, vectors_ND: Tensor, weight_N: Tensor, codes_N: Tensor, sample_KD: Tensor
    ) -> None:
        counts = torch.zeros_like(self.cluster_size).index_add_(0, codes_N, weight_N)
        sums = torch.zeros_like(codebook_KD).index_add_(0, codes_N, vectors_ND * weight_N[:, None])
        counts, sums = sum_over_ranks(counts), sum_over_ranks(sums)
        size = torch.where(self.started, self.cluster_size, counts.mean())
        # The averages of counts and sums, kept as (size, mean): no code is ever divided by nearly nothing.
        total = codebook_KD * (size * self.decay)[:, None] + sums * (1 - self.decay)
        size = size.lerp(counts, 1 - self.decay)
        codebook = total / size.clamp(min=1e-6)[:, None]
        dead = size < self.revive_below * size.mean()
        self.codebook.copy_(torch.where(dead[:, None], sample_KD, codebook))
        self.cluster_size.copy_(torch.where(dead, size.mean(), size))
        self.started.fill_(True)

    @torch.no_grad()
    def _random_vectors(self, vectors_ND: Tensor, weight_N: Tensor) -> Tensor:
        """As many unpadded vectors as there are codes, an equal share from each rank."""
        share = -(-len(self.codebook) // world_size())
        # One draw from each of `share` equal stretches of the unpadded cells: few are drawn twice, and
        # padding changes none of them.
        start = torch.arange(share, device=weight_N.device)
        stretch = (start + torch.rand(share, device=weight_N.device)) / share
        number = (stretch * weight_N.sum()).floor().clamp(max=weight_N.sum() - 1)
        rows = torch.searchsorted(weight_N.cumsum(0), number + 0.5)
        return gather_rows(vectors_ND[rows])[: len(self.codebook)]
