"""Pairs of clouds in blocks of few shapes, so that few functions are compiled and memory stays bounded."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from foldpix.alignment.overlaps import Points

# Sizes that clouds are padded to; beyond the last, its multiples.
_SIZES = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# Terms of all pairs, poses and points in a block: 2 MB of float32, what a core's own cache holds.
_MAX_TERMS = 2**19
_MAX_PAIRS = 32


class Tile(NamedTuple):
    """Pairs of one padded size: their places, the clouds as blocks, and how many go together."""

    places: np.ndarray
    ref: Points
    fit: Points
    num_pairs: int


def padded_size(num: int) -> int:
    """The size that a cloud of so many points is padded to."""
    for size in _SIZES:
        if num <= size:
            return size
    return -(-num // _SIZES[-1]) * _SIZES[-1]


def tiles(pairs: Sequence[tuple[Points, Points]], num_poses: int) -> Iterator[Tile]:
    """Pairs sorted by padded sizes. Sizes of a pair alone say in which shape it is computed."""
    sizes = np.array([[padded_size(len(cloud.points)) for cloud in pair] for pair in pairs])
    for shape in np.unique(sizes, axis=0):
        places = np.flatnonzero((sizes == shape).all(axis=1))
        ref, fit = (_stack([pairs[k][side] for k in places], shape[side]) for side in (0, 1))
        terms = num_poses * int(shape[0]) * int(shape[1])
        num_pairs = 1 << max(0, min(_MAX_TERMS // terms, _MAX_PAIRS).bit_length() - 1)
        yield Tile(places, ref, fit, num_pairs)


def _stack(clouds: Sequence[Points], size: int) -> Points:
    """Arrays (P, size, ...) of float32; padding lies at the origin and weighs nothing."""
    columns = []
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
