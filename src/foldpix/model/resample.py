"""Strided convolutions that halve or double the resolution of a feature map.

Kernels are as wide as their stride, so a cell sees its own block of pixels alone and padding never leaks in.
"""

import itertools
import math

from jaxtyping import Float
from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class DownsampleStack(nn.Sequential):
    """``log2(factor)`` convolutions of stride 2; the width doubles on the way to ``out_channels``."""

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        steps = int(math.log2(factor))
        widths = [in_channels, *(max(out_channels >> (steps - 1 - i), 8) for i in range(steps))]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, kernel_size=2, stride=2), ChannelNorm(after), nn.GELU()]
        super().__init__(*layers)


class UpsampleStack(nn.Sequential):
    """The mirror of :class:`DownsampleStack`; the last convolution is linear, so any value can come out."""

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        steps = int(math.log2(factor))
        widths = [*(max(in_channels >> i, 8) for i in range(steps)), out_channels]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, kernel_size=2, stride=2),
                ChannelNorm(after),
                nn.GELU(),
            ]
        super().__init__(*layers[:-2])
