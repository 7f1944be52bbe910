"""The atoms of a residue as internal coordinates, from a table that comes with the package.

`scripts/generation/make_residue_templates.py` makes it from the chemical component dictionary, which takes
seconds and hundreds of megabytes to load and is not needed here.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class TemplateAtom(NamedTuple):
    """An atom, and how it is placed from three others.

    Attributes
    ----------
    name, element : str
    where : str
        Residues that have it: "all", the "first", every "later" or the "last" one of a chain.
    frame : tuple of str, or None
        The three atoms it is placed from; it is bonded to the last, and "-C" is the C of the residue before.
        None for the atoms of the backbone and CB, which are there already.
    length : float
        Bond length, angstrom.
    angle, torsion : float
        With the last two and with all three of the frame, degrees, in an L-residue.
    chi : int, or None
        Number, from 0, of the side chain's dihedral to which `torsion` is added.
    """

    name: str
    element: str
    where: str
    frame: tuple[str, str, str] | None
    length: float
    angle: float
    torsion: float
    chi: int | None


def residue_template(name: str) -> tuple[TemplateAtom, ...]:
    """Atoms of an L-residue in the dictionary's order: a frame's atoms stand before those placed from it."""
    return _templates()[name]


@cache
def _templates() -> dict[str, tuple[TemplateAtom, ...]]:
    table = json.loads((files("foldpix.generation") / "residue_templates.json").read_text())
    return {name: tuple(TemplateAtom(*row) for row in rows) for name, rows in table.items()}
