"""How evenly the codes of a level are used over many batches."""

import torch
from torch import Tensor

from foldpix.model.collectives import sum_over_ranks


class CodebookUse:
    """Counts of each code of one level, over all ranks."""

    def __init__(self, codebook_size: int) -> None:
        self.counts = torch.zeros(codebook_size)

    def add(self, codes: Tensor, mask: Tensor) -> None:
        """Count codes (B, h, w) where the mask is true."""
        self.counts = self.counts.to(codes.device) + torch.bincount(codes[mask], minlength=len(self.counts))

    def reset(self) -> tuple[float, float]:
        """Share of the codes used and perplexity since the last reset."""
        counts = sum_over_ranks(self.counts)
        self.counts = torch.zeros_like(counts)
        share = counts / counts.sum().clamp(min=1)
        entropy = -(share * share.clamp(min=1e-12).log()).sum()
        return float((counts > 0).float().mean()), float(entropy.exp())
