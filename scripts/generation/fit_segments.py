"""Fits ``segments.json`` and ``composition.json`` of ``foldpix.generation`` on a folder of real chains.

    python -m scripts.generation.fit_segments FOLDER

Segments: how long runs of each letter are and what follows them. Composition: how often each amino acid
stands at each place of a run.
"""

import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foldpix.generation.composition import AMINO_ACIDS, NUM_PLACES, places
from foldpix.generation.segments import FIRST_TURN, FOLDS, KINDS, LONGEST
from scripts.generation.labelled_chains import LabelledChain, labelled_chains, segments

ROOM = Path(__file__).parents[2] / "src" / "foldpix" / "generation"

#: Letters of segments, where residues have more: single basins are coil, pi helices are hardly any.
SEGMENT_OF = str.maketrans("PLI", "CCT")

#: Residues with the shares of all places of the letter that are added to those counted at one place.
PRIOR = 50

PROLINE = AMINO_ACIDS.index("P")


def main(folder: Path) -> None:
    chains = list(labelled_chains(folder))
    source = f"{len(chains)} experimental chains; scripts/generation/fit_segments.py"
    runs = [segments(chain.labels.translate(SEGMENT_OF)) for chain in chains]
    folds = [fold_class(chain.labels) for chain in chains]
    table = {
        fold: fit_segments([run for run, its in zip(runs, folds, strict=True) if its == fold])
        for fold in FOLDS
    }
    _write("segments.json", {"source": source, "chains": {fold: folds.count(fold) for fold in FOLDS}} | table)
    note = (
        f"per mille of {AMINO_ACIDS} at the places 1, 2, 3, later, 1 behind H, G or T; the same where it ends"
    )
    _write("composition.json", {"source": source, "rows": note} | fit_composition(chains))


def fold_class(labels: str) -> str:
    """After the share of helix in what is helix or strand: more than 80 %, less than 20 % or between."""
    helix, strand = labels.count("H"), labels.count("E")
    return FOLDS[0] if helix > 4 * strand else FOLDS[1] if strand > 4 * helix else FOLDS[2]


def fit_segments(runs: Sequence[list[tuple[str, int]]]) -> dict:
    """Counts of lengths 1 to LONGEST and of what follows, for each letter and for coil that begins a chain.

    The first and last run of a chain count for ``start`` and ``end`` alone, and only if they are coil.
    """
    inner = [run for chain in runs for run in chain[1:-1]]
    table = {
        kind: {"lengths": _histogram([size for letter, size in inner if letter == kind])} for kind in KINDS
    }
    for kind in KINDS:
        pairs = [(a[0], b[0]) for chain in runs for a, b in itertools.pairwise(chain[1:-1])]
        table[kind]["next"] = [pairs.count((kind, other)) for other in KINDS]
    firsts = [chain[1][0] for chain in runs if len(chain) > 2]
    starts = [chain[0][1] for chain in runs if chain[0][0] == "C"]
    ends = [chain[-1][1] for chain in runs if chain[-1][0] == "C"]
    table["start"] = {"lengths": _histogram(starts), "next": [firsts.count(kind) for kind in KINDS]}
    table["end"] = {"lengths": _histogram(ends)}
    return table


def fit_composition(chains: Sequence[LabelledChain]) -> dict:
    """Per mille of each amino acid, a row for each place of a run of each letter."""
    merged = [chain.labels.translate(SEGMENT_OF) for chain in chains]
    sequence = "".join(chain.sequence for chain in chains)
    at = np.concatenate([places(labels) for labels in merged])
    letters = np.array(list("".join(merged)))
    amino_acids = np.array([AMINO_ACIDS.find(letter) for letter in sequence])
    table = {}
    for kind in KINDS:
        chosen = (letters == kind) & (amino_acids >= 0)
        counts = np.zeros((NUM_PLACES, len(AMINO_ACIDS)))
        np.add.at(counts, (at[chosen], amino_acids[chosen]), 1.0)
        counts += PRIOR * counts.sum(axis=0) / counts.sum()
        if kind in FIRST_TURN:  # behind it 0.6 % in real alpha helices, with kinks that ours have not
            counts[np.arange(NUM_PLACES) % (NUM_PLACES // 2) >= FIRST_TURN[kind], PROLINE] = 0.0
        table[kind] = [_per_mille(row) for row in counts]
    return table


def _histogram(sizes: list[int]) -> list[int]:
    return np.bincount(np.clip(sizes, 1, LONGEST), minlength=LONGEST + 1)[1:].tolist()


def _per_mille(counts: np.ndarray) -> list[int]:
    """Whole numbers that add up to 1000: the largest remainders are rounded up."""
    shares = 1000.0 * counts / counts.sum()
    whole = np.floor(shares).astype(int)
    whole[np.argsort(whole - shares)[: 1000 - whole.sum()]] += 1
    return whole.tolist()


def _write(name: str, table: dict) -> None:
    (ROOM / name).write_text(_lines(table) + "\n")


def _lines(table: dict) -> str:
    """JSON with a line for each list."""
    rows = [
        f"{json.dumps(key)}: {_lines(entry) if isinstance(entry, dict) else json.dumps(entry)}"
        for key, entry in table.items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
