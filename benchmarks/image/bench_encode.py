"""Backbone to image, and pixels to PNG."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.reference import orientation
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.image import Picture, encode, picture_of, png_bytes


def bench(lengths: tuple[int, ...] = (64, 128, 256, 512), source: Path | None = None) -> Iterator[Row]:
    """`encode` and `png_bytes` for chains of each length."""
    for length in lengths:
        backbone = chain(length, source)
        yield _encode(backbone.coords)
        yield _png(picture_of(backbone))


def _encode(coords: np.ndarray) -> Row:
    image = encode(coords)
    ours, reference, limit = median_ms(
        lambda: encode(coords), lambda: orientation.encode(coords), lambda: image.copy()
    )
    return Row("encode", f"L {len(coords)}", ours, reference, "pair by pair", limit, "copy of the image")


def _png(picture: Picture) -> Row:
    def with_pillow() -> None:
        Image.fromarray(picture.pixels).save(io.BytesIO(), "PNG")

    ours, reference, limit = median_ms(lambda: png_bytes(picture), with_pillow, picture.pixels.copy)
    size = f"L {len(picture.pixels)}"
    return Row("PNG", size, ours, reference, "Pillow", limit, "copy of the pixels")
