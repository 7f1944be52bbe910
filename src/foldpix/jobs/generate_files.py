"""Made-up chains as structure files: in a folder, or in an archive."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foldpix.dataset.made import CHAINS_FORMAT, END, ChainOptions, build, check_stopped, is_val
from foldpix.generation.chains import MadeChain
from foldpix.jobs.generate_parts import HIDDEN, TABLE
from foldpix.structure import write_structure
from foldpix.structure.whole import write_whole

#: Consecutive chains that are written together.
CHAINS_A_TASK = 256
COLUMNS = ("id", "length", "sequence", "labels", "split", "radius_of_gyration", "clashes")


class FileTask(NamedTuple):
    """Chains that are written together, and the file of their rows of the table."""

    rows: Path
    numbers: np.ndarray


@dataclass(frozen=True)
class MadeFiles:
    """Structure files of made-up chains in a folder, with a table of them.

    Parameters
    ----------
    root : Path
    chains : ChainOptions
    suffix : str
        Tells the format.
    """

    root: Path
    chains: ChainOptions
    suffix: str

    @property
    def record(self) -> dict[str, Any]:
        """All that decides what the files hold."""
        about = {"into": "folder", "format": CHAINS_FORMAT, **asdict(self.chains)}
        return about | {"suffix": self.suffix}

    def units(self, num: int | None) -> Iterator[FileTask]:
        """The tasks that make ``num`` chains, without end if None."""
        begin = self.chains.start
        end = END if num is None else begin + num
        for number, first in enumerate(range(begin, end, CHAINS_A_TASK)):
            numbers = np.arange(first, min(first + CHAINS_A_TASK, end))
            yield FileTask(self.root / HIDDEN / "rows" / f"{number:08d}.csv", numbers)

    def existing(self) -> Iterable[Path]:
        """The rows of all tasks that are done."""
        return (self.root / HIDDEN / "rows").glob("[0-9]" * 8 + ".csv")

    def has_more_than(self, num: int) -> bool:
        """Whether chains after the first ``num`` are there."""
        may_hold = (rows for rows in self.existing() if int(rows.stem) >= num // CHAINS_A_TASK)
        return any(int(rows.stem) * CHAINS_A_TASK + len(_read(rows)) > num for rows in may_hold)

    def is_done(self, unit: FileTask) -> bool:
        """Whether the rows of all its chains and the files that they tell of are there."""
        if not unit.rows.exists():
            return False
        rows = _read(unit.rows)
        return len(rows) == len(unit.numbers) and all(
            (self.root / f"{row['id']}{self.suffix}").exists() for row in rows if row["clashes"] == "0"
        )

    def write(self, unit: FileTask, is_stopped: Callable[[], bool]) -> int:
        """Write the files, then the rows that vouch for them; returns how many chains were left out.

        Raises
        ------
        OSError
            If they cannot be written.
        Stopped
            As soon as ``is_stopped()``.
        """
        rows = self.write_files(self.root, unit.numbers, is_stopped)
        unit.rows.parent.mkdir(parents=True, exist_ok=True)
        write_whole(unit.rows, csv_bytes(rows))
        return sum(row["clashes"] > 0 for row in rows)

    def write_files(
        self, folder: Path, numbers: np.ndarray, is_stopped: Callable[[], bool]
    ) -> list[dict[str, Any]]:
        """Write the chains that have no clashes; the rows of all."""
        rows = []
        splits = np.where(is_val(numbers, self.chains), "val", "train").tolist()
        for chain, split in zip(build(numbers, self.chains, is_stopped), splits, strict=True):
            if not chain.num_clashes:
                write_structure(folder / f"{chain.backbone.name}{self.suffix}", chain.backbone)
            rows.append(_row(chain, split))
        return rows

    def finish(self, is_stopped: Callable[[], bool]) -> None:
        """Write the table of all chains that are there.

        Raises
        ------
        OSError
            If it cannot be written.
        Stopped
            As soon as ``is_stopped()``; the table is as it was.
        """
        temporary = self.root / f"{TABLE}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(csv_header())
                for rows in sorted(self.existing()):
                    check_stopped(is_stopped)
                    file.write(csv_bytes(_read(rows)))
            temporary.replace(self.root / TABLE)
        finally:
            temporary.unlink(missing_ok=True)


def csv_header() -> bytes:
    """First line of the table."""
    return csv_bytes([dict(zip(COLUMNS, COLUMNS, strict=True))])


def csv_bytes(rows: Iterable[dict[str, Any]]) -> bytes:
    """Lines of the table."""
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _row(chain: MadeChain, split: str) -> dict[str, Any]:
    return {
        "id": chain.backbone.name,
        "length": len(chain.backbone),
        "sequence": chain.backbone.sequence,
        "labels": chain.labels,
        "split": split,
        "radius_of_gyration": f"{chain.radius:.3f}",
        "clashes": chain.num_clashes,
    }


def _read(rows: Path) -> list[dict[str, str]]:
    with rows.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, COLUMNS))
