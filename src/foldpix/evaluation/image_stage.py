"""Chains through the image alone, with their figures; without torch, so that workers start quickly."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from foldpix.evaluation.chains import Chain, Sample, Skipped
from foldpix.evaluation.metrics import Closeness, compare
from foldpix.image import decode, encode, from_pixels

Truth = Literal["structure", "picture"]
BITS_PER_PIXEL = 24


@dataclass(frozen=True)
class Record:
    """The figures of one chain at one stage.

    Parameters
    ----------
    id : str
    stage : str
        "image", or the name of a tokenizer.
    length : int
        Residues.
    closeness : Closeness
    num_tokens : int
        0 for the image, which has pixels.
    num_bits : float
    num_entropy_bits : float
        Bits of the tokens under their frequencies in training; NaN where those are not known.
    clipped : bool
        Some pair of residues lies at d_max or beyond.
    truth : "structure" or "picture"
        What the figures compare with: the structure file, or the backbone decoded from the picture.
    """

    id: str
    stage: str
    length: int
    closeness: Closeness
    num_tokens: int
    num_bits: float
    num_entropy_bits: float
    clipped: bool
    truth: Truth


@dataclass(frozen=True)
class RoundTrip:
    """What came back of a chain.

    Parameters
    ----------
    image : ndarray, shape=(3, L, L)
    coords : ndarray, shape=(L, 3, 3)
        N, CA, C decoded from it, angstrom.
    num_bits : float
        Of the pixels or tokens.
    codes : tuple of ndarray
        Of each level, finest first; only the tokens that cover residues. Empty without a tokenizer.
    num_entropy_bits : float
        As in :class:`Record`.
    """

    image: np.ndarray
    coords: np.ndarray
    num_bits: float
    codes: tuple[np.ndarray, ...] = ()
    num_entropy_bits: float = math.nan

    @property
    def num_tokens(self) -> int:
        """Tokens of all levels."""
        return sum(level.size for level in self.codes)


def through_pixels(sample: Sample) -> RoundTrip:
    """8-bit pixels -> backbone; the image is that of the decoded backbone."""
    coords = decode(from_pixels(sample.pixels), sample.d_max).coords
    num_bits = BITS_PER_PIXEL * len(sample.pixels) ** 2
    return RoundTrip(encode(coords, sample.d_max), coords, num_bits)


class ImageStage(NamedTuple):
    """What a batch gave: the samples, the figures of their images, and the chains that cannot be loaded."""

    samples: list[Sample]
    records: list[Record]
    skipped: list[Skipped]


def image_stage(batch: Iterable[Chain]) -> ImageStage:
    """Load chains and measure their images, except where the truth was decoded from the image itself."""
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for chain in batch:
        try:
            samples.append(chain.load())
        except (ValueError, OSError) as error:
            skipped.append(Skipped(chain.id, str(error)))
    records = [
        record_of(sample, "image", through_pixels(sample)) for sample in samples if not sample.from_image
    ]
    return ImageStage(samples, records, skipped)


def record_of(sample: Sample, stage: str, trip: RoundTrip) -> Record:
    """The figures of a round trip."""
    closeness = compare(trip.coords, sample.truth)
    clipped = bool(np.tril(sample.pixels[..., 0]).max() == 255)
    truth: Truth = "picture" if sample.from_image else "structure"
    return Record(
        sample.id,
        stage,
        len(sample.pixels),
        closeness,
        trip.num_tokens,
        trip.num_bits,
        trip.num_entropy_bits,
        clipped,
        truth,
    )


def stages(records: Iterable[Record]) -> list[str]:
    """The stages there are: the image first, then tokenizers as they came."""
    names = dict.fromkeys(record.stage for record in records)
    return sorted(names, key=lambda name: name != "image")
