"""Pairs of clouds in blocks of few shapes, so that few functions are compiled and memory stays bounded."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from foldpix.alignment.moments import CHUNK
from foldpix.alignment.overlaps import Points

# Sizes that fits, and numbers of starts, are padded to; beyond the last, its multiples.
_SIZES = (8, 16, 24, 32, 48, 64, 96, 128, 200, 256, 384, 512)
# Those of references: their padding is not computed with (`moments`), so few shapes do.
_REF_SIZES = (48, 128, 512)
# Terms of a block of pairs with their poses that are computed at a time: 0.5 MB of float32, so that they
# stay in a core's own cache.
_MAX_TERMS = 2**17
# More go no faster, and a pair alone takes as long as a block.
_MAX_PAIRS = 16


class Tile(NamedTuple):
    """Pairs of one padded size: their places, the clouds as blocks, and how many go together."""

    places: np.ndarray
    ref: Points
    fit: Points
    num_pairs: int


def padded_size(num: int, sizes: tuple[int, ...] = _SIZES) -> int:
    """The size that so many are padded to."""
    for size in sizes:
        if num <= size:
            return size
    return -(-num // sizes[-1]) * sizes[-1]


def tiles(pairs: Sequence[tuple[Points, Points]], num_poses: int) -> Iterator[Tile]:
    """Pairs of a shape, those of similar references together. A pair's own sizes alone decide its shape.

    ``num_poses`` are computed at a time.
    """
    counts = np.array([[len(cloud.points) for cloud in pair] for pair in pairs]).reshape(-1, 2)
    shapes = np.array([[padded_size(ref, _REF_SIZES), padded_size(fit)] for ref, fit in counts])
    for shape in np.unique(shapes.reshape(-1, 2), axis=0):
        places = np.flatnonzero((shapes == shape).all(axis=1))
        places = places[np.argsort(counts[places, 0], kind="stable")]
        ref, fit = (_stack([pairs[k][side] for k in places.tolist()], int(shape[side])) for side in (0, 1))
        most = _MAX_TERMS // (CHUNK * num_poses * int(shape[1]))
        yield Tile(places, ref, fit, 1 << max(0, min(most, _MAX_PAIRS).bit_length() - 1))


def _stack(clouds: Sequence[Points], size: int) -> Points:
    """Arrays (P, size, ...) of float32; padding lies at the origin and weighs nothing."""
    columns: list[np.ndarray | None] = []
    for name, first in zip(Points._fields, clouds[0], strict=True):
        if first is None:
            columns.append(None)
            continue
        # Widths of padding are one, so that nothing is divided by zero.
        fill = 1.0 if name == "alphas" else 0.0
        stacked = np.full((len(clouds), size, *first.shape[1:]), fill, np.float32)
        for row, cloud in zip(stacked, clouds, strict=True):
            values = getattr(cloud, name)
            row[: len(values)] = values
        columns.append(stacked)
    return Points(*columns)
