"""Every chain through every stage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log2
from typing import Literal

import numpy as np

from foldpix.evaluation.chains import Chain, Sample, Skipped
from foldpix.evaluation.codebook import CodebookUse
from foldpix.evaluation.metrics import Closeness, compare
from foldpix.evaluation.reconstruct import (
    ImageTokenizer,
    RoundTrip,
    padded_length,
    through_pixels,
    through_tokenizer,
)

Stage = Literal["image", "tokenizer"]
Truth = Literal["structure", "picture"]
BITS_PER_PIXEL = 24


@dataclass(frozen=True)
class Record:
    """The figures of one chain at one stage.

    Parameters
    ----------
    id : str
    stage : "image" or "tokenizer"
    length : int
        Residues.
    closeness : Closeness
    num_tokens : int
        0 for the image, which has pixels.
    num_bits : float
    clipped : bool
        Some pair of residues lies at d_max or beyond.
    truth : "structure" or "picture"
        What the figures compare with: the structure file, or the backbone decoded from the picture.
    """

    id: str
    stage: Stage
    length: int
    closeness: Closeness
    num_tokens: int
    num_bits: float
    clipped: bool
    truth: Truth


class Evaluation:
    """Sends chains through the image and, where there is one, the tokenizer, and keeps what it finds.

    Parameters
    ----------
    tokenizer : ImageTokenizer or None
        None evaluates the image alone.
    device : str
        Where the tokenizer is.

    Attributes
    ----------
    records : list of Record
    skipped : list of Skipped
        Chains that could not be loaded.
    use : list of CodebookUse
        Of each level of codes, finest first; empty without a tokenizer.
    """

    def __init__(self, tokenizer: ImageTokenizer | None = None, device: str = "cpu") -> None:
        self.tokenizer, self.device = tokenizer, device
        self.records: list[Record] = []
        self.skipped: list[Skipped] = []
        self.use: list[CodebookUse] = []

    def batches(self, chains: Iterable[Chain], batch_size: int) -> Iterator[list[Chain]]:
        """The chains, shortest first, in batches of at most ``batch_size`` that are padded to one length."""
        stride = 1 if self.tokenizer is None else self.tokenizer.stride
        in_order = sorted(chains, key=lambda chain: (chain.length, chain.id))
        for _, group in groupby(in_order, lambda chain: padded_length(chain.length, stride)):
            equals = list(group)
            for start in range(0, len(equals), batch_size):
                yield equals[start : start + batch_size]

    def add(self, batch: Iterable[Chain]) -> None:
        """Evaluate one of :meth:`batches`."""
        samples = list(self._loaded(batch))
        for sample in samples:
            if not sample.from_image:
                self.records.append(_record(sample, "image", through_pixels(sample), BITS_PER_PIXEL))
        if self.tokenizer is not None and samples:
            self._tokenize(self.tokenizer, samples)

    def _loaded(self, chains: Iterable[Chain]) -> Iterator[Sample]:
        for chain in chains:
            try:
                yield chain.load()
            except (ValueError, OSError) as error:
                self.skipped.append(Skipped(chain.id, str(error)))

    def _tokenize(self, tokenizer: ImageTokenizer, samples: Sequence[Sample]) -> None:
        trips = through_tokenizer(tokenizer, samples, self.device)
        self.use = self.use or [CodebookUse(tokenizer.codebook_size) for _ in trips[0].codes]
        for sample, trip in zip(samples, trips, strict=True):
            self.records.append(_record(sample, "tokenizer", trip, log2(tokenizer.codebook_size)))
            for use, codes in zip(self.use, trip.codes, strict=True):
                use.add(codes)


def _record(sample: Sample, stage: Stage, trip: RoundTrip, bits_each: float) -> Record:
    length = len(sample.pixels)
    num_symbols = trip.num_tokens or length**2
    closeness = compare(trip.coords, sample.truth)
    clipped = bool(np.tril(sample.pixels[..., 0]).max() == 255)
    num_bits = num_symbols * bits_each
    truth: Truth = "picture" if sample.from_image else "structure"
    return Record(sample.id, stage, length, closeness, trip.num_tokens, num_bits, clipped, truth)
