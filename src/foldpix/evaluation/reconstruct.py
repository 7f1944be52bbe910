"""Round trips through a tokenizer back to a backbone."""

from collections.abc import Sequence
from math import log2
from typing import Protocol

import numpy as np

from foldpix.chain_code import ChainCoder
from foldpix.dataset.reader import Sample as StoredSample
from foldpix.evaluation.chains import Sample, Skipped
from foldpix.evaluation.codes import Codes, ImageTokenizer, codes_of, decoded_of
from foldpix.evaluation.image_stage import RoundTrip
from foldpix.image import decode, encode
from foldpix.structure import Backbone


class RoundTrips(Protocol):
    """A tokenizer as evaluation sees it."""

    @property
    def name(self) -> str:
        """What its figures are called."""

    @property
    def stride(self) -> int:
        """Chains of one batch are padded to one multiple of it."""

    @property
    def codebook_size(self) -> int:
        """Codes of each level."""

    @property
    def num_levels(self) -> int:
        """Levels of codes."""

    def __call__(self, samples: Sequence[Sample]) -> Sequence[RoundTrip | Skipped]:
        """What comes back of each chain of a batch, or why it cannot be coded."""


class ImageRoundTrips:
    """8-bit pixels -> codes -> backbone; what a tokenizer decodes is the backbone itself, or an image of it.

    Parameters
    ----------
    tokenizer : ImageTokenizer
    device : str
        Where it is.
    """

    name = "tokenizer"

    def __init__(self, tokenizer: ImageTokenizer, device: str = "cpu") -> None:
        self._tokenizer, self._device = tokenizer, device
        self.stride, self.codebook_size = tokenizer.stride, tokenizer.codebook_size
        self.num_levels = len(tokenizer.strides)

    def __call__(self, samples: Sequence[Sample]) -> list[RoundTrip]:
        """What comes back of a batch made by :func:`equally_padded`.

        Raises
        ------
        ValueError
            If what the tokenizer returns is not finite.
        """
        stored = [StoredSample(sample.id, sample.pixels, sample.d_max) for sample in samples]
        codes = codes_of(self._tokenizer, stored, self._device)
        lengths = [len(sample.pixels) for sample in samples]
        decoded = decoded_of(self._tokenizer, codes, lengths, self._device)
        return [
            self._round_trip(sample, each, levels)
            for sample, each, levels in zip(samples, decoded, codes, strict=True)
        ]

    def _round_trip(self, sample: Sample, decoded: np.ndarray, levels: Codes) -> RoundTrip:
        if not np.isfinite(decoded).all():
            raise ValueError(f"what is decoded of {sample.id} is not finite: the checkpoint's run diverged")
        num_bits = log2(self.codebook_size) * sum(each.size for each in levels)
        if self._tokenizer.decodes_to == "coords":
            return RoundTrip(encode(decoded, sample.d_max), decoded, num_bits, levels)
        return RoundTrip(decoded, decode(decoded, sample.d_max).coords, num_bits, levels)


class ChainRoundTrips:
    """Backbone -> chain code -> backbone.

    Parameters
    ----------
    coder : ChainCoder
    """

    stride = num_levels = 1

    def __init__(self, coder: ChainCoder) -> None:
        self._coder = coder
        self.codebook_size = len(coder.codebook)
        self.name = f"chain_code_{self.codebook_size}"

    def __call__(self, samples: Sequence[Sample]) -> list[RoundTrip | Skipped]:
        """What comes back of each chain, or why it cannot be coded."""
        return [self._round_trip(sample) for sample in samples]

    def _round_trip(self, sample: Sample) -> RoundTrip | Skipped:
        try:
            code = self._coder.encode(Backbone(sample.truth, "X" * len(sample.truth)))
        except ValueError as error:
            return Skipped(sample.id, f"{self.name}: {error}")
        coords = self._coder.decode(code).coords
        image = encode(coords, sample.d_max)
        num_bits, entropy = self._coder.num_bits(code), self._coder.num_entropy_bits(code)
        return RoundTrip(image, coords, num_bits, (code.codes,), entropy)
