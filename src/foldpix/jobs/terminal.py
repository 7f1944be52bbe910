"""What a job shows on the terminal."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_WIDTH = 120  # where stdout is no terminal


def progress_bar() -> Progress:
    """Bars on stderr, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


def console() -> Console:
    """Stdout, for tables."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
