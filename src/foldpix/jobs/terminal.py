"""What a job shows on the terminal."""

import sys
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_WIDTH = 120  # where stdout is no terminal
_MOST_REASONS = 10  # the rows on disk have them all


def progress_bar() -> Progress:
    """Bars on stderr, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


def console() -> Console:
    """Stdout, for tables."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)


def reason_lines(reasons: Counter[str]) -> list[tuple[str, str]]:
    """Rows of a summary: the most common reasons, and how many have others."""
    common = reasons.most_common()
    lines = [(f"  {reason}", f"{count:,}") for reason, count in common[:_MOST_REASONS]]
    if others := sum(count for _, count in common[_MOST_REASONS:]):
        lines.append((f"  {len(common) - _MOST_REASONS} other reasons", f"{others:,}"))
    return lines
