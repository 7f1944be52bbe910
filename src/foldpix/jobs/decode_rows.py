"""`summary.csv` of a folder of decoded structures: what became of every input, one row each.

While a job runs, rows are added at the end; when it ends, the file is sorted, with a row for each structure
in the folder and for each input of the last run that gave none.
"""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from foldpix.structure.whole import write_whole

SUMMARY = "summary.csv"


class Status(StrEnum):
    """What became of an input."""

    DECODED = "decoded"
    SUSPICIOUS = "suspicious"
    FAILED = "failed"


@dataclass(frozen=True)
class DecodedRow:
    """An input.

    Parameters
    ----------
    id : str
        Of the chain: its structure is ``<id>.pdb``.
    status : Status
        Suspicious: the structure is there, but the image is hardly that of a chain.
    reason : str
        Why it is suspicious or failed.
    length : int
        Residues; 0 where it failed.
    mean_error : float
        Expected error in angstrom, mean over residues; NaN where it failed.
    residual : float
        Root mean square difference between the image and that of the structure, in grey levels.
    margin : float
        Of the handedness: 1 leaves no doubt, 0 fits both hands alike, less is the wrong hand.
    chain_breaks : int
        Neighbours that are not bonded.
    refined : int
        Whether the structure was refined, 0 or 1.
    source : str
        Absolute path of the PNG, shard or token table.
    checksum : str
        MD5 of the PNG, or of tokens, sequence, d_max and model.
    """

    id: str
    status: Status
    reason: str = ""
    length: int = 0
    mean_error: float = math.nan
    residual: float = math.nan
    margin: float = math.nan
    chain_breaks: int = 0
    refined: int = 0
    source: str = ""
    checksum: str = ""

    @property
    def has_structure(self) -> bool:
        """There is a structure of it in the folder."""
        return self.status is not Status.FAILED


_COLUMNS = [field.name for field in fields(DecodedRow)]


class DecodedLog:
    """The rows of a folder, added to while a job runs; a context manager.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    earlier : dict of DecodedRow
        By id: the structures of earlier runs.
    rows : list of DecodedRow
        Of this run.

    Raises
    ------
    ValueError
        If the folder's ``summary.csv`` is another file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SUMMARY
        self.earlier = {row.id: row for row in _read(self._path) if row.has_structure}
        self.rows: list[DecodedRow] = []
        write_whole(self._path, _text(self.earlier.values()))
        # Unbuffered: a row is in the file when `add` returns.
        self._file = self._path.open("ab", buffering=0)

    def add(self, row: DecodedRow) -> None:
        """Put a row down; the structure is written by then."""
        self.rows.append(row)
        self._file.write(_lines([row]))

    def __enter__(self) -> "DecodedLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        replaced = {row.id for row in self.rows if row.has_structure} | {
            (row.id, row.source) for row in self.rows
        }
        kept = [row for row in self.earlier.values() if not replaced & {row.id, (row.id, row.source)}]
        write_whole(self._path, _text(sorted(kept + self.rows, key=lambda row: (row.id, row.source))))


def _read(path: Path) -> list[DecodedRow]:
    """The rows of a summary; of a killed job, its last line may be cut off and does not count."""
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return []
    lines = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
    if next(lines, None) != _COLUMNS:
        raise ValueError(f"{path} was not written by decode.py; choose another out")
    try:
        return [_row(values) for values in lines]
    except ValueError as error:
        raise ValueError(f"{path}, line {lines.line_num}: {error}; delete it to decode all anew") from error


def _row(values: list[str]) -> DecodedRow:
    if len(values) != len(_COLUMNS):
        raise ValueError(f"{len(values)} values for {len(_COLUMNS)} columns")
    id, status, reason, length, error, residual, margin, breaks, refined, source, checksum = values
    return DecodedRow(
        id,
        Status(status),
        reason,
        int(length),
        float(error or "nan"),
        float(residual or "nan"),
        float(margin or "nan"),
        int(breaks),
        int(refined),
        source,
        checksum,
    )


def _lines(rows: Iterable[DecodedRow]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in astuple(row)] for row in rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _cell(value: str | int | float) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def _text(rows: Iterable[DecodedRow]) -> bytes:
    return ",".join(_COLUMNS).encode() + b"\n" + _lines(rows)
