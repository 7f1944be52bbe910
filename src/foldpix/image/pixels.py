"""Between images in [-1, 1] and 8-bit pixels."""

import numpy as np


def to_pixels(image: np.ndarray) -> np.ndarray:
    """Image as RGB pixels, rounded to the nearest of 256 levels (truncation would shorten every distance).

    Parameters
    ----------
    image : ndarray, shape=(..., 3, L, L)
        In [-1, 1]; values outside are clipped.

    Returns
    -------
    ndarray, dtype=uint8, shape=(..., L, L, 3)

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    if not np.isfinite(image).all():
        raise ValueError(
            "the image holds values that are not finite: the backbone has missing or equal atoms"
        )
    levels = np.clip(image, -1.0, 1.0)
    levels *= 127.5
    levels += 128.0  # a half more than the middle: the cast below cuts off
    pixels = np.empty((*image.shape[:-3], *image.shape[-2:], 3), dtype=np.uint8)
    for channel in range(3):  # whole planes: a transposed copy moves three bytes at a time
        pixels[..., channel] = levels[..., channel, :, :]
    return pixels


def from_pixels(pixels: np.ndarray) -> np.ndarray:
    """The image of RGB pixels: uint8 (..., L, L, 3) -> float32 (..., 3, L, L) in [-1, 1]."""
    channels = np.ascontiguousarray(np.moveaxis(pixels, -1, -3))
    return channels.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
