"""What an alignment run did, printed."""

import time
from collections import Counter
from pathlib import Path

from rich.table import Table

from foldpix.alignment.prepare import OK
from foldpix.alignment.screening import Hit
from foldpix.jobs.align_inputs import EntryPair
from foldpix.jobs.align_rows import SCORES, ScoreLog
from foldpix.jobs.terminal import console, reason_lines

# Hits that are printed; scores.csv has them all.
_MOST_HITS = 5


def print_summary(log: ScoreLog, hits: list[Hit[EntryPair]], begin: float, out: Path) -> dict[str, float]:
    """The summary as a table on stdout, and as figures by name; there is at least one hit."""
    aligned, num = log.statuses[OK], log.statuses.total()
    figures = {
        "pairs": num,
        "aligned": aligned,
        "failed": num - aligned,
        "best_score": hits[0].score,
        "mean_score": log.total / aligned,
        "pairs_per_second": num / max(time.monotonic() - begin, 1e-9),
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in _lines(figures, log.statuses):
        table.add_row(name, value)
    console().print(table)
    print("best:")
    for hit in hits[:_MOST_HITS]:
        print(f"  {hit.fit.fit.name} on {hit.fit.ref.name}: {hit.score:.4f}")
    print(f"each pair's outcome: {out / SCORES}")
    return figures


def _lines(figures: dict[str, float], statuses: Counter[str]) -> list[tuple[str, str]]:
    lines = [(name, f"{figures[name]:,}") for name in ("pairs", "aligned", "failed")]
    lines += reason_lines(Counter({status: count for status, count in statuses.items() if status != OK}))
    return [
        *lines,
        ("mean overlap", f"{figures['mean_score']:.4f}"),
        ("pairs per second", f"{figures['pairs_per_second']:.1f}"),
    ]
