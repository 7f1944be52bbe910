"""Made-up chains straight into shards: which chains each holds is known before any of them is built.

Chains are numbered on and on. Of every block of consecutive numbers each bin and split has shards of its own,
so more chains only add shards, and fill up the last ones of a block that was not full.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foldpix.dataset.bins import BINS, bin_name
from foldpix.dataset.made import CHAINS_FORMAT, END, ChainOptions, build, check_stopped, is_val, lengths_of
from foldpix.dataset.manifest import MANIFEST, ManifestRow, Status
from foldpix.dataset.shards import SHARD_FORMAT, Member, about, is_fresh, write_shard
from foldpix.generation.chains import MadeChain
from foldpix.image import picture_of, png_bytes
from foldpix.structure.whole import write_whole

#: Consecutive numbers that are cut into shards together.
BLOCK = 10_000
_ROWS_NAME = re.compile(r"(train|val)-\d{6,}\.csv")
_NUMBER = re.compile(rb"generated:seed=\d+:number=(\d+)")
_COLUMNS = [field.name for field in fields(ManifestRow)]


class MadeShard(NamedTuple):
    """A shard as it should be: where its rows of the manifest stand, beside the tar, and its chains."""

    rows: Path
    split: str
    numbers: np.ndarray


@dataclass(frozen=True)
class MadeShards:
    """Shards of made-up chains under ``root/shards``, each with a file of its rows of the manifest.

    Parameters
    ----------
    root : Path
    chains : ChainOptions
    d_max : float
        Angstrom.
    shard_size : int
        Chains a shard at most.
    """

    root: Path
    chains: ChainOptions
    d_max: float
    shard_size: int

    @property
    def record(self) -> dict[str, Any]:
        """All that decides what the shards hold."""
        made = {"into": "shards", "format": CHAINS_FORMAT, **asdict(self.chains)}
        return made | {"d_max": self.d_max, "shard_size": self.shard_size}

    def units(self, num: int | None) -> Iterator[MadeShard]:
        """The shards of ``num`` chains, without end if None: block by block, in order of their first chain.

        They are numbered on and on for each bin and split.
        """
        begin, done = self.chains.start, Counter[Path]()
        end = END if num is None else begin + num
        for first in range(begin - begin % BLOCK, end, BLOCK):
            numbers = np.arange(max(first, begin), min(first + BLOCK, end))
            yield from sorted(self._block(numbers, done), key=_first_number)

    def _block(self, numbers: np.ndarray, done: Counter[Path]) -> Iterator[MadeShard]:
        for folder, split, members in self._series(numbers):
            series = self.root / "shards" / folder / split
            for start in range(0, len(members), self.shard_size):
                rows = series.with_name(f"{split}-{done[series]:06d}.csv")
                done[series] += 1
                yield MadeShard(rows, split, members[start : start + self.shard_size])

    def _series(self, numbers: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
        """Bin, split and the chains that belong to both."""
        bins = np.searchsorted([high for _, high in BINS], lengths_of(numbers, self.chains))
        for_val = is_val(numbers, self.chains)
        for bin in np.unique(bins):
            for split, chosen in (("train", ~for_val), ("val", for_val)):
                yield bin_name(BINS[bin][0]), split, numbers[(bins == bin) & chosen]

    def existing(self) -> Iterable[Path]:
        """The rows of all shards that are there."""
        files = (self.root / "shards").glob("bin_*/*.csv")
        return (path for path in files if _ROWS_NAME.fullmatch(path.name))

    def has_more_than(self, num: int) -> bool:
        """Whether chains after the first ``num`` are there."""
        end = self.chains.start + num
        last = {unit.rows: int(unit.numbers[-1]) for unit in self.units(num)}
        # Shards of a block that is planned to its end cannot hold others.
        may_hold = (rows for rows in self.existing() if last.get(rows, end) >= end - end % BLOCK)
        return any(number >= end for rows in may_hold for number in _listed(rows))

    def is_done(self, unit: MadeShard) -> bool:
        """Whether the shard is there, whole, and of these chains."""
        return unit.rows.exists() and is_fresh(
            unit.rows.with_suffix(".tar"), self._digest(unit.numbers.tolist())
        )

    def write(self, unit: MadeShard, is_stopped: Callable[[], bool]) -> int:
        """Write a shard and its rows; returns how many of its chains were left out.

        Raises
        ------
        OSError
            If it cannot be written.
        Stopped
            As soon as ``is_stopped()``.
        """
        for left_over in unit.rows.parent.glob(f"{unit.rows.stem}.{'[0-9a-f]' * 8}.tmp"):
            left_over.unlink(missing_ok=True)
        rows: list[ManifestRow] = []
        write_shard(
            unit.rows.with_suffix(".tar"),
            self._samples(unit, rows, is_stopped),
            self._digest(unit.numbers.tolist()),
        )
        return sum(row.status is Status.SKIPPED for row in rows)

    def _samples(
        self, unit: MadeShard, rows: list[ManifestRow], is_stopped: Callable[[], bool]
    ) -> Iterator[tuple[str, Member]]:
        """The samples; then the rows go to their file, before the digest that vouches for it."""
        for chain in build(unit.numbers, self.chains, is_stopped):
            row, member = self._sample(chain, unit)
            rows.append(row)
            if member:
                yield row.id, member
        write_whole(unit.rows, _csv_bytes(map(astuple, rows)))

    def _sample(self, chain: MadeChain, unit: MadeShard) -> tuple[ManifestRow, Member | None]:
        backbone, folder, split = chain.backbone, unit.rows.parent.name, unit.split
        about_chain = backbone.name, backbone.chain, len(backbone)
        source = f"generated:seed={self.chains.seed}:number={chain.number:09d}"
        if chain.num_clashes:
            reason = f"{chain.num_clashes} clashes"
            return ManifestRow(Status.SKIPPED, reason, *about_chain, "", split, source), None
        picture = picture_of(backbone, self.d_max)
        checksum = hashlib.md5(picture.pixels.data).hexdigest()
        row = ManifestRow(Status.CONVERTED, "", *about_chain, folder, split, source, checksum)
        return row, Member(png_bytes(picture), {**about(picture), "labels": chain.labels})

    def _digest(self, numbers: Iterable[int]) -> str:
        content = [SHARD_FORMAT, json.dumps(self.record), *map(str, numbers)]
        return hashlib.md5("\n".join(content).encode()).hexdigest()

    def finish(self, is_stopped: Callable[[], bool]) -> None:
        """Write the manifest of the shards that are there, by number; a block is in memory at a time.

        Raises
        ------
        OSError
            If it cannot be written.
        Stopped
            As soon as ``is_stopped()``; the manifest is as it was.
        """
        temporary = self.root / f"{MANIFEST}.tmp"
        begin = self.chains.start
        end = 1 + max((next(_listed(rows), begin) for rows in self.existing()), default=begin)
        blocks = groupby(self.units(end - begin), key=lambda unit: _first_number(unit) // BLOCK)
        try:
            with temporary.open("wb") as file:
                file.write(_csv_bytes([_COLUMNS]))
                for _, shards in blocks:
                    check_stopped(is_stopped)
                    rows = [row for unit in shards for row in self._finished_rows(unit.rows)]
                    rows.sort(key=_source)
                    file.write(_csv_bytes(rows))
            temporary.replace(self.root / MANIFEST)
        finally:
            temporary.unlink(missing_ok=True)

    def _finished_rows(self, path: Path) -> list[list[str]]:
        """The rows of a shard, none if it is not there or is of other chains than the rows."""
        digest = path.with_suffix(".digest")
        if not (path.exists() and digest.exists() and digest.read_text() == self._digest(_listed(path))):
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))


def _first_number(unit: MadeShard) -> int:
    return int(unit.numbers[0])


def _listed(rows: Path) -> Iterator[int]:
    """Numbers of the chains that a file of rows tells of."""
    with rows.open("rb") as file:
        yield from (int(found[1]) for found in map(_NUMBER.search, file) if found)


def _source(row: list[str]) -> str:
    return row[_COLUMNS.index("source")]


def _csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
