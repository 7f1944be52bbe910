"""Backbones to chain codes and back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import foldpix
from benchmarks.reference import beam_search
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.chain_code.coder import NUM_BEAMS


def bench(
    lengths: tuple[int, ...] = (64, 128, 256, 500),
    sizes: tuple[int, ...] = (256, 4096),
    source: Path | None = None,
) -> Iterator[Row]:
    """Coding and decoding chains of each length with small and large codebooks."""
    for length in lengths:
        for size in sizes:
            yield from _of_length(length, size, source)


def _of_length(length: int, size: int, source: Path | None) -> Iterator[Row]:
    coder, backbone = foldpix.load(size), chain(length, source)
    code = coder.encode(backbone)
    seen = np.ones((NUM_BEAMS, 9), dtype=np.float32)
    steps = np.ascontiguousarray(coder.codebook.steps.reshape(-1, 9).T)
    times = median_ms(
        lambda: coder.encode(backbone),
        lambda: beam_search.encode(backbone.coords, coder.codebook, NUM_BEAMS),
        lambda: [seen @ steps for _ in range(length)],
    )
    size_name = f"L {length}, {size} codes"
    yield Row("chain code, encode", size_name, times[0], times[1], "NumPy", times[2], "its matrix product")
    codes, copied = code.codes.astype(np.int64), backbone.coords.copy()
    ours, reference, limit = median_ms(
        lambda: coder.decode(code),
        lambda: beam_search.decode(codes, coder.codebook),
        lambda: copied.copy(),
    )
    yield Row("chain code, decode", size_name, ours, reference, "NumPy", limit, "copy of coordinates")
