"""Overlays of drugs beside RDKit's and the peer's.

``python -m benchmarks.alignment.bench_align [source=DIR] [num=512] [peer=PYTHON]``

``source`` holds molecules and pairs of them (`benchmarks.alignment.inputs`). ``peer`` is the Python of an
environment where shepherd-score is installed. CPU time after a first call; for devices and memory processes
of their own.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdShapeAlign
from rich.console import Console
from rich.table import Table

from benchmarks.alignment import alone, peer
from benchmarks.alignment.inputs import SOURCE, best_known, read_molecules, read_pairs, surfaces, volumes
from benchmarks.reference import gaussian_overlay
from foldpix.alignment import Charged, Volume, align
from foldpix.alignment.surfaces import COULOMB, surface_alpha

SHORT = 0.01
_NUM_REFERENCE = 16  # pairs for the straightforward implementation, which is slow
_NUM_SURFACES = 8  # pairs whose surfaces are given
_NUM_PEER_SURFACES = 2  # of them for the peer: some ten CPU-seconds each
_NUM_MEMORY = 10_000


class Line(NamedTuple):
    """A way to align: pairs a CPU-second, of the first call the CPU-seconds, and the scores."""

    what: str
    speed: float
    first: float
    scores: Any


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = dict(argument.partition("=")[::2] for argument in arguments)
    source, num = Path(options.get("source", SOURCE)), int(options.get("num", 512))
    python, console = options.get("peer"), Console(width=110)
    lines = [*volume_lines(source, num), *(peer_lines(python, source, "volume", num) if python else ())]
    console.print(table("Volumes", lines, best_known(source, num)))
    for mode in ("surface", "surface_charges"):
        lines = [surface_line(source, mode)]
        if python:
            lines += peer_lines(python, source, mode, _NUM_PEER_SURFACES)
        console.print(table(f"{mode}, 200 points", lines, None))
    one, two = (alone.measure(source=str(source), num=num, devices=k, rounds=5) for k in (1, 2))
    gain, ideal = one["seconds"] / two["seconds"], alone.second_core()
    console.print(
        f"two devices on a core each: {gain:.2f} times one by the clock; matrix products {ideal:.2f}"
    )
    many = alone.measure(source=str(source), num=_NUM_MEMORY, devices=1, rounds=1)
    console.print(f"peak memory at {_NUM_MEMORY} pairs {many['peak_mb']:.0f} MB")


def volume_lines(source: Path, num: int) -> Iterator[Line]:
    """Ours, RDKit's, and the straightforward implementation's."""
    molecules, pairs = read_molecules(source), read_pairs(source, num)
    refs, fits = volumes(molecules, pairs)
    few = slice(_NUM_REFERENCE)
    yield measured("foldpix, Newton", lambda: align(refs, fits, Volume()).scores)
    yield measured("foldpix, 4 starts", lambda: align(refs, fits, Volume(), num_repeats=5).scores)
    yield measured("foldpix, Adam", lambda: align(refs[few], fits[few], Volume(), method="adam").scores)
    rdkit = measured("RDKit rdShapeAlign", lambda: rdkit_poses(molecules, pairs))
    yield rdkit._replace(scores=scores_of(molecules, pairs, rdkit.scores))
    points = [[cloud.points for cloud in side[few]] for side in (refs, fits)]
    yield measured("straightforward Adam", lambda: gaussian_overlay.overlay(*points))


def surface_line(source: Path, mode: str) -> Line:
    """Ours, guided by heavy atoms."""
    pairs, alpha = read_pairs(source, _NUM_SURFACES), surface_alpha(200)
    clouds, guides = surfaces(source, pairs), volumes(read_molecules(source), pairs)
    overlap = Volume(alpha) if mode == "surface" else Charged(alpha, 0.3 * COULOMB**2)
    return measured("foldpix, Newton", lambda: align(*clouds, overlap, guides=(*guides, Volume())).scores)


def peer_lines(python: str, source: Path, mode: str, num: int) -> Iterator[Line]:
    """The peer's sequential path, and the one over two devices."""
    for what, devices in (("sequential", 1), ("shmap, 2 devices", 2)):
        found = peer.measure(python, source=str(source.resolve()), mode=mode, num=num, devices=devices)
        what = f"shepherd-score {found['version']}, {what}"
        yield Line(what, num / found["seconds"], found["first"], found["scores"])


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


def table(title: str, lines: list[Line], best: np.ndarray | None) -> Table:
    """One row a line; the first line's speed beside the others'."""
    drawn = Table(
        "", "pairs / CPU-s", "1st / this", "first call, CPU-s", "pairs", "mean score", "short", title=title
    )
    for line in lines:
        num = len(line.scores)
        short = "" if best is None else f"{np.mean(line.scores < best[:num] - SHORT):.1%}"
        drawn.add_row(
            line.what,
            f"{line.speed:.3g}",
            f"{lines[0].speed / line.speed:.3g}",
            f"{line.first:.1f}",
            str(num),
            f"{line.scores.mean():.5f}",
            short,
        )
    drawn.caption = f"first call: compiling, too; short: share of pairs > {SHORT} under the best known"
    return drawn


if __name__ == "__main__":
    main(sys.argv[1:])
