"""Overlays of drugs beside RDKit's: ``python -m benchmarks.alignment.bench_align [source=DIR] [num=512]``.

``source`` holds ``mols.sdf``, ``pairs.json`` and ``best_known.json``: molecules, pairs of their places, and
the best score known of each pair. One process, CPU time after a first call, in turns.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdShapeAlign
from rich.console import Console
from rich.table import Table

from benchmarks.reference import gaussian_overlay
from foldpix.alignment import Cloud, Volume, align

SHORT = 0.01
_NUM_REFERENCE = 16  # pairs for the straightforward implementation, which is slow


class Line(NamedTuple):
    """A way to align: pairs a CPU-second, of the first call the CPU-seconds, and the scores."""

    what: str
    speed: float
    first: float
    scores: Any


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = dict(argument.partition("=")[::2] for argument in arguments)
    source = Path(options.get("source", "../shared/peers/shepherd_bench"))
    num = int(options.get("num", 512))
    molecules = [Chem.RemoveHs(mol) for mol in Chem.SDMolSupplier(str(source / "mols.sdf"), removeHs=False)]
    pairs = json.loads((source / "pairs.json").read_text())["pairs"][:num]
    best = np.array(json.loads((source / "best_known.json").read_text())["scores"][:num])
    points = [mol.GetConformer().GetPositions() for mol in molecules]
    clouds = [Cloud(x - x.mean(axis=0)) for x in points]
    refs, fits = ([clouds[pair[side]] for pair in pairs] for side in (0, 1))
    few = slice(_NUM_REFERENCE)
    rdkit = measured("RDKit rdShapeAlign", lambda: rdkit_poses(molecules, pairs))
    lines = [
        measured("foldpix, Newton", lambda: align(refs, fits, Volume()).scores),
        measured("foldpix, 4 starts", lambda: align(refs, fits, Volume(), num_repeats=5).scores),
        measured("foldpix, Adam", lambda: align(refs[few], fits[few], Volume(), method="adam").scores),
        rdkit._replace(scores=scores_of(molecules, pairs, rdkit.scores)),
        measured(
            "straightforward Adam",
            lambda: gaussian_overlay.overlay([x.points for x in refs[few]], [x.points for x in fits[few]]),
        ),
    ]
    console = Console(width=110)
    console.print(table(lines, best))
    console.print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def measured(what: str, work: Callable[[], Any]) -> Line:
    """The best of three calls after the first."""
    first, scores = _cpu_seconds(work)
    seconds = min(_cpu_seconds(work)[0] for _ in range(3))
    return Line(what, len(scores) / seconds, first, scores)


def _cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def rdkit_poses(molecules: list[Chem.Mol], pairs: list[tuple[int, int]]) -> list[Chem.Mol]:
    """Fits as RDKit moves them."""
    moved = [Chem.Mol(molecules[fit]) for _, fit in pairs]
    for (ref, _), fit in zip(pairs, moved, strict=True):
        rdShapeAlign.AlignMol(molecules[ref], fit, useColors=False)
    return moved


def scores_of(molecules: list[Chem.Mol], pairs: list[tuple[int, int]], moved: list[Chem.Mol]) -> np.ndarray:
    """Volume Tanimoto of moved fits."""
    scores = []
    for (ref, _), fit in zip(pairs, moved, strict=True):
        a, b = (mol.GetConformer().GetPositions() for mol in (molecules[ref], fit))
        both = _gaussians(a, b)
        scores.append(both / (_gaussians(a, a) + _gaussians(b, b) - both))
    return np.array(scores)


def _gaussians(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.exp(-0.405 * ((a[:, None] - b[None]) ** 2).sum(-1)).sum())


def table(lines: list[Line], best: np.ndarray) -> Table:
    """One row a line."""
    columns = (
        "",
        "pairs / CPU-s",
        "first call, CPU-s",
        "pairs",
        "mean score",
        f"> {SHORT} short of the best",
    )
    drawn = Table(*columns, title="Volume overlays")
    for line in lines:
        num = len(line.scores)
        short = np.mean(line.scores < best[:num] - SHORT)
        row = (
            f"{line.speed:.0f}",
            f"{line.first:.1f}",
            str(num),
            f"{line.scores.mean():.5f}",
            f"{short:.1%}",
        )
        drawn.add_row(line.what, *row)
    return drawn


if __name__ == "__main__":
    main(sys.argv[1:])
