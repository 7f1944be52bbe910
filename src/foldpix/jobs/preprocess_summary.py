"""What a preprocessing run did, counted and printed."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from foldpix.dataset.convert import Conversion
from foldpix.dataset.coordinates import CoordinateCount
from foldpix.dataset.manifest import MANIFEST, Status
from foldpix.dataset.shards import ShardCount

#: Reasons the summary lists; the manifest has them all.
MOST_REASONS = 12


@dataclass
class Tally:
    """What the run did, counted in manifest rows."""

    converted: int = 0
    done: int = 0
    rejected: Counter[tuple[Status, str]] = field(default_factory=Counter)
    files: int = 0
    undeleted: int = 0
    kept: int = 0
    unnamed: int = 0
    incomplete: int = 0
    moved: int = 0
    seconds: float = 0.0
    coordinates: CoordinateCount | None = None
    shards: ShardCount = field(default_factory=lambda: ShardCount(0, 0, 0))

    def add(self, conversion: Conversion) -> None:
        """Count one source."""
        rejected = [row for row in conversion.rows if row.status is not Status.CONVERTED]
        self.files += 1
        self.converted += conversion.num_new
        self.kept += conversion.has_more
        self.done += len(conversion.rows) - len(rejected) - conversion.num_new
        self.rejected.update((row.status, _kind(row.reason)) for row in rejected)

    def total(self, status: Status) -> int:
        """How many rows were skipped, or failed."""
        return sum(count for (found, _), count in self.rejected.items() if found is status)


def print_summary(tally: Tally, out: Path) -> None:
    """The summary as a table on stdout."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in _lines(tally):
        table.add_row(name, f"{value:,}")
    rate = f"{tally.files:,} files tried in {tally.seconds:.1f} s, {tally.files / tally.seconds:.0f} files/s"
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    if tally.moved:
        console.print(f"warning: split changed for {tally.moved:,} chains")
    console.print(f"{rate}; each file's outcome: {out / MANIFEST}", markup=False)


def _lines(tally: Tally) -> list[tuple[str, int]]:
    lines = [("converted", tally.converted), ("already done", tally.done)]
    reasons = tally.rejected.most_common()
    lines += [(f"{status}: {kind}", count) for (status, kind), count in reasons[:MOST_REASONS]]
    others = (
        f"for {len(reasons) - MOST_REASONS} other reasons",
        sum(count for _, count in reasons[MOST_REASONS:]),
    )
    incomplete = ("warning: chains that lost residues without N, CA or C", tally.incomplete)
    unnamed = ("warning: ids not in split_table, split by MD5", tally.unnamed)
    kept = ("warning: sources kept, as they hold chains or models that were not converted", tally.kept)
    undeleted = ("warning: sources that could not be deleted", tally.undeleted)
    lines += [line for line in (others, incomplete, unnamed, kept, undeleted) if line[1]]
    if tally.coordinates is not None:
        lines.append(("coordinates of chains", tally.coordinates.written))
        lost = ("warning: chains without coordinates, as their sources are gone", tally.coordinates.lost)
        lines += [lost] if tally.coordinates.lost else []
    return [*lines, ("shards written", tally.shards.written), ("shards unchanged", tally.shards.unchanged)]


def _kind(reason: str) -> str:
    """The reason without what differs from file to file."""
    return re.sub(r"^\d+ |(?<=^duplicate id) .*|:.*", "", reason)
