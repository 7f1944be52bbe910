"""Pictures to codes, and codes to pictures or coordinates, through a tokenizer."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch

from foldpix.dataset.collate import collate_with_padding
from foldpix.dataset.reader import Sample as StoredSample

#: Code numbers of one chain, finest level first; only the tokens that cover residues. Each level is a
#: square grid, or a sequence along the chain.
Codes = tuple[np.ndarray, ...]
Item = TypeVar("Item")


class ImageTokenizer(Protocol):
    """What this package needs of a tokenizer of images; ``foldpix.model`` has two."""

    @property
    def grid_dim(self) -> int:
        """Axes of a level's codes: 2 for square grids, 1 for sequences along the chain."""

    @property
    def decodes_to(self) -> Literal["image", "coords"]:
        """What :meth:`decode` gives."""

    @property
    def stride(self) -> int:
        """The side of an image is a multiple of it."""

    @property
    def strides(self) -> tuple[int, ...]:
        """Residues along the side of a cell, of each level, finest first."""

    @property
    def codebook_size(self) -> int:
        """Codes of each level."""

    def encode(self, image: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """Images (B, 3, S, S) and their mask (B, S) -> codes (B, h, w) or (B, n) of each level."""

    def decode(self, codes: list[torch.Tensor], length: torch.Tensor) -> torch.Tensor:
        """Codes of chains with these lengths (B,) -> images (B, 3, L, L), or N, CA, C in angstrom
        (B, L, 3, 3), L the longest."""


def padded_length(length: int, stride: int) -> int:
    """The length rounded up to a multiple of the tokenizer's stride."""
    return math.ceil(length / stride) * stride


def equally_padded(
    items: Iterable[Item], length: Callable[[Item], int], stride: int, batch_size: int
) -> Iterator[list[Item]]:
    """The items, shortest first, in batches of at most ``batch_size`` that are padded to one length.

    So every chain is padded as it would be alone, and its result cannot depend on its neighbours.
    """
    for _, group in groupby(sorted(items, key=length), lambda item: padded_length(length(item), stride)):
        equals = list(group)
        for start in range(0, len(equals), batch_size):
            yield equals[start : start + batch_size]


@torch.inference_mode()
def codes_of(tokenizer: ImageTokenizer, samples: Sequence[StoredSample], device: str = "cpu") -> list[Codes]:
    """The codes of each picture of a batch made by :func:`equally_padded`."""
    batch = collate_with_padding(samples, tokenizer.stride)
    levels = tokenizer.encode(batch.image.to(device), batch.mask.to(device))
    grids = [level.cpu().numpy() for level in levels]
    return [_cut(grids, i, len(sample.pixels), tokenizer.strides) for i, sample in enumerate(samples)]


@torch.inference_mode()
def decoded_of(
    tokenizer: ImageTokenizer, codes: Sequence[Codes], lengths: Sequence[int], device: str = "cpu"
) -> list[np.ndarray]:
    """The image (3, L, L) or N, CA, C (L, 3, 3) of each chain's codes, a batch of :func:`equally_padded`."""
    size = padded_length(max(lengths), tokenizer.stride)
    levels = [
        torch.from_numpy(_padded([each[level] for each in codes], size // stride)).to(device)
        for level, stride in enumerate(tokenizer.strides)
    ]
    decoded = tokenizer.decode(levels, torch.tensor(lengths, device=device)).float().cpu().numpy()
    if tokenizer.decodes_to == "coords":
        return [coords[:length] for coords, length in zip(decoded, lengths, strict=True)]
    return [image[:, :length, :length] for image, length in zip(decoded, lengths, strict=True)]


def _cut(grids: Sequence[np.ndarray], number: int, length: int, strides: Iterable[int]) -> Codes:
    """Tokens that cover padding alone are no part of the chain: decoding masks them."""
    sides = [math.ceil(length / stride) for stride in strides]
    each = zip(grids, sides, strict=True)
    return tuple(grid[number][(slice(side),) * (grid.ndim - 1)] for grid, side in each)


def _padded(grids: Sequence[np.ndarray], side: int) -> np.ndarray:
    """Grids (side, side), or sequences, as one array of int64, 0 in padding as an encoder leaves it."""
    padded = np.zeros((len(grids), *(side,) * grids[0].ndim), dtype=np.int64)
    for target, grid in zip(padded, grids, strict=True):
        target[(slice(len(grid)),) * grid.ndim] = grid
    return padded
