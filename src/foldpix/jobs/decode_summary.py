"""What a decoding run did, counted and printed."""

import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from rich.table import Table

from foldpix.jobs.decode_chain import Outcome
from foldpix.jobs.decode_rows import SUMMARY, DecodedRow, Status
from foldpix.jobs.terminal import console, reason_lines


@dataclass
class Tally:
    """The rows of a run."""

    structures: list[DecodedRow] = field(default_factory=list)
    failed: list[DecodedRow] = field(default_factory=list)
    num_done: int = 0
    begin: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome) -> None:
        """Count an input."""
        (self.structures if outcome.row.has_structure else self.failed).append(outcome.row)
        self.num_done += not outcome.is_new

    @property
    def suspicious(self) -> list[DecodedRow]:
        """Structures of images that do not look like those of chains."""
        return [row for row in self.structures if row.status is Status.SUSPICIOUS]


def print_summary(tally: Tally, out: Path) -> dict[str, float]:
    """The summary as a table on stdout, and as figures by name; there is at least one structure."""
    seconds = max(time.monotonic() - tally.begin, 1e-9)
    num_new = len(tally.structures) - tally.num_done
    estimated = [row for row in tally.structures if not math.isnan(row.mean_error)]
    errors = [row.mean_error for row in estimated]
    residuals = [row.residual for row in estimated if not math.isnan(row.residual)]
    figures: dict[str, float] = {
        "structures": len(tally.structures),
        "done": tally.num_done,
        "suspicious": len(tally.suspicious),
        "failed": len(tally.failed),
        "chain_breaks": sum(row.chain_breaks for row in tally.structures),
        "mean_error": fmean(errors) if errors else math.nan,
        "worst_error": max(errors, default=math.nan),
        "residual": fmean(residuals) if residuals else math.nan,
        "chains_per_second": num_new / seconds,
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in _lines(figures, tally):
        table.add_row(name, value)
    console().print(table)
    print(f"each input's outcome: {out / SUMMARY}")
    return figures


def _lines(figures: dict[str, float], tally: Tally) -> list[tuple[str, str]]:
    lines = [
        ("structures", f"{figures['structures']:,}"),
        ("of these by earlier runs", f"{figures['done']:,}"),
        ("of these suspicious", f"{figures['suspicious']:,}"),
        ("failed", f"{figures['failed']:,}"),
    ]
    lines += reason_lines(Counter(_kind(row.reason) for row in tally.failed))
    lines.append(("chain breaks", f"{figures['chain_breaks']:,}"))
    if not math.isnan(figures["mean_error"]):
        lines += [
            ("expected error, mean over chains", f"{figures['mean_error']:.3f} Å"),
            ("expected error, worst chain", f"{figures['worst_error']:.3f} Å"),
        ]
    if not math.isnan(figures["residual"]):
        lines.append(("residual, mean over chains", f"{figures['residual']:.2f} grey levels"))
    return [*lines, ("chains per second", f"{figures['chains_per_second']:.1f}")]


def _kind(reason: str) -> str:
    """The reason without what differs from input to input."""
    return re.sub(r"(?<=^duplicate id) .*|:.*| \(.*", "", reason)
