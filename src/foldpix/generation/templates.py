"""The atoms of a residue as internal coordinates, from a table that comes with the package.

`scripts/generation/make_residue_templates.py` makes it from the chemical component dictionary, which takes
seconds and hundreds of megabytes to load and is not needed here.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from foldpix.generation.sequence import is_d, l_form


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
        With the last two and with all three of the frame, degrees.
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


# fmt: off
#: Pairs that a mirror image of the L-residue would have the other way round than the dictionary's D-component
#: has them: where its names tell right from left, as those of valine's methyls do, it does not mirror them.
SWAPPED_IN_D = {
    "ARG": "HD2 HD3", "ASP": "HB2 HB3", "CYS": "HB2 HB3", "GLN": "HB2 HB3, HG2 HG3",
    "GLU": "HB2 HB3, HG2 HG3", "HIS": "HB2 HB3", "ILE": "HG12 HG13",
    "LEU": "HB2 HB3, CD1 CD2, HD11 HD21, HD12 HD22, HD13 HD23",
    "PHE": "HB2 HB3", "PRO": "HB2 HB3, HG2 HG3", "TRP": "HB2 HB3", "TYR": "HB2 HB3",
    "VAL": "CG1 CG2, HG11 HG21, HG12 HG22, HG13 HG23",
}
# fmt: on


@cache
def residue_template(name: str) -> tuple[TemplateAtom, ...]:
    """Atoms of a residue in the dictionary's order: a frame's atoms stand before those placed from it."""
    if not is_d(name):
        return _templates()[name]
    swapped, offsets = _swapped(l_form(name)), chi_offsets(l_form(name))
    mirrored = {}
    for atom in _templates()[l_form(name)]:
        if atom.frame is not None:
            first, second, third = (swapped.get(one, one) for one in atom.frame)
            torsion = offsets.get(atom.chi, 0.0) - atom.torsion
            atom = atom._replace(
                name=swapped.get(atom.name, atom.name), frame=(first, second, third), torsion=torsion
            )
        mirrored[atom.name] = atom
    return tuple(mirrored[atom.name] for atom in _templates()[l_form(name)])


def chi_offsets(name: str) -> dict[int | None, float]:
    """How much less a dihedral of an L-residue's mirror image is than the negative of the own, degrees.

    Not 0 where the dihedral ends at another atom, for the dictionary's names of the D-residue.
    """
    torsions, swapped = {atom.name: atom.torsion for atom in _templates()[name]}, _swapped(name)
    return {
        atom.chi: torsions[swapped.get(atom.name, atom.name)]
        for atom in _templates()[name]
        if atom.chi is not None and atom.torsion == 0.0
    }


def _swapped(name: str) -> dict[str, str]:
    pairs = [pair.split() for pair in SWAPPED_IN_D.get(name, "").split(",") if pair]
    return {one: other for one, other in pairs} | {other: one for one, other in pairs}


@cache
def _templates() -> dict[str, tuple[TemplateAtom, ...]]:
    table = json.loads((files("foldpix.generation") / "residue_templates.json").read_text())
    return {name: tuple(TemplateAtom(*row) for row in rows) for name, rows in table.items()}
