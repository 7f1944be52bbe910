"""The hierarchical VQ-VAE of backbone images.

Encoders run from fine to coarse. Decoding runs from coarse to fine: the coarsest map is quantised and
decoded; each finer level quantises its own encoding together with what came down from above, and decodes
its codes together with all coarser ones (top-down conditioning as in VQ-VAE-2, Razavi et al., 2019).
"""

from itertools import accumulate
from operator import mul
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from foldpix.model.config import HVQVAEConfig, Space
from foldpix.model.loss import Losses, channel_errors, gram_error
from foldpix.model.quantize import Quantize, Quantized
from foldpix.model.space import ChannelSpace, LiftedSpace, PlainSpace
from foldpix.model.vit import VitDecoder, VitEncoder


class Output(NamedTuple):
    """Losses, the decoded channels and the codes of each level, finest first."""

    losses: Losses
    channels: Float[Tensor, "b c l l"]
    codes: list[Tensor]


class HVQVAE(nn.Module):
    """Images (B, 3, L, L) with masks (B, L) to codes of each level, and back.

    L must be a multiple of ``stride``. Padding is masked in attention, losses and codebook statistics:
    a batch padded further gives the same numbers.
    """

    def __init__(self, config: HVQVAEConfig) -> None:
        config.check()
        super().__init__()
        self.config = config
        self.space: ChannelSpace = LiftedSpace() if config.space is Space.lifted else PlainSpace()
        num_channels, width, dim = len(self.space.names), config.n_embd, config.codebook_dim
        self.encoders, self.decoders, self.quantizers = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        last = len(config.scaling_rates) - 1
        for level, rate in enumerate(config.scaling_rates):
            outer = width if level else num_channels
            self.encoders.append(VitEncoder(config, outer, rate))
            self.decoders.append(VitDecoder(config, dim * (last - level + 1), outer, rate))
            self.quantizers.append(
                Quantize(
                    width if level == last else 2 * width,
                    config.codebook_size,
                    dim,
                    config.codebook_decay,
                    config.revive_below,
                )
            )
        weights = self.space.weights if config.channel_weights is None else config.channel_weights
        if len(weights) != num_channels:
            raise ValueError(
                f"model.channel_weights has {len(weights)} values; the {config.space} space needs "
                f"{num_channels}: {', '.join(self.space.names)}"
            )
        self.channel_weights: Tensor
        self.register_buffer("channel_weights", torch.tensor(weights), persistent=False)

    @property
    def grid_dim(self) -> int:
        """Axes of a level's codes."""
        return 2

    @property
    def decodes_to(self) -> Literal["image", "coords"]:
        """What :meth:`decode` gives."""
        return "image"

    @property
    def stride(self) -> int:
        """Total stride: the side of an image must be a multiple of it."""
        return self.config.stride

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels along the side of a cell, of each level, finest first."""
        return tuple(accumulate(self.config.scaling_rates, mul))

    @property
    def num_levels(self) -> int:
        """Number of code maps an image becomes."""
        return len(self.config.scaling_rates)

    @property
    def codebook_size(self) -> int:
        """Number of codes of each level."""
        return self.config.codebook_size

    def forward(self, image: Float[Tensor, "b 3 l l"], mask: Bool[Tensor, "b l"]) -> Output:
        """Reconstruct a batch and weigh its errors."""
        pair_mask = mask[:, :, None] & mask[:, None, :]
        target = self.space.lift(image) * pair_mask[:, None]
        masks = self.masks(mask)
        quantized = self._quantize(target, masks)
        decoded = self._decode_level(0, [level.vectors for level in quantized], masks[0])
        commitment = torch.stack([level.commitment for level in quantized]).sum()
        losses = self._losses(decoded, target, mask, pair_mask, commitment)
        return Output(losses, decoded, [level.codes for level in quantized])

    @torch.no_grad()
    def encode(
        self, image: Float[Tensor, "b 3 l l"], mask: Bool[Tensor, "b l"]
    ) -> list[Int64[Tensor, "b _ _"]]:
        """Code numbers of each level, finest first; 0 in padding."""
        pair_mask = mask[:, :, None] & mask[:, None, :]
        channels = self.space.lift(image) * pair_mask[:, None]
        return [level.codes for level in self._quantize(channels, self.masks(mask))]

    @torch.no_grad()
    def decode(self, codes: list[Int64[Tensor, "b _ _"]], length: int | Tensor) -> Float[Tensor, "b 3 l l"]:
        """The image of code maps.

        Parameters
        ----------
        codes : list of LongTensor, shape=(B, h, w)
            As returned by :meth:`encode`.
        length : int or LongTensor, shape=(B,)
            Number of residues; the image is cut to the longest.
        """
        lengths = torch.as_tensor(length, device=codes[0].device).expand(len(codes[0]))
        side = codes[0].shape[-1] * self.config.scaling_rates[0]
        mask = torch.arange(side, device=lengths.device)[None] < lengths[:, None]
        vectors = [cast(Quantize, self.quantizers[i]).lookup(level) for i, level in enumerate(codes)]
        longest = int(lengths.max())
        decoded = self._decode_level(0, vectors, self.masks(mask)[0])
        return self.space.lower(decoded.float()[..., :longest, :longest])

    def masks(self, mask_BL: Tensor) -> list[Tensor]:
        """Cells of each level that hold a residue pair, (B, h, w)."""
        masks = []
        for rate in self.config.scaling_rates:
            mask_BL = mask_BL.unflatten(-1, (-1, rate)).any(dim=-1)
            masks.append(mask_BL[:, :, None] & mask_BL[:, None, :])
        return masks

    def _quantize(self, channels: Tensor, masks: list[Tensor]) -> list[Quantized]:
        """All levels, finest first: features upwards, then codes downwards."""
        features = []
        for encoder, mask in zip(self.encoders, masks, strict=True):
            channels = encoder(channels, mask) * mask[:, None]
            features.append(channels)
        quantized = [self.quantizers[-1](features[-1], masks[-1])]
        for level in reversed(range(self.num_levels - 1)):
            coarser = self._decode_level(level + 1, [q.vectors for q in quantized], masks[level + 1])
            inputs = torch.cat([features[level], coarser], dim=1)
            quantized.insert(0, self.quantizers[level](inputs, masks[level]))
        return quantized

    def _decode_level(self, level: int, vectors: list[Tensor], mask: Tensor) -> Tensor:
        """What one level's code vectors and all coarser ones (``vectors``, finest first) decode to."""
        size = vectors[0].shape[-2:]
        coarser = [F.interpolate(v, size=size, mode="nearest") for v in vectors[1:]]
        return self.decoders[level](torch.cat([vectors[0], *coarser], dim=1), mask)

    def _losses(
        self, decoded: Tensor, target: Tensor, mask: Tensor, pair_mask: Tensor, commitment: Tensor
    ) -> Losses:
        errors = channel_errors(decoded, target, pair_mask)
        gram = gram_error(self.space.distance(decoded), self.space.distance(target), mask)
        reconstruction = (errors * self.channel_weights).mean()
        total = reconstruction + self.config.gram_weight * gram + self.config.beta * commitment
        return Losses(total, reconstruction, commitment, gram, errors)
