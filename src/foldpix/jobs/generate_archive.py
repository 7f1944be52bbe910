"""Made-up chains as one archive of structure files, written whole or not at all."""

import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from foldpix.dataset.lock import alone_in
from foldpix.dataset.shards import add_member
from foldpix.jobs.generate_files import MadeFiles, csv_bytes, csv_header
from foldpix.jobs.generate_parts import TABLE


class ArchivePiece(NamedTuple):
    """Some of the files, by name, and the rows of their chains."""

    files: list[tuple[str, bytes]]
    rows: list[dict[str, Any]]


@contextmanager
def workplace(path: Path) -> Iterator[Path]:
    """A folder beside the archive while it is made; what a killed job left there goes with it.

    Raises
    ------
    ValueError
        If another job makes this archive, or the file that is there is something else.
    OSError
        If it cannot be written.
    """
    if path.exists() and not _holds_chains(path):
        raise ValueError(f"{path} is no archive of made-up chains and stays as it is; choose another out")
    own = path.with_name(f".{path.name}.tmp")
    with alone_in(own):
        try:
            yield own
        finally:
            shutil.rmtree(own)


def _holds_chains(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:") as archive:
            table = archive.extractfile(TABLE)
            return table is not None and table.readline() == csv_header()
    except (tarfile.TarError, KeyError):
        return False


def archive_piece(made: MadeFiles, numbers: np.ndarray, is_stopped: Callable[[], bool]) -> ArchivePiece:
    """Build these chains; `Stopped` as soon as ``is_stopped()``."""
    with TemporaryDirectory() as scratch:
        rows = made.write_files(Path(scratch), numbers, is_stopped)
        return ArchivePiece(
            [(path.name, path.read_bytes()) for path in sorted(Path(scratch).iterdir())], rows
        )


def write_archive(path: Path, own: Path, pieces: Iterable[ArchivePiece]) -> None:
    """Write the files, as they come, and the table of their chains into a tar; it is there when it is whole.

    Parameters
    ----------
    path : Path
    own : Path
        Folder on the same disk, for the tar that is not whole yet.
    pieces : iterable of ArchivePiece

    Raises
    ------
    OSError
        If it cannot be written.
    """
    table = [csv_header()]
    with tarfile.open(own / path.name, "w", format=tarfile.GNU_FORMAT, encoding="utf-8") as archive:
        for piece in pieces:
            for name, data in piece.files:
                add_member(archive, name, data)
            table.append(csv_bytes(piece.rows))
        add_member(archive, TABLE, b"".join(table))
    (own / path.name).replace(path)
