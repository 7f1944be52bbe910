"""How much of a codebook is used."""

import numpy as np


class CodebookUse:
    """Counts how often each code of one level occurs.

    Parameters
    ----------
    codebook_size : int
    """

    def __init__(self, codebook_size: int) -> None:
        self.counts = np.zeros(codebook_size, dtype=np.int64)

    def add(self, codes: np.ndarray) -> None:
        """Count codes (integers of any shape)."""
        self.counts += np.bincount(codes.ravel(), minlength=len(self.counts))

    @property
    def codes_used(self) -> int:
        """Number of distinct codes that occurred."""
        return int(np.count_nonzero(self.counts))

    @property
    def perplexity(self) -> float:
        """Exponential of the entropy of the codes: the size of an evenly used codebook with equal entropy."""
        share = self.counts[self.counts > 0] / self.counts.sum()
        return float(np.exp(-np.sum(share * np.log(share))))
