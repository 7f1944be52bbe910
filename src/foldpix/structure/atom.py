"""One atom record, as every parser hands it on."""

from typing import NamedTuple

#: The atoms of a backbone, in the order of Backbone.coords.
BACKBONE_ATOMS = ("N", "CA", "C")


class Atom(NamedTuple):
    """An atom record of a structure file.

    `residue` tells residues of a chain apart (number and insertion code, as text) and `altloc` is empty
    where the atom has one place only.
    """

    model: int
    chain: str
    residue: str
    res_name: str
    name: str
    altloc: str
    occupancy: float
    hetero: bool
    xyz: tuple[float, float, float]
