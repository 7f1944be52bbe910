"""What a validation step gives its callbacks, and how far decoded backbones are from the original ones."""

from typing import TypedDict

import torch
from torch import Tensor

from foldpix.dataset.collate import DistogramBatch
from foldpix.geometry import rmsd
from foldpix.image import decode


class Validated(TypedDict):
    """A validated batch.

    Parameters
    ----------
    images : Tensor, shape=(B, 3, L, L)
        Decoded ones.
    chains : list of Tensor, shape=(2, L, 3, 3)
        Backbones in angstrom of each decoded and original image, without padding.
    """

    images: Tensor
    chains: list[Tensor]


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
    with torch.autocast(chains[0].device.type, enabled=False):
        for pair in chains:
            found, truth = pair.nan_to_num().flatten(1, 2)
            deviations.append(torch.where(pair.isfinite().all(), rmsd(found, truth), torch.nan))
    return torch.stack(deviations)
