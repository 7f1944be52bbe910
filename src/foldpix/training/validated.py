"""What a validation step gives its callbacks, and how far decoded backbones are from the original ones."""

from typing import NamedTuple, TypedDict

import torch
from torch import Tensor

from foldpix.dataset.collate import DistogramBatch
from foldpix.geometry import rmsd
from foldpix.image import decode

#: Reconstructions that a validation step hands on to be drawn.
NUM_SHOWN = 4


class Shown(NamedTuple):
    """The first images of a batch, their reconstructions, and their lengths."""

    images: Tensor
    decoded: Tensor
    lengths: list[int]


class Validated(TypedDict):
    """A validated batch: decoded and original backbones, (2, L, 3, 3) in angstrom, and the first images."""

    chains: list[Tensor]
    shown: Shown


def decoded_chains(images: Tensor, batch: DistogramBatch) -> list[Tensor]:
    """Backbones of each decoded and original image, (2, L, 3, 3); NaN where a decoded image is not finite."""
    finite = images.isfinite().all(dim=(1, 2, 3))[:, None, None, None]
    pair = torch.stack([torch.where(finite, images, 0.0), batch.image]).float()
    both = (2, *batch.d_max.shape)
    with torch.autocast(images.device.type, enabled=False):  # half precision bends chains by angstroms
        decoded, truth = decode(pair, batch.d_max.expand(both), batch.mask.expand(2, -1, -1)).coords
    coords = torch.stack([torch.where(finite, decoded, torch.nan), truth])
    return [each[:, :length] for each, length in zip(coords.unbind(1), batch.lengths, strict=True)]


def decoded_rmsd(chains: list[Tensor]) -> Tensor:
    """RMSD in angstrom of N, CA, C of each pair of :func:`decoded_chains`, shape (B,); NaN where they are."""
    deviations = []
    for pair in chains:
        found, truth = pair.nan_to_num().double().flatten(1, 2)  # autocast leaves double precision alone
        deviations.append(torch.where(pair.isfinite().all(), rmsd(found, truth), torch.nan))
    return torch.stack(deviations)
