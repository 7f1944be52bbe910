"""`scores.csv` of `align.py`: what became of every pair, one row each."""

import csv
import secrets
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np

from foldpix.alignment import Alignment
from foldpix.alignment.prepare import OK

SCORES = "scores.csv"
#: Columns of backbones, and the arrays of their alignment.
_OF_BACKBONES = {"tm_score": "tm_scores", "rmsd": "rmsds", "matched": "num_matched"}


class ScoreLog:
    """Rows in the order of the pairs; the file takes its place when the job ends well. A context manager.

    Parameters
    ----------
    folder : Path
    of_backbones : bool
        There are columns of TM-scores.

    Attributes
    ----------
    statuses : Counter
        How many pairs ended with each status.
    total : float
        Sum of the scores.
    """

    def __init__(self, folder: Path, of_backbones: bool) -> None:
        self.statuses: Counter[str] = Counter()
        self.total = 0.0
        self._path = folder / SCORES
        self._temporary = folder / f".{secrets.token_hex(8)}.tmp"
        self._columns = _OF_BACKBONES if of_backbones else {}
        self._file: TextIO = self._temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(["ref", "fit", "status", "reason", "score", *self._columns])

    def add(self, names: list[tuple[str, str]], found: Alignment) -> None:
        """Put pairs down, by the names of reference and fit."""
        columns = [found.scores, *(getattr(found, name) for name in self._columns.values())]
        for (ref, fit), status, *values in zip(names, found.statuses, *columns, strict=True):
            is_ok = status == OK
            figures = [_cell(value) if is_ok else "" for value in values]
            self._writer.writerow(
                [ref, fit, "aligned" if is_ok else "failed", "" if is_ok else status, *figures]
            )
        self.statuses.update(found.statuses.tolist())
        self.total += float(np.nansum(found.scores))

    def __enter__(self) -> "ScoreLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink()


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.5g}"
