"""The summary as a table in the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foldpix.evaluation.chains import Skipped

_NUM_SKIPPED_SHOWN = 10
_LABELS = {"image_inside": "image, inside d_max"}


def summary_table(summary: Mapping[str, float], skipped: list[Skipped]) -> RenderableType:
    """A row per stage, tokenizers by length, a line per codebook, and the first skipped chains.

    ``-`` is what was not measured.
    """
    rows = [name.removesuffix("/num_chains") for name in summary if name.endswith("/num_chains")]
    whole = [row for row in rows if "/" not in row]
    by_length = [row for row in rows if "/" in row and not row.startswith("image/")]
    table = _table("backbones that come back", whole if "image" in whole else ["image", *whole], summary)
    several = len(by_length) > sum(not row.startswith("image") for row in whole)
    lengths = [_table("tokenizers by number of residues", by_length, summary)] if several else []
    note = Text(
        "RMSD in Å, mean / median over chains; hand: share of chains with the right one; bits: of indices / "
        "under the frequencies in training",
        style="dim",
    )
    return Group(
        table, *lengths, note, *_truth_lines(summary), *_codebook_lines(summary), *_skipped_lines(skipped)
    )


def _table(title: str, rows: Sequence[str], summary: Mapping[str, float]) -> Table:
    table = Table("", title=title, title_justify="left")
    headings = ("chains", "N CA C RMSD", "CA RMSD", "TM", "lDDT", "hand", "tokens/res", "bits/res")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(_LABELS.get(row, row.replace("chain_code_", "chain code ")), *_cells(summary, row))
    return table


def _cells(summary: Mapping[str, float], stage: str) -> list[str]:
    def cell(spec: str, *names: str) -> str:
        found = [summary[key] for name in names if (key := f"{stage}/{name}") in summary]
        return " / ".join(format(value, spec) for value in found) or "-"

    return [
        cell("d", "num_chains"),
        cell(".2f" if stage.startswith("tokenizer") else ".3f", "backbone_rmsd", "backbone_rmsd_median"),
        cell(".2f" if stage.startswith("tokenizer") else ".3f", "ca_rmsd", "ca_rmsd_median"),
        cell(".3f", "tm_score"),
        cell(".3f", "lddt"),
        cell(".1%", "handedness"),
        cell(".1f", "tokens_per_residue"),
        cell(",.1f", "bits_per_residue", "entropy_bits_per_residue"),
    ]


def _truth_lines(summary: Mapping[str, float]) -> list[Text]:
    count = summary["num_truth_from_picture"]
    line = (
        f"no structure file: {count} chains of the tokenizer are compared with what their pictures decode to"
    )
    return [Text(line)] if count else []


def _codebook_lines(summary: Mapping[str, float]) -> list[Text]:
    codebooks = [name.removesuffix("/codes_used") for name in summary if name.endswith("/codes_used")]
    return [Text(_codebook_line(summary, codebook)) for codebook in codebooks]


def _codebook_line(summary: Mapping[str, float], codebook: str) -> str:
    names = ("codes_used", "codebook_size", "codebook_use", "perplexity")
    used, size, share, perplexity = (summary[f"{codebook}/{name}"] for name in names)
    stage, _, level = codebook.partition("/level")
    label = f"level {level}" if stage == "tokenizer" else stage.replace("_", " ")
    return f"{label}: {used} of {size} codes used ({share:.0%}), perplexity {perplexity:.0f}"


def _skipped_lines(skipped: list[Skipped]) -> list[Text]:
    if not skipped:
        return []
    lines = [Text(f"{len(skipped)} skipped:")]
    lines += [Text(f"  {skip.id}: {skip.reason}") for skip in skipped[:_NUM_SKIPPED_SHOWN]]
    if len(skipped) > _NUM_SKIPPED_SHOWN:
        lines.append(Text(f"  and {len(skipped) - _NUM_SKIPPED_SHOWN} more, all in summary.json"))
    return lines
