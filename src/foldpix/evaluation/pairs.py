"""Original and decoded images side by side, as pixels."""

from collections.abc import Sequence

import numpy as np

from foldpix.image import to_pixels

_GAP = 6  # white pixels between images


def side_by_side(originals: Sequence[np.ndarray], decoded: Sequence[np.ndarray]) -> np.ndarray:
    """Pairs of images on white: originals in the upper row, what was decoded of each below it.

    Parameters
    ----------
    originals, decoded : sequence of ndarray, shape=(3, L, L)
        In [-1, 1]; a pair has one L, pairs may differ.

    Returns
    -------
    ndarray, dtype=uint8, shape=(H, W, 3)
    """
    sides = [image.shape[-1] for image in originals]
    height, width = 2 * max(sides) + 3 * _GAP, sum(sides) + _GAP * (len(sides) + 1)
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    left = _GAP
    for side, pair in zip(sides, zip(originals, decoded, strict=True), strict=True):
        for row, image in enumerate(pair):
            top = _GAP + row * (max(sides) + _GAP)
            canvas[top : top + side, left : left + side] = to_pixels(image)
        left += side + _GAP
    return canvas
