"""Records to a summary with plain names, and both to files."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from statistics import fmean, median

from foldpix.evaluation.codebook import CodebookUse
from foldpix.evaluation.evaluate import Evaluation
from foldpix.evaluation.image_stage import Record, stages

#: Fewest and most residues of the chains that are summed up together.
LENGTH_BINS = ((2, 39), (40, 128), (129, 256), (257, 512), (513, 1024))


def summarize(evaluation: Evaluation) -> dict[str, float]:
    """Means over chains as ``stage/figure``, codebook use as ``stage/levelN/figure``.

    RMSD (angstrom) also as median; ``handedness`` is the share of chains with the right hand.
    ``image_inside`` is the image without the chains that reach beyond d_max, where there are any.
    ``stage/40-128/figure`` and so on are of the chains with so many residues. ``num_truth_from_picture``
    chains have no structure file and count for tokenizers alone.
    """
    summary: dict[str, float] = {
        "num_skipped": len(evaluation.skipped),
        "num_truth_from_picture": len({r.id for r in evaluation.records if r.truth == "picture"}),
    }
    for group, records in _groups(evaluation.records).items():
        summary |= {f"{group}/{name}": value for name, value in _stage_figures(records).items()}
    for stage, levels in evaluation.use.items():
        for level, use in enumerate(levels):
            summary |= {f"{stage}/level{level}/{name}": value for name, value in _level_figures(use).items()}
    return summary


def _groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for stage in stages(records):
        groups[stage] = [record for record in records if record.stage == stage]
        inside = [record for record in groups[stage] if not record.clipped]
        if stage == "image" and 0 < len(inside) < len(groups[stage]):
            groups["image_inside"] = inside
        by_bin = {
            f"{stage}/{fewest}-{most}": [
                record for record in groups[stage] if fewest <= record.length <= most
            ]
            for fewest, most in LENGTH_BINS
        }
        groups |= {name: some for name, some in by_bin.items() if some}
    return groups


def write_records(path: Path, records: Sequence[Record]) -> None:
    """A CSV row per chain and stage, sorted by chain."""
    rows = [_row(record) for record in sorted(records, key=lambda record: (record.id, record.stage))]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_summary(path: Path, summary: dict[str, float], evaluation: Evaluation) -> None:
    """The summary as JSON, with the skipped chains and their reasons."""
    skipped = [skip._asdict() for skip in evaluation.skipped]
    path.write_text(json.dumps({**summary, "skipped": skipped}, indent=2) + "\n")


def _stage_figures(records: Sequence[Record]) -> dict[str, float]:
    closeness = [record.closeness for record in records]
    figures: dict[str, float] = {"num_chains": len(records)}
    for name in ("backbone_rmsd", "ca_rmsd"):
        values = [getattr(each, name) for each in closeness]
        figures |= {name: fmean(values), f"{name}_median": median(values)}
    figures["tm_score"] = fmean(each.tm_score for each in closeness)
    figures["lddt"] = fmean(each.lddt for each in closeness)
    figures["handedness"] = fmean(each.right_handed for each in closeness)
    if records[0].num_tokens:
        figures["tokens_per_residue"] = fmean(record.num_tokens / record.length for record in records)
    figures["bits_per_residue"] = fmean(record.num_bits / record.length for record in records)
    if not isnan(records[0].num_entropy_bits):
        entropy = fmean(record.num_entropy_bits / record.length for record in records)
        figures["entropy_bits_per_residue"] = entropy
    return figures


def _level_figures(use: CodebookUse) -> dict[str, float]:
    return {
        "codes_used": use.codes_used,
        "codebook_size": len(use.counts),
        "codebook_use": use.codes_used / len(use.counts),
        "perplexity": use.perplexity,
    }


def _row(record: Record) -> dict[str, str | float]:
    figures = {
        name: int(value) if isinstance(value, bool) else f"{value:.6g}"
        for name, value in asdict(record.closeness).items()
    }
    return {
        "id": record.id,
        "stage": record.stage,
        "length": record.length,
        "clipped": int(record.clipped),
        "truth": record.truth,
        **figures,
        "tokens_per_residue": f"{record.num_tokens / record.length:.6g}" if record.num_tokens else "",
        "bits_per_residue": f"{record.num_bits / record.length:.6g}",
        "entropy_bits_per_residue": ""
        if isnan(record.num_entropy_bits)
        else f"{record.num_entropy_bits / record.length:.6g}",
    }
