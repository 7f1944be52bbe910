"""Reading samples by their number, from shards or from loose PNGs."""

import os
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from torch.utils.data import Dataset

from foldpix.dataset.bins import BINS, bin_name
from foldpix.dataset.index import read_index
from foldpix.dataset.manifest import Status, read_manifest
from foldpix.dataset.order import BinSamples
from foldpix.image import read_png

LONGEST = {bin_name(low): high for low, high in BINS}
MAX_OPEN_FILES = 64


class SkippedSampleWarning(UserWarning):
    """Samples that cannot be read were left out."""


class Sample(NamedTuple):
    """A sample: its key, its pixels (L, L, 3) uint8, and the distance in angstrom that stands for 255."""

    name: str
    pixels: np.ndarray
    d_max: float


class Skipped(NamedTuple):
    """A sample that could not be read, and why."""

    name: str
    reason: str


class Source(Protocol):
    """Where the bytes of PNGs come from."""

    bins: list[BinSamples]
    num_lost: int

    def name(self, number: int) -> str:
        """The key of a sample."""

    def read(self, number: int) -> bytes:
        """The bytes of its PNG; ``OSError`` or ``ValueError`` if they are not there."""


class ShardSource:
    """The samples of a split in ``root/shards``.

    Parameters
    ----------
    root : Path
        The data set's folder.
    split : str
    bins : sequence of str
        Names such as ``bin_40_64``.

    Attributes
    ----------
    num_lost : int
        Samples that are missing from shards cut short; each such shard is warned about.
    """

    def __init__(self, root: Path, split: str, bins: Sequence[str]) -> None:
        shards = [sorted((root / "shards" / bin).glob(f"{split}-*.tar")) for bin in bins]
        self._paths = [path for paths in shards for path in paths]
        indices = [read_index(path) for path in self._paths]
        self.num_lost = sum(index.num_lost for index in indices)
        for path, index in zip(self._paths, indices, strict=True):
            if index.num_lost:
                _warn_of_loss(path, len(index), index.num_lost)
        counts = np.array([len(index) for index in indices], dtype=np.int64)
        bounds = np.cumsum([0, *map(len, shards)])
        self.bins = [
            BinSamples(LONGEST[bin], counts[bounds[i] : bounds[i + 1]]) for i, bin in enumerate(bins)
        ]
        empty = np.empty(0, dtype=np.int64)
        self._ends = np.cumsum(counts)
        self._offsets = np.concatenate([empty, *(index.offsets for index in indices)])
        self._sizes = np.concatenate([empty, *(index.sizes for index in indices)])
        self._keys = _array_of_bytes(key for index in indices for key in index.keys)
        self._files = _OpenFiles()

    def name(self, number: int) -> str:
        """The sample's key."""
        return self._keys[number].decode("utf-8", "surrogateescape")

    def read(self, number: int) -> bytes:
        """The bytes of its PNG; ``ValueError`` if the shard ends before."""
        return self._files.read(self._path(number), int(self._sizes[number]), int(self._offsets[number]))

    def _path(self, number: int) -> Path:
        return self._paths[int(np.searchsorted(self._ends, number, side="right"))]


class PngSource:
    """The samples of a split as the manifest lists them, read from ``root/bin_*/<id>.png``.

    Parameters as for `ShardSource`. Each PNG counts as a shard of its own: files lie anywhere on the disk, so
    nothing is gained by reading neighbours together.
    """

    def __init__(self, root: Path, split: str, bins: Sequence[str]) -> None:
        self._root, self.num_lost = root, 0
        ids: dict[str, list[str]] = {bin: [] for bin in bins}
        for row in read_manifest(root):
            if row.status is Status.CONVERTED and row.split == split and row.bin in ids:
                ids[row.bin].append(row.id)
        self.bins = [BinSamples(LONGEST[bin], np.ones(len(ids[bin]), dtype=np.int64)) for bin in bins]
        self._paths = _array_of_bytes(f"{bin}/{name}" for bin in bins for name in sorted(ids[bin]))

    def name(self, number: int) -> str:
        """The sample's id."""
        return self._path(number).stem

    def read(self, number: int) -> bytes:
        """The bytes of its PNG; ``OSError`` if it is gone."""
        return self._path(number).read_bytes()

    def _path(self, number: int) -> Path:
        return self._root / f"{self._paths[number].decode('utf-8', 'surrogateescape')}.png"


class DistogramDataset(Dataset[list[Sample | Skipped]]):
    """Samples by number; whatever cannot be read comes as `Skipped`.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._ends = np.cumsum([bin.num_samples for bin in source.bins])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitems__(self, numbers: list[int]) -> list[Sample | Skipped]:
        """A batch, all of one bin.

        If none of it is readable, the next readable sample of its bin joins, else one of the nearest bin.

        Raises
        ------
        ValueError
            If there is no readable sample at all.
        """
        samples = [self._read(number) for number in numbers]
        if not any(isinstance(sample, Sample) for sample in samples):
            samples.append(self._substitute(numbers[-1]))
        return samples

    def _read(self, number: int) -> Sample | Skipped:
        try:
            picture = read_png(self.source.read(number))
        except (OSError, ValueError) as error:
            return Skipped(self.source.name(number), str(error))
        return Sample(self.source.name(number), picture.pixels, picture.d_max)

    def _substitute(self, number: int) -> Sample:
        for other in self._others(number):
            sample = self._read(other)
            if isinstance(sample, Sample):
                return sample
        raise ValueError(f"none of {len(self)} samples can be read: make the data again")

    def _others(self, number: int) -> Iterator[int]:
        """The samples of the same bin from the next on and round, then those of ever more distant bins."""
        longest = np.array([bin.longest for bin in self.source.bins])
        own = int(np.searchsorted(self._ends, number, side="right"))
        for bin in np.argsort(np.abs(longest - longest[own]), kind="stable").tolist():
            first, end = int(self._ends[bin]) - self.source.bins[bin].num_samples, int(self._ends[bin])
            start = number + 1 if bin == own else first
            yield from range(start, end)
            yield from range(first, start)


class _OpenFiles:
    """File descriptors opened when first read from, the least recently used closed beyond a limit.

    Positioned reads share no state, so a forked worker may use its parent's; a pickled copy opens its own.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def read(self, path: Path, size: int, offset: int) -> bytes:
        """``size`` bytes from ``offset`` on; ``ValueError`` if the file ends before."""
        data = os.pread(self._descriptor(path), size, offset)
        if len(data) < size:
            raise ValueError(f"{path} ends before byte {offset + size}")
        return data

    def _descriptor(self, path: Path) -> int:
        if path not in self._open:
            self._open[path] = os.open(path, os.O_RDONLY)
            if len(self._open) > MAX_OPEN_FILES:
                os.close(self._open.popitem(last=False)[1])
        self._open.move_to_end(path)
        return self._open[path]

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return _OpenFiles, ()

    def __del__(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)


def _array_of_bytes(names: Iterable[str]) -> np.ndarray:
    """Names in one piece: worker processes would copy a list page by page as they count references."""
    return np.array([name.encode("utf-8", "surrogateescape") for name in names], dtype=np.bytes_)


def _warn_of_loss(shard: Path, num_whole: int, num_lost: int) -> None:
    message = f"{shard} is cut short: {num_whole} samples are whole, at least {num_lost} lost"
    warnings.warn(message, SkippedSampleWarning, stacklevel=3)
