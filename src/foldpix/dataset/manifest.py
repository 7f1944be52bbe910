"""`manifest.csv`: what became of every input, one row each.

A finished manifest is sorted by source. While a job runs, a blank line follows what stood there at its start
and then the rows of each input; rows after the last blank line were cut off by a kill and do not count.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from sys import intern
from types import TracebackType

from foldpix.dataset.durable import sync

MANIFEST = "manifest.csv"


class Status(StrEnum):
    """What became of an input."""

    CONVERTED = "converted"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A chain, or a file of which no chain was taken.

    Parameters
    ----------
    status : Status
    reason : str
        Why it was skipped or failed.
    id : str
        The name of its PNG and FASTA, and its key in the shards.
    chain : str
    length : int
        Residues; 0 where the file could not be read.
    bin, split : str
        Such as ``bin_40_64``, and ``train``, ``val`` or ``test``.
    source : str
        Absolute path of the file.
    checksum : str
        MD5 of the PNG's (L, L, 3) uint8 pixels.
    dropped : int
        Residues that lacked N, CA or C and are not in the picture.
    """

    status: Status
    reason: str = ""
    id: str = ""
    chain: str = ""
    length: int = 0
    bin: str = ""
    split: str = ""
    source: str = ""
    checksum: str = ""
    dropped: int = 0


_COLUMNS = [field.name for field in fields(ManifestRow)]
_values = attrgetter(*_COLUMNS)


def read_manifest(root: str | Path) -> list[ManifestRow]:
    """The rows of ``root/manifest.csv``, of a running or killed job too; the latest of each source.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no manifest.
    """
    path = Path(root) / MANIFEST
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        lines = csv.reader(file)
        if next(lines, None) != _COLUMNS:
            raise ValueError(f"{path} is no manifest: its first line is not {','.join(_COLUMNS)}")
        try:
            return _latest(_blocks(lines))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {lines.line_num}: {error}") from error


def write_manifest(root: str | Path, rows: Iterable[ManifestRow]) -> None:
    """Write ``root/manifest.csv`` sorted by source, at once or not at all."""
    _replace(Path(root), _text(sorted(rows, key=attrgetter("source", "id"))))


class ManifestLog:
    """Appends rows to the manifest while a job runs; a context manager.

    Parameters
    ----------
    root : Path
    rows : iterable of ManifestRow
        What is known at the start.
    """

    def __init__(self, root: Path, rows: Iterable[ManifestRow]) -> None:
        _replace(root, _text(sorted(rows, key=attrgetter("source", "id"))) + b"\n")
        # Unbuffered: a row is in the file when `append` returns, and a failed write leaves nothing to flush.
        self._file = (root / MANIFEST).open("ab", buffering=0)

    def append(self, rows: Iterable[ManifestRow]) -> None:
        """Add all rows of one source."""
        data = _lines(rows) + b"\n"
        while data:
            data = data[self._file.write(data) :]

    def sync(self) -> None:
        """Return when the rows are on the disk."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> "ManifestLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _blocks(lines: Iterator[list[str]]) -> list[list[ManifestRow]]:
    """The rows between blank lines. Parsed one behind: only the last line can be half written."""
    blocks: list[list[ManifestRow]] = [[]]
    last: list[str] = []
    for values in lines:
        if last:
            blocks[-1].append(_row(last))
        if not values:
            blocks.append([])
        last = values
    if len(blocks) > 1:
        blocks.pop()
    elif last:
        blocks[0].append(_row(last))
    return blocks


def _row(values: list[str]) -> ManifestRow:
    if len(values) != len(_COLUMNS):
        raise ValueError(f"{len(values)} values for {len(_COLUMNS)} columns")
    status, reason, name, chain, length, bin_, split, source, checksum, dropped = values
    return ManifestRow(
        Status(status),
        intern(reason),
        name,
        intern(chain),
        int(length),
        intern(bin_),
        intern(split),
        source,
        checksum,
        int(dropped),
    )


def _latest(blocks: list[list[ManifestRow]]) -> list[ManifestRow]:
    """Rows of a source replace its earlier ones; an id belongs to the source that last converted to it."""
    by_source: dict[str, list[ManifestRow]] = {}
    for block in blocks:
        for source, rows in groupby(block, key=attrgetter("source")):
            by_source.pop(source, None)
            by_source[source] = list(rows)
    everything = [row for rows in by_source.values() for row in rows]
    owner = {row.id: row.source for row in everything if row.status is Status.CONVERTED}
    return [row for row in everything if row.status is not Status.CONVERTED or owner[row.id] == row.source]


def _lines(rows: Iterable[ManifestRow]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_values, rows))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _text(rows: Iterable[ManifestRow]) -> bytes:
    return ",".join(_COLUMNS).encode() + b"\n" + _lines(rows)


def _replace(root: Path, data: bytes) -> None:
    """A new manifest, on the disk when this returns: sources may be deleted that only it tells of."""
    temporary = root / f"{MANIFEST}.tmp"
    try:
        temporary.write_bytes(data)
        sync(temporary)
        temporary.replace(root / MANIFEST)
        sync(root)
    finally:
        temporary.unlink(missing_ok=True)
