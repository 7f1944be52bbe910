"""What molecules are aligned by: which points, and which overlap of them."""

from collections.abc import Callable
from dataclasses import dataclass

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.molecule import Molecule
from foldpix.alignment.overlaps import Charged, Overlap, Pharmacophore, Volume
from foldpix.alignment.surfaces import COULOMB

#: Width of the Gaussian on an atom, per square angstrom.
ATOM_ALPHA = 0.81

#: How the heavy atoms overlap that guide the search of a surface.
GUIDE = Volume(ATOM_ALPHA)

#: Keys under which results are kept; noH is for heavy atoms alone.
KEYS = ("vol", "vol_noH", "vol_esp", "vol_esp_noH", "surf", "esp", "pharm")


@dataclass(frozen=True)
class Mode:
    """One way to align molecules.

    Attributes
    ----------
    key : str
        One of `KEYS`.
    cloud : callable
        A molecule's points; raises ValueError where it has none.
    overlap : Overlap
        How they overlap.
    guide : callable, optional
        Fewer points of the molecule, which are searched first, by `GUIDE`.
    """

    key: str
    cloud: Callable[[Molecule], Cloud]
    overlap: Overlap
    guide: Callable[[Molecule], Cloud] | None = None


def volume(no_H: bool) -> Mode:
    """By the shape that the atoms make."""
    key = "vol_noH" if no_H else "vol"
    return Mode(key, lambda molecule: Cloud(molecule.get_positions(no_H)), Volume(ATOM_ALPHA))


def charged_volume(lam: float, no_H: bool) -> Mode:
    """By shape and partial charges; `lam` in e^2."""
    key = "vol_esp_noH" if no_H else "vol_esp"
    return Mode(key, lambda molecule: _charged_atoms(molecule, no_H), Charged(ATOM_ALPHA, lam))


def surface(alpha: float) -> Mode:
    """By the points of the surface."""
    return Mode("surf", lambda molecule: Cloud(molecule.surf_pos), Volume(alpha), _heavy_atoms)


def charged_surface(alpha: float, lam: float) -> Mode:
    """By the surface and the potential there; `lam` in e^2, scaled to the potential's unit."""
    overlap = Charged(alpha, lam * COULOMB**2)
    return Mode("esp", lambda molecule: Cloud(*molecule.surface), overlap, _heavy_atoms)


def pharmacophore(similarity: str, extended_points: bool, only_extended: bool) -> Mode:
    """By pharmacophore features and their directions."""
    return Mode("pharm", _features, Pharmacophore(similarity, extended_points, only_extended))


def _heavy_atoms(molecule: Molecule) -> Cloud:
    return Cloud(molecule.atom_pos)


def _charged_atoms(molecule: Molecule, no_H: bool) -> Cloud:
    return Cloud(molecule.get_positions(no_H), charges=molecule.get_charges(no_H))


def _features(molecule: Molecule) -> Cloud:
    types, positions, vectors = molecule.pharmacophore
    if len(types) == 0:
        raise ValueError("the molecule has no pharmacophore features; align it by shape")
    return Cloud(positions, types=types, vectors=vectors)
