"""Made-up chains as one archive of structure files, written whole or not at all."""

import io
import secrets
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from foldpix.jobs.generate_files import COLUMNS, TABLE, MadeFiles, csv_bytes


class ArchivePiece(NamedTuple):
    """Some of the files, by name, and the rows of their chains."""

    files: list[tuple[str, bytes]]
    rows: list[dict[str, Any]]


def archive_piece(made: MadeFiles, numbers: np.ndarray, is_stopped: Callable[[], bool]) -> ArchivePiece:
    """Build these chains; `Stopped` as soon as ``is_stopped()``."""
    with TemporaryDirectory() as scratch:
        rows = made.write_files(Path(scratch), numbers, is_stopped)
        return ArchivePiece(
            [(path.name, path.read_bytes()) for path in sorted(Path(scratch).iterdir())], rows
        )


def write_archive(path: Path, pieces: Iterable[ArchivePiece]) -> None:
    """Write the files, as they come, and the table of their chains into a tar; it is there when it is whole.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    table = [csv_bytes([dict(zip(COLUMNS, COLUMNS, strict=True))])]
    try:
        with tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT, encoding="utf-8") as archive:
            for piece in pieces:
                for name, data in piece.files:
                    _add(archive, name, data)
                table.append(csv_bytes(piece.rows))
            _add(archive, TABLE, b"".join(table))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # owner 0, time 0, mode 0644 unless told otherwise
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
