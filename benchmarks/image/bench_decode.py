"""Image to backbone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.reference.mds import decode_cb
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.geometry import virtual_cb
from foldpix.image import decode, encode


def bench(lengths: tuple[int, ...] = (64, 128, 256, 512), source: Path | None = None) -> Iterator[Row]:
    """`decode` for chains of each length."""
    for length in lengths:
        coords = chain(length, source).coords
        image, cb = encode(coords), virtual_cb(coords)
        gram = cb @ cb.T
        ours, reference, limit = median_ms(
            lambda image=image: decode(image),
            lambda image=image: decode_cb(image),
            lambda gram=gram: np.linalg.eigh(gram),
        )
        yield Row("decode", f"L {length}", ours, reference, "MDS, CB alone", limit, "eigenvectors")
