"""The summary as a table in the terminal."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foldpix.evaluation.chains import Skipped
from foldpix.evaluation.summary import ROWS

_NUM_SKIPPED_SHOWN = 10
_LABELS = {"image_inside": "image, inside d_max"}


def summary_table(summary: Mapping[str, float], skipped: list[Skipped]) -> RenderableType:
    """A row per stage, a line per codebook, and the first skipped chains; ``-`` is what was not measured."""
    table = Table("", title="backbones that come back", title_justify="left")
    headings = ("chains", "N CA C RMSD", "CA RMSD", "TM", "lDDT", "hand", "tokens/res", "bits/res")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in ROWS:
        if row == "image" or f"{row}/num_chains" in summary:
            table.add_row(_LABELS.get(row, row), *_cells(summary, row))
    note = Text("RMSD in Å, mean / median over chains; hand: share of chains with the right one", style="dim")
    return Group(table, note, *_truth_lines(summary), *_codebook_lines(summary), *_skipped_lines(skipped))


def _cells(summary: Mapping[str, float], stage: str) -> list[str]:
    def cell(spec: str, *names: str) -> str:
        found = [summary[key] for name in names if (key := f"{stage}/{name}") in summary]
        return " / ".join(format(value, spec) for value in found) or "-"

    return [
        cell("d", "num_chains"),
        cell(".2f", "backbone_rmsd", "backbone_rmsd_median"),
        cell(".2f", "ca_rmsd", "ca_rmsd_median"),
        cell(".3f", "tm_score"),
        cell(".3f", "lddt"),
        cell(".1%", "handedness"),
        cell(".1f", "tokens_per_residue"),
        cell(",.0f", "bits_per_residue"),
    ]


def _truth_lines(summary: Mapping[str, float]) -> list[Text]:
    count = summary["num_truth_from_picture"]
    line = (
        f"no structure file: {count} chains of the tokenizer are compared with what their pictures decode to"
    )
    return [Text(line)] if count else []


def _codebook_lines(summary: Mapping[str, float]) -> list[Text]:
    num_levels = sum(name.endswith("/codes_used") for name in summary)
    return [Text(_codebook_line(summary, level)) for level in range(num_levels)]


def _codebook_line(summary: Mapping[str, float], level: int) -> str:
    names = ("codes_used", "codebook_size", "codebook_use", "perplexity")
    used, size, share, perplexity = (summary[f"level{level}/{name}"] for name in names)
    return f"level {level}: {used} of {size} codes used ({share:.0%}), perplexity {perplexity:.0f}"


def _skipped_lines(skipped: list[Skipped]) -> list[Text]:
    if not skipped:
        return []
    lines = [Text(f"{len(skipped)} skipped:")]
    lines += [Text(f"  {skip.id}: {skip.reason}") for skip in skipped[:_NUM_SKIPPED_SHOWN]]
    if len(skipped) > _NUM_SKIPPED_SHOWN:
        lines.append(Text(f"  and {len(skipped) - _NUM_SKIPPED_SHOWN} more, all in summary.json"))
    return lines
