"""Row tokens: one residue's view of the chain becomes a token, and tokens become N, CA, C.

The loss is taken on the lifted picture of the decoded coordinates. So rigid motions change nothing, mirror
images differ, and what comes out is always the picture of a chain.
"""

from typing import Literal, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from foldpix.model.config import RowsConfig
from foldpix.model.lifted import lifted_picture, pairs_of, without_diagonal
from foldpix.model.loss import Losses, channel_errors, gram_error
from foldpix.model.quantize import Quantize, Quantized
from foldpix.model.row_decoder import RowDecoder
from foldpix.model.row_encoder import RowEncoder
from foldpix.model.space import LiftedSpace

#: Weight of the loss of each draft before the last.
EARLIER = 0.3


class RowOutput(NamedTuple):
    """Losses, the decoded N, CA, C and the codes of each level, finest first."""

    losses: Losses
    coords: Float[Tensor, "b l 3 3"]
    codes: list[Tensor]


class RowTokenizer(nn.Module):
    """Backbones or their images, with masks (B, L), to codes along the chain, and back to N, CA, C.

    L must be a multiple of ``stride``. Padding is masked everywhere: a batch padded further gives the same
    numbers.
    """

    def __init__(self, config: RowsConfig) -> None:
        super().__init__()
        self.config = config
        self.space = LiftedSpace()
        self.encoder = RowEncoder(config)
        self.quantizers = nn.ModuleList(
            Quantize(
                config.n_embd + (len(config.strides) - 1 - level) * config.codebook_dim,
                config.codebook_size,
                config.codebook_dim,
                config.codebook_decay,
                config.revive_below,
            )
            for level in range(len(config.strides))
        )
        self.decoder = RowDecoder(config, len(config.strides) * config.codebook_dim)
        weights = self.space.weights if config.channel_weights is None else config.channel_weights
        self.channel_weights: Tensor
        self.register_buffer("channel_weights", torch.tensor(weights), persistent=False)

    @property
    def grid_dim(self) -> int:
        """Axes of a level's codes."""
        return 1

    @property
    def decodes_to(self) -> Literal["image", "coords"]:
        """What :meth:`decode` gives."""
        return "coords"

    @property
    def stride(self) -> int:
        """The length of a chain is padded to a multiple of it."""
        return self.config.strides[-1]

    @property
    def strides(self) -> tuple[int, ...]:
        """Residues that share a token, of each level, finest first."""
        return tuple(self.config.strides)

    @property
    def codebook_size(self) -> int:
        """Number of codes of each level."""
        return self.config.codebook_size

    def forward(self, coords: Float[Tensor, "b l 3 3"], mask: Bool[Tensor, "b l"]) -> RowOutput:
        """Reconstruct a batch and weigh its errors."""
        pair_mask = pairs_of(mask)
        target = lifted_picture(coords) * pair_mask[:, None]
        quantized = self._quantize(target, mask)
        drafts = self.decoder(self._spread([level.vectors for level in quantized]), mask)
        commitment = torch.stack([level.commitment for level in quantized]).sum()
        losses = self._losses(drafts, target, mask, commitment)
        return RowOutput(losses, drafts[-1], [level.codes for level in quantized])

    @torch.no_grad()
    def encode(
        self, image: Float[Tensor, "b 3 l l"], mask: Bool[Tensor, "b l"]
    ) -> list[Int64[Tensor, "b _"]]:
        """Code numbers of each level, finest first; 0 in padding."""
        picture = without_diagonal(self.space.lift(image)) * pairs_of(mask)[:, None]
        return [level.codes for level in self._quantize(picture, mask)]

    @torch.no_grad()
    def decode(self, codes: list[Int64[Tensor, "b _"]], length: int | Tensor) -> Float[Tensor, "b l 3 3"]:
        """N, CA, C of code sequences; those of chains shorter than the longest end in padding.

        Parameters
        ----------
        codes : list of LongTensor, shape=(B, n)
            As returned by :meth:`encode`.
        length : int or LongTensor, shape=(B,)
            Number of residues.
        """
        lengths = torch.as_tensor(length, device=codes[0].device).expand(len(codes[0]))
        mask = torch.arange(codes[0].shape[-1] * self.strides[0], device=lengths.device) < lengths[:, None]
        vectors = [
            cast(Quantize, quantizer).lookup(level[..., None])
            for quantizer, level in zip(self.quantizers, codes, strict=True)
        ]
        return self.decoder(self._spread(vectors), mask)[-1][:, : int(lengths.max())]

    def masks(self, mask_BL: Tensor) -> list[Tensor]:
        """Tokens of each level that stand for a residue, (B, n)."""
        return [mask_BL.unflatten(-1, (-1, stride)).any(dim=-1) for stride in self.strides]

    def _quantize(self, picture: Tensor, mask: Tensor) -> list[Quantized]:
        """All levels, finest first; made from coarse to fine, each knowing the coarser ones."""
        seen = picture.clamp(max=1.0)  # as an image holds distances
        features = self.encoder(seen, mask) * mask[..., None]
        levels: list[Quantized] = []
        for level in reversed(range(len(self.strides))):
            coarser = [features] if not levels else [features, self._spread([q.vectors for q in levels])]
            levels.insert(0, self._quantize_level(level, torch.cat(coarser, dim=-1), mask))
        return levels

    def _quantize_level(self, level: int, features_BLC: Tensor, mask: Tensor) -> Quantized:
        """The means over the residues of each token, quantised."""
        stride = self.strides[level]
        weight_BL1 = mask[..., None].float()
        total = (features_BLC * weight_BL1).unflatten(1, (-1, stride)).sum(dim=2)
        count = weight_BL1.unflatten(1, (-1, stride)).sum(dim=2).clamp(min=1.0)
        cells = mask.unflatten(-1, (-1, stride)).any(dim=-1)
        quantized = self.quantizers[level]((total / count).mT[..., None], cells[..., None])
        return quantized._replace(codes=quantized.codes[..., 0])

    def _spread(self, vectors: list[Tensor]) -> Float[Tensor, "b l d"]:
        """Code vectors (B, D, n, 1) of the coarsest levels, or all, to the residues they stand for."""
        strides = self.strides[-len(vectors) :]
        spread = [
            each[..., 0].mT.repeat_interleave(stride, dim=1)
            for each, stride in zip(vectors, strides, strict=True)
        ]
        return torch.cat(spread, dim=-1)

    def _losses(self, drafts: list[Tensor], target: Tensor, mask: Tensor, commitment: Tensor) -> Losses:
        each = [self._draft_errors(draft, target, mask) for draft in drafts]
        weights = [EARLIER] * (len(drafts) - 1) + [1.0]
        weighted = [
            weight * ((errors * self.channel_weights).mean() + self.config.gram_weight * gram)
            for weight, (errors, gram) in zip(weights, each, strict=True)
        ]
        errors, gram = each[-1]
        total = torch.stack(weighted).sum() + self.config.beta * commitment
        return Losses(total, (errors * self.channel_weights).mean(), commitment, gram, errors)

    def _draft_errors(self, draft: Tensor, target: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pair_mask = pairs_of(mask)
        picture = lifted_picture(draft)
        gram = gram_error(picture[:, 0], target[:, 0], mask)
        return channel_errors(picture, target, pair_mask), gram
