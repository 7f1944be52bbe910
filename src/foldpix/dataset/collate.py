"""Samples of several lengths as one padded batch."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from foldpix.dataset.reader import Sample, Skipped
from foldpix.image import from_pixels


class DistogramBatch(NamedTuple):
    """A batch of images.

    Parameters
    ----------
    image : Tensor, dtype=float32, shape=(B, 3, L, L)
        In [-1, 1], 0 where padded.
    mask : Tensor, dtype=bool, shape=(B, L)
        True for residues.
    lengths : Tensor, dtype=int64, shape=(B,)
    d_max : Tensor, dtype=float32, shape=(B,)
        The distance (angstrom) that stands for 1.
    names : list of str
        The samples' keys.
    skipped : list of Skipped
        What belongs to the batch but could not be read.
    """

    image: Tensor
    mask: Tensor
    lengths: Tensor
    d_max: Tensor
    names: list[str]
    skipped: list[Skipped]


def collate_with_padding(items: Sequence[Sample | Skipped], multiple: int) -> DistogramBatch:
    """Pad to the longest sample, rounded up to a multiple of ``multiple`` (the model's total stride)."""
    samples = [item for item in items if isinstance(item, Sample)]
    lengths = torch.tensor([len(sample.pixels) for sample in samples])
    padded = -(-int(lengths.max()) // multiple) * multiple
    image = torch.zeros(len(samples), 3, padded, padded)
    for target, sample in zip(image, samples, strict=True):
        length = len(sample.pixels)
        target[:, :length, :length] = torch.from_numpy(from_pixels(sample.pixels))
    return DistogramBatch(
        image,
        torch.arange(padded) < lengths[:, None],
        lengths,
        torch.tensor([sample.d_max for sample in samples]),
        [sample.name for sample in samples],
        [item for item in items if isinstance(item, Skipped)],
    )
