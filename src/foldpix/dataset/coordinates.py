"""Backbones of a data set as numbers: ``root/coordinates/<split>.parquet``, small enough for memory.

A row is a chain: ``id``, ``length``, ``step``, and ``coords``, N, CA, C of each residue about their mean as
16-bit multiples of ``step`` angstrom. A step is 0.01 A, more for chains that reach beyond 327 A.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, delayed

from foldpix.dataset.manifest import ManifestRow, Status, read_manifest
from foldpix.dataset.split import SPLITS
from foldpix.structure import Backbone, StructureError, read_structure

#: Angstrom between neighbouring numbers.
STEP = 0.01
_LARGEST = 2**15 - 1
_CHAINS_A_GROUP = 1000
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("length", pa.int32()),
        ("step", pa.float32()),
        ("coords", pa.large_list(pa.int16())),
    ]
)


class StoredChain(NamedTuple):
    """A backbone: its id, and N, CA, C, int16 (L, 3, 3), as multiples of a step in angstrom."""

    id: str
    numbers: np.ndarray
    step: float


class CoordinateCount(NamedTuple):
    """How many chains were written, and how many have no readable source any more."""

    written: int
    lost: int


@dataclass(frozen=True)
class Chains:
    """The chains of a split, in memory.

    Parameters
    ----------
    ids : list of str
    numbers : ndarray, dtype=int16, shape=(R, 3, 3)
        All residues, one chain after the other.
    bounds : ndarray, dtype=int64, shape=(num_chains + 1,)
        Where each chain begins.
    steps : ndarray, dtype=float32, shape=(num_chains,)
        Angstrom.
    """

    ids: list[str]
    numbers: np.ndarray
    bounds: np.ndarray
    steps: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """Residues of each chain."""
        return np.diff(self.bounds)

    def coords(self, chain: int, start: int = 0, length: int | None = None) -> np.ndarray:
        """N, CA, C in angstrom, float32 (length, 3, 3), from residue ``start`` on."""
        first, end = int(self.bounds[chain]) + start, int(self.bounds[chain + 1])
        stop = end if length is None else min(first + length, end)
        return self.numbers[first:stop] * self.steps[chain]


def rounded(id: str, coords: np.ndarray) -> StoredChain:
    """A backbone (L, 3, 3) in angstrom as it is stored."""
    centred = coords - coords.mean(axis=(0, 1))
    step = max(STEP, float(np.abs(centred).max()) / _LARGEST)
    return StoredChain(id, np.rint(centred / step).astype(np.int16), step)


def write_coordinates(root: Path, workers: int = 1) -> CoordinateCount:
    """Write the coordinates of the manifest's converted chains, read from their sources once more.

    Chains stand in the order of their ids, so every run writes the same bytes.
    """
    folder = root / "coordinates"
    folder.mkdir(exist_ok=True)
    rows = [row for row in read_manifest(root) if row.status is Status.CONVERTED]
    written = 0
    for split in SPLITS:
        chosen = [row for row in rows if row.split == split]
        (folder / f"{split}.parquet").unlink(missing_ok=True)
        if chosen:
            written += write_chains(folder / f"{split}.parquet", _of_sources(chosen, workers))
    return CoordinateCount(written, len(rows) - written)


def write_chains(path: Path, chains: Sequence[StoredChain]) -> int:
    """Write a file of coordinates, at once or not at all; the number of its chains."""
    temporary = path.with_name(f".{path.name}.tmp")
    ordered = sorted(chains, key=attrgetter("id"))
    try:
        with pq.ParquetWriter(temporary, _SCHEMA, compression="zstd", use_dictionary=False) as writer:
            for start in range(0, len(ordered), _CHAINS_A_GROUP):
                writer.write_table(_table(ordered[start : start + _CHAINS_A_GROUP]))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return len(ordered)


def read_chains(path: Path) -> Chains:
    """All chains of a file.

    Raises
    ------
    ValueError
        If the file is none of coordinates.
    OSError
        If there is no such file.
    """
    try:
        table = pq.read_table(path)
        if table.schema.names != _SCHEMA.names:
            raise ValueError(f"columns {', '.join(table.schema.names)}")
        flat = table.column("coords").combine_chunks().values.to_numpy()
        lengths = table.column("length").to_numpy()
        bounds = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        numbers = flat.reshape(int(bounds[-1]), 3, 3)
    except (pa.ArrowInvalid, ValueError) as error:
        raise ValueError(f"{path}: no readable file of coordinates ({error})") from error
    return Chains(table.column("id").to_pylist(), numbers, bounds, table.column("step").to_numpy())


def _table(chains: Sequence[StoredChain]) -> pa.Table:
    ends = np.cumsum([0, *(chain.numbers.size for chain in chains)])
    flat = np.concatenate([chain.numbers.ravel() for chain in chains])
    columns = [
        [chain.id for chain in chains],
        [len(chain.numbers) for chain in chains],
        [chain.step for chain in chains],
        pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(flat)),
    ]
    return pa.table(columns, schema=_SCHEMA)


def _of_sources(rows: Sequence[ManifestRow], workers: int) -> list[StoredChain]:
    by_source = [list(group) for _, group in groupby(rows, key=attrgetter("source"))]
    pool = Parallel(n_jobs=min(workers, len(by_source)), return_as="generator_unordered", batch_size="auto")
    return [chain for chains in pool(delayed(_of_source)(group) for group in by_source) for chain in chains]


def _of_source(rows: Sequence[ManifestRow]) -> list[StoredChain]:
    """The chains of one file; those that are not there any more are left out."""
    try:
        backbones = read_structure(rows[0].source, "first")
    except (OSError, StructureError):
        return []
    found = {(backbone.chain, len(backbone)): backbone for backbone in backbones}
    return [rounded(row.id, backbone.coords) for row, backbone in _matched(rows, found)]


def _matched(
    rows: Sequence[ManifestRow], found: dict[tuple[str, int], Backbone]
) -> Iterator[tuple[ManifestRow, Backbone]]:
    for row in rows:
        if (backbone := found.get((row.chain, row.length))) is not None:
            yield row, backbone
