"""Reconstruction losses that count no padding."""

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor


class Losses(NamedTuple):
    """What training minimises (total) and its parts; ``channels`` are unweighted mean squared errors."""

    total: Float[Tensor, ""]
    reconstruction: Float[Tensor, ""]
    commitment: Float[Tensor, ""]
    gram: Float[Tensor, ""]
    channels: Float[Tensor, " c"]


def channel_errors(
    predicted: Float[Tensor, "b c l l"],
    target: Float[Tensor, "b c l l"],
    pair_mask: Bool[Tensor, "b l l"],
) -> Float[Tensor, " c"]:
    """Mean squared error of each channel over the residue pairs of the batch."""
    squared = (predicted.float() - target.float()).square() * pair_mask[:, None]
    return squared.sum(dim=(0, 2, 3)) / pair_mask.sum().clamp(min=1)


def gram_error(
    predicted: Float[Tensor, "b l l"],
    target: Float[Tensor, "b l l"],
    mask: Bool[Tensor, "b l"],
    unit: float = 0.5,
) -> Float[Tensor, ""]:
    """Mean squared error of the centred Gram matrices ``-J d^2 J / 2`` that classical MDS factorises.

    Parameters
    ----------
    predicted, target
        Distance maps scaled to [-1, 1].
    mask
        True on residues.
    unit
        The length that counts as 1, in the scale of the maps (0.5 is 20 A at d_max = 80 A).
    """
    difference = _squared(predicted, unit) - _squared(target, unit)
    weight = mask.float()
    count = weight.sum(dim=-1).clamp(min=1.0)[:, None, None]
    pair = weight[:, :, None] * weight[:, None, :]
    difference = difference * pair
    row = difference.sum(dim=-1, keepdim=True) / count
    column = difference.sum(dim=-2, keepdim=True) / count
    centred = (difference - row - column + row.sum(dim=-2, keepdim=True) / count) * pair
    return (0.25 * centred.square()).sum() / pair.sum().clamp(min=1.0)


def _squared(scaled: Tensor, unit: float) -> Tensor:
    return ((scaled.float() + 1.0) / unit).square()
