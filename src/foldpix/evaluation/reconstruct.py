"""Round trips from 8-bit pixels through a tokenizer back to a backbone."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from foldpix.dataset.collate import collate_with_padding
from foldpix.dataset.reader import Sample as StoredSample
from foldpix.evaluation.chains import Sample
from foldpix.evaluation.image_stage import RoundTrip
from foldpix.image import decode


class ImageTokenizer(Protocol):
    """What evaluation needs of a tokenizer; ``foldpix.model`` has one."""

    @property
    def stride(self) -> int:
        """The side of an image is a multiple of it."""

    @property
    def codebook_size(self) -> int:
        """Codes of each level."""

    def encode(self, image: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """Images (B, 3, S, S) and their mask (B, S) -> codes (B, h, w) of each level, finest first."""

    def decode(self, codes: list[torch.Tensor], length: torch.Tensor) -> torch.Tensor:
        """Codes of chains with these lengths (B,) -> images (B, 3, L, L), L the longest."""


@torch.inference_mode()
def through_tokenizer(
    tokenizer: ImageTokenizer, samples: Sequence[Sample], device: str = "cpu"
) -> list[RoundTrip]:
    """8-bit pixels -> codes -> image -> backbone, for chains that :func:`padded_length` makes equally long.

    So every chain is padded as it would be alone, and its result cannot depend on its neighbours.

    Raises
    ------
    ValueError
        If the tokenizer returns an image that is not finite.
    """
    stored = [StoredSample(sample.id, sample.pixels, sample.d_max) for sample in samples]
    batch = collate_with_padding(stored, tokenizer.stride)
    size = batch.image.shape[-1]
    codes = tokenizer.encode(batch.image.to(device), batch.mask.to(device))
    images = tokenizer.decode(codes, batch.lengths.to(device)).float().cpu().numpy()
    grids = [level.cpu().numpy() for level in codes]
    return [
        _round_trip(sample, images[i], [grid[i] for grid in grids], size) for i, sample in enumerate(samples)
    ]


def padded_length(length: int, stride: int) -> int:
    """The length rounded up to a multiple of the tokenizer's stride."""
    return math.ceil(length / stride) * stride


def _round_trip(sample: Sample, image: np.ndarray, grids: list[np.ndarray], size: int) -> RoundTrip:
    length = len(sample.pixels)
    image = image[:, :length, :length]
    # Tokens that cover padding alone are no part of the chain: decoding masks them.
    sides = [math.ceil(length * len(grid) / size) for grid in grids]
    codes = tuple(grid[:side, :side] for grid, side in zip(grids, sides, strict=True))
    return RoundTrip(image, _backbone(image, sample), codes)


def _backbone(image: np.ndarray, sample: Sample) -> np.ndarray:
    if not np.isfinite(image).all():
        raise ValueError(f"the tokenizer's image of {sample.id} is not finite: the checkpoint's run diverged")
    return decode(image, sample.d_max).coords
