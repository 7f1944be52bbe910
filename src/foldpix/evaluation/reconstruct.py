"""Round trips from 8-bit pixels through a tokenizer back to a backbone."""

from collections.abc import Sequence

import numpy as np

from foldpix.dataset.reader import Sample as StoredSample
from foldpix.evaluation.chains import Sample
from foldpix.evaluation.codes import ImageTokenizer, codes_of, decoded_of
from foldpix.evaluation.image_stage import RoundTrip
from foldpix.image import decode, encode


def through_tokenizer(
    tokenizer: ImageTokenizer, samples: Sequence[Sample], device: str = "cpu"
) -> list[RoundTrip]:
    """8-bit pixels -> codes -> backbone, for a batch made by :func:`equally_padded`.

    What a tokenizer decodes is the backbone itself, or an image of it.

    Raises
    ------
    ValueError
        If what the tokenizer returns is not finite.
    """
    stored = [StoredSample(sample.id, sample.pixels, sample.d_max) for sample in samples]
    codes = codes_of(tokenizer, stored, device)
    decoded = decoded_of(tokenizer, codes, [len(sample.pixels) for sample in samples], device)
    return [
        RoundTrip(*_image_and_backbone(each, sample, tokenizer.decodes_to == "coords"), levels)
        for sample, each, levels in zip(samples, decoded, codes, strict=True)
    ]


def _image_and_backbone(
    decoded: np.ndarray, sample: Sample, is_coords: bool
) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(decoded).all():
        raise ValueError(f"what is decoded of {sample.id} is not finite: the checkpoint's run diverged")
    if is_coords:
        return encode(decoded, sample.d_max), decoded
    return decoded, decode(decoded, sample.d_max).coords
