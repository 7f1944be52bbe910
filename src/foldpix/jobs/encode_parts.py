"""Parts of a table on the way: what is encoded stays, also when the job is killed.

Beside ``tokens.parquet`` lies a folder ``.tokens.parquet.parts`` while the job runs: for each block of files
a table and, written last, a CSV with what became of each of its chains. When all are there, they become the
table.
"""

import csv
import io
import shutil
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from math import nan
from pathlib import Path

import pyarrow.parquet as pq

from foldpix.dataset.tokens import TokenHeader, TokenWriter
from foldpix.structure.whole import write_whole


@dataclass(frozen=True)
class Encoded:
    """What became of a chain, or of a file without any.

    Parameters
    ----------
    id, source : str
    reason : str
        Why it is not in the table; empty where it is.
    num_tokens : int
    bits_per_residue : float
    deviation : float
        Angstrom; NaN where it is not known.
    """

    id: str
    source: str
    reason: str = ""
    num_tokens: int = 0
    bits_per_residue: float = nan
    deviation: float = nan


class Parts:
    """The parts of one table.

    Parameters
    ----------
    out : Path
        The table.
    header : TokenHeader
    key : str
        Says from what and how the table is made; parts of another key are made anew.
    """

    def __init__(self, out: Path, header: TokenHeader, key: str) -> None:
        self._out, self._header, self._key = out, header, key
        self.folder = out.with_name(f".{out.name}.parts")

    def begin(self) -> None:
        """Make the folder, and empty it of parts of another key."""
        path = self.folder / "key"
        if path.exists() and path.read_text() == self._key:
            return
        for part in self.folder.glob("*.*"):
            if part.suffix in (".csv", ".parquet"):
                part.unlink()
        write_whole(path, self._key.encode())

    def outcomes(self, number: int) -> list[Encoded] | None:
        """What became of the chains of a part; None where it is still to be made."""
        try:
            lines = self._log(number).read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return None
        rows = list(csv.reader(io.StringIO(lines, newline="")))
        return [
            Encoded(id, source, reason, int(tokens), float(bits), float(deviation))
            for id, source, reason, tokens, bits, deviation in rows[1:]
        ]

    def write(self, number: int, fill: Callable[[TokenWriter], Iterable[Encoded]]) -> list[Encoded]:
        """Make a part; ``fill`` writes its rows and gives what became of its chains."""
        with TokenWriter(self._table(number), self._header) as writer:
            outcomes = list(fill(writer))
        text = io.StringIO()
        names = [field.name for field in fields(Encoded)]
        csv.writer(text, lineterminator="\n").writerows([names, *(astuple(each) for each in outcomes)])
        write_whole(self._log(number), text.getvalue().encode("utf-8", "surrogateescape"))
        return outcomes

    def merge(self, num_parts: int) -> None:
        """Put the parts together as the table, and remove them."""
        temporary = self.folder / "whole.parquet"
        with pq.ParquetWriter(temporary, self._header.schema, compression="zstd") as writer:
            for number in range(num_parts):
                with pq.ParquetFile(self._table(number)) as part:
                    for group in range(part.num_row_groups):
                        writer.write_table(part.read_row_group(group))
        temporary.replace(self._out)
        self.remove()

    def remove(self) -> None:
        """Remove the parts."""
        shutil.rmtree(self.folder)

    def _table(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"

    def _log(self, number: int) -> Path:
        return self.folder / f"{number:06d}.csv"
