"""Round trips from 8-bit pixels through a tokenizer back to a backbone."""

from collections.abc import Sequence

import numpy as np

from foldpix.dataset.reader import Sample as StoredSample
from foldpix.evaluation.chains import Sample
from foldpix.evaluation.codes import ImageTokenizer, codes_of, images_of
from foldpix.evaluation.image_stage import RoundTrip
from foldpix.image import decode


def through_tokenizer(
    tokenizer: ImageTokenizer, samples: Sequence[Sample], device: str = "cpu"
) -> list[RoundTrip]:
    """8-bit pixels -> codes -> image -> backbone, for a batch made by :func:`equally_padded`.

    Raises
    ------
    ValueError
        If the tokenizer returns an image that is not finite.
    """
    stored = [StoredSample(sample.id, sample.pixels, sample.d_max) for sample in samples]
    codes = codes_of(tokenizer, stored, device)
    images = images_of(tokenizer, codes, [len(sample.pixels) for sample in samples], device)
    return [
        RoundTrip(image, _backbone(image, sample), levels)
        for sample, image, levels in zip(samples, images, codes, strict=True)
    ]


def _backbone(image: np.ndarray, sample: Sample) -> np.ndarray:
    if not np.isfinite(image).all():
        raise ValueError(f"the tokenizer's image of {sample.id} is not finite: the checkpoint's run diverged")
    return decode(image, sample.d_max).coords
