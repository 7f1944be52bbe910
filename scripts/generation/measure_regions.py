"""Measures ``src/foldpix/generation/ramachandran_regions.json`` on real chains with an ``index.csv``.

    python -m scripts.generation.measure_regions FOLDER

Of each class of residue the smallest region of the Ramachandran plot, in cells of 10 degrees, that holds
SHARE of the residues. It prints how many of the other splits' residues lie outside.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

from foldpix.generation.ramachandran import CELLS, residue_classes
from foldpix.geometry import backbone_torsions
from foldpix.structure import read_structure

TARGET = Path(__file__).parents[2] / "src" / "foldpix" / "generation" / "ramachandran_regions.json"
SHARE = 0.99

#: Weights of a cell and its neighbours on either side, along phi and along psi.
SMOOTHING = (0.25, 0.5, 0.25)


def main(folder: Path) -> None:
    torsions, classes, is_train, num = read(folder)
    cells = np.floor((torsions + 180) / 360 * CELLS).astype(int) % CELLS
    regions = {}
    for name in np.unique(classes).tolist():
        phi, psi = cells[is_train & (classes == name)].T
        counts = np.zeros((CELLS, CELLS))
        np.add.at(counts, (phi, psi), 1)
        allowed = densest(smooth(counts))
        regions[name] = allowed
        phi, psi = cells[~is_train & (classes == name)].T
        print(
            f"{name}: {allowed.mean():.3f} of the plot; "
            f"outside {1 - allowed[phi, psi].mean():.4f} of {len(phi)}"
        )
    source = (
        f"{num} experimental chains, {is_train.sum()} residues; scripts/generation/measure_regions.py: "
        f"rows psi from 180 down to -180, columns phi from -180 to 180, # holds {SHARE} of the residues"
    )
    rows = {name: ["".join(row) for row in np.where(a.T[::-1], "#", ".")] for name, a in regions.items()}
    TARGET.write_text(json.dumps({"source": source} | rows, indent=1) + "\n")


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """phi and psi in degrees (n, 2), classes (n,), whether of the train split (n,), and its chains."""
    torsions, classes, is_train, num = [], [], [], 0
    with (folder / "index.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["rep90"] == "1" and row["n_breaks"] == "0"]
    for row in rows:
        (chain,) = read_structure(folder / row["file"])
        phi_psi = np.degrees(backbone_torsions(chain.coords.astype(np.float64)))[1:-1, :2]
        torsions.append(phi_psi)
        classes.append(
            residue_classes(np.array(list(chain.sequence)) == "G", np.array(list(chain.sequence)) == "P")[
                1:-1
            ]
        )
        is_train.append(np.full(len(phi_psi), row["split"] == "train"))
        num += row["split"] == "train"
    return np.concatenate(torsions), np.concatenate(classes), np.concatenate(is_train), num


def smooth(counts: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        counts = sum(w * np.roll(counts, shift, axis) for w, shift in zip(SMOOTHING, (-1, 0, 1), strict=True))
    return counts


def densest(density: np.ndarray) -> np.ndarray:
    order = np.argsort(density, axis=None)[::-1]
    held = np.cumsum(density.ravel()[order]) / density.sum()
    allowed = np.zeros(density.size, dtype=bool)
    allowed[order[: np.searchsorted(held, SHARE) + 1]] = True
    return allowed.reshape(density.shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
