"""Where residues of real chains lie in the Ramachandran plot."""

import json
from functools import cache
from pathlib import Path

import numpy as np

#: Cells of the plot along phi and along psi.
CELLS = 36

_REGIONS = Path(__file__).with_name("ramachandran_regions.json")


def residue_classes(is_glycine: np.ndarray, is_proline: np.ndarray) -> np.ndarray:
    """Glycine, proline, residues before proline and all others have plots of their own: str, shape=(L,)."""
    before_proline = np.append(is_proline[1:], False)
    return np.select(
        [is_glycine, is_proline, before_proline], ["glycine", "proline", "before proline"], "general"
    )


def is_allowed(torsions: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Whether residues lie where all but one in a hundred residues of real chains do.

    Parameters
    ----------
    torsions : ndarray, shape=(..., L, 2)
        phi and psi in degrees, of D-residues those of the mirror image.
    classes : ndarray of str, shape=(L,)
        As :func:`residue_classes` tells them.

    Returns
    -------
    ndarray, dtype=bool, shape=(..., L)
    """
    cell = np.floor((torsions + 180) * (CELLS / 360)).astype(int) % CELLS
    names, plots = _regions()
    plot = np.array([names.index(name) for name in classes.tolist()], dtype=int)
    return plots[plot, cell[..., 0], cell[..., 1]]


@cache
def _regions() -> tuple[list[str], np.ndarray]:
    """The classes and their allowed cells, dtype=bool, shape=(classes, phi, psi)."""
    tables = json.loads(_REGIONS.read_text())
    names = [name for name in tables if name != "source"]
    rows = np.array([[list(row) for row in tables[name][::-1]] for name in names])
    return names, rows.transpose(0, 2, 1) == "#"
