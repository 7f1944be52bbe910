"""Backbones overlaid by us and by biotite.

``python -m benchmarks.alignment.bench_proteins source=DIR [num=100]``

``source`` is a folder of structure files with an ``index.csv`` (file, source_id, n_residues, cluster50).
``num`` pairs are of one family, as many of chains drawn at random. The TM-score of both poses is over
residues matched in the same way, by dynamic programming. One thread, CPU time, after a warm-up.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy starts its threads

import csv  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections import defaultdict  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from biotite.structure import AtomArray, superimpose_structural_homologs  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from foldpix.alignment.chain_refinement import measured  # noqa: E402
from foldpix.alignment.proteins import align_backbones  # noqa: E402
from foldpix.structure import Backbone, read_structure  # noqa: E402

_LEAST_RESIDUES = 40
Pair = tuple[Backbone, Backbone]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = dict(argument.split("=", 1) for argument in arguments)
    if "source" not in options:
        raise SystemExit("give source=, a folder of structure files with an index.csv")
    num = int(options.get("num", 100))
    pairs = chain_pairs(Path(options["source"]), num)
    # What is compiled depends on sizes alone.
    align_backbones(*zip(*pairs, strict=True))
    start = time.process_time()
    ours = align_backbones(*zip(*pairs, strict=True))
    our_ms = 1e3 * (time.process_time() - start) / len(pairs)
    start = time.process_time()
    theirs = [biotite_transform(*pair) for pair in pairs]
    biotite_ms = 1e3 * (time.process_time() - start) / len(pairs)
    rows = [
        ("foldpix", our_ms, tm_scores(pairs, ours.transforms)),
        ("biotite", biotite_ms, tm_scores(pairs, theirs)),
    ]
    table = Table("", "ms a pair", "TM, one family", "TM, random", "TM, all", title=f"{len(pairs)} pairs")
    for name, ms, scores in rows:
        means = scores[:num].mean(), scores[num:].mean(), scores.mean()
        table.add_row(name, f"{ms:.1f}", *(f"{mean:.4f}" for mean in means))
    Console(width=100).print(table, f"{biotite_ms / our_ms:.1f} times as fast")


def chain_pairs(source: Path, num: int) -> list[Pair]:
    """``num`` pairs of different entries of one family, then ``num`` pairs of any."""
    with (source / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if int(row["n_residues"]) >= _LEAST_RESIDUES]
    families = defaultdict(list)
    for row in rows:
        families[row["cluster50"]].append(row)
    large = [family for family in families.values() if len({row["source_id"] for row in family}) > 1]
    draw = random.Random(0)
    pairs = []
    while len(pairs) < num:
        ref, fit = draw.sample(draw.choice(large), 2)
        if ref["source_id"] != fit["source_id"]:
            pairs.append((ref, fit))
    pairs += [tuple(draw.sample(rows, 2)) for _ in range(num)]
    return [tuple(read_structure(source / row["file"])[0] for row in pair) for pair in pairs]


def biotite_transform(ref: Backbone, fit: Backbone) -> np.ndarray:
    """biotite's superposition of structural homologs as a (4, 4) matrix; the identity where it finds none."""
    try:
        found = superimpose_structural_homologs(backbone_atoms(ref), backbone_atoms(fit))
    except ValueError:
        return np.eye(4)
    return np.asarray(found[1].as_matrix(), np.float64).reshape(4, 4)


def backbone_atoms(backbone: Backbone) -> AtomArray:
    """N, CA and C as biotite takes them; residues' kinds do not count."""
    atoms = AtomArray(3 * len(backbone))
    atoms.coord = backbone.coords.reshape(-1, 3)
    atoms.res_id = np.repeat(np.arange(1, len(backbone) + 1), 3)
    atoms.atom_name = np.tile(["N", "CA", "C"], len(backbone))
    atoms.element = np.tile(["N", "C", "C"], len(backbone))
    atoms.res_name[:], atoms.chain_id[:] = "ALA", "A"
    return atoms


def tm_scores(pairs: list[Pair], transforms: list[np.ndarray] | np.ndarray) -> np.ndarray:
    """TM-scores of poses, all over residues matched in the same way."""
    return np.array(
        [
            measured(*(chain.coords[:, 1].astype(np.float64) for chain in pair), transform).tm_score
            for pair, transform in zip(pairs, transforms, strict=True)
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
