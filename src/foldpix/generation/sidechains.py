"""All atoms of peptides: side chains, hydrogens and termini on a backbone.

The charges are those of pH 7: N-termini NH3 (proline NH2), C-termini, aspartate and glutamate without a
hydrogen, lysine and arginine with all of theirs; histidine is neutral, with the hydrogen on NE2.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.sequence import is_d, l_form
from foldpix.generation.templates import TemplateAtom, residue_template

#: The walk's atoms of a residue, in its order.
_WALK = ("N", "CA", "C", "O", "CB")
NUM_CHI = 4


class FullAtomLayout(NamedTuple):
    """The N atoms of a peptide of L residues, in order, and how each is placed.

    Attributes
    ----------
    atom_names, elements : tuple of str
        As in the chemical component dictionary, in its order; elements in upper case (SE).
    residue_N, number_N, chain_N : ndarray, dtype=int64, shape=(N,)
        Row of the atom's residue among all L, its number in the chain, from 1, and the chain's, from 0.
    copied_C2 : ndarray, dtype=int64, shape=(C, 2)
        Atoms of the walk: their place here, and in the backbone's (L * 5).
    frame_G4 : ndarray, dtype=int64, shape=(G, 4)
        Atoms that are placed from three others, each after those: the three, and the atom.
    bond_G4 : ndarray, dtype=float64, shape=(G, 4)
        Steps along the bond before and across it, angstrom; cosine and sine of the torsion without chi.
    chi_G : ndarray, dtype=int64, shape=(G,)
        Which of the (L * 4) chi is added to the torsion; L * 4 where none is.
    """

    atom_names: tuple[str, ...]
    elements: tuple[str, ...]
    residue_N: np.ndarray
    number_N: np.ndarray
    chain_N: np.ndarray
    copied_C2: np.ndarray
    frame_G4: np.ndarray
    bond_G4: np.ndarray
    chi_G: np.ndarray


def full_atom_layout(chains: tuple[tuple[str, ...], ...]) -> FullAtomLayout:
    """Which atoms the residues of `chains` (names by chain) have, and how they are placed."""
    names = [(name, number, chain) for chain, row in enumerate(chains) for number, name in enumerate(row)]
    no_chi = len(names) * NUM_CHI
    atoms: list[tuple[str, str, int, int, int]] = []
    copied, frames, bonds, chis = [], [], [], []
    place: dict[str, int] = {}
    for row, (name, number, chain) in enumerate(names):
        place = {"-C": place.get("C", -1)}
        for atom in _atoms_of(name, is_first=number == 0, is_last=number + 1 == len(chains[chain])):
            place[atom.name] = len(atoms)
            atoms.append((atom.name, atom.element, row, number + 1, chain))
            if atom.frame is None:
                copied.append((place[atom.name], row * len(_WALK) + _WALK.index(atom.name)))
            else:
                frames.append([place[one] for one in (*atom.frame, atom.name)])
                bonds.append(_bond(atom, -1.0 if is_d(name) else 1.0))
                chis.append(no_chi if atom.chi is None else row * NUM_CHI + atom.chi)
    atom_names, elements, *numbers = zip(*atoms, strict=True)
    residue_N, number_N, chain_N = np.array(numbers, dtype=np.int64)
    return FullAtomLayout(
        atom_names=atom_names,
        elements=elements,
        residue_N=residue_N,
        number_N=number_N,
        chain_N=chain_N,
        copied_C2=np.array(copied, dtype=np.int64),
        frame_G4=np.array(frames, dtype=np.int64),
        bond_G4=np.array(bonds),
        chi_G=np.array(chis, dtype=np.int64),
    )


def place_side_chains(
    backbone_BL53: np.ndarray, layout: FullAtomLayout, chi_BL4: np.ndarray, out: np.ndarray | None = None
) -> np.ndarray:
    """Add all other atoms to a backbone.

    Parameters
    ----------
    backbone_BL53 : ndarray, dtype=float32 or float64, shape=(B, L, 5, 3)
        N, CA, C, O, CB in angstrom, CB of a D-residue on its own side.
    layout : FullAtomLayout
        Of the same L residues.
    chi_BL4 : ndarray, shape=(B, L, 4)
        Dihedrals of the side chains in radian, as they are to be measured in L- and D-residues alike; unused
        where a residue has fewer. Proline's ring closes with those that `draw_chi` gives.
    out : ndarray, dtype of the backbone, shape=(B, N, 3), optional
        Takes the coordinates.

    Returns
    -------
    ndarray, dtype of the backbone, shape=(B, N, 3)
        Angstrom.
    """
    num, dtype = len(backbone_BL53), backbone_BL53.dtype
    coords_BN3 = np.empty((num, len(layout.atom_names), 3), dtype=dtype) if out is None else out
    coords_BN3[:, layout.copied_C2[:, 0]] = backbone_BL53.reshape(num, -1, 3)[:, layout.copied_C2[:, 1]]
    chi = chi_BL4.reshape(num, -1).astype(dtype)
    turns_BT2 = np.empty((num, chi.shape[1] + 1, 2), dtype=dtype)
    turns_BT2[:, -1] = 1.0, 0.0
    np.cos(chi, out=turns_BT2[:, :-1, 0])
    np.sin(chi, out=turns_BT2[:, :-1, 1])
    _grow(layout.frame_G4, layout.bond_G4.astype(dtype), layout.chi_G, turns_BT2, coords_BN3)
    return coords_BN3


def _atoms_of(name: str, is_first: bool, is_last: bool) -> list[TemplateAtom]:
    there = {"all": True, "first": is_first, "later": not is_first, "last": is_last}
    return [atom for atom in residue_template(l_form(name)) if there[atom.where]]


def _bond(atom: TemplateAtom, hand: float) -> tuple[float, float, float, float]:
    """A row of `bond_G4`; the mirror image turns the other way."""
    angle, torsion = math.radians(atom.angle), math.radians(atom.torsion)
    back, side = -atom.length * math.cos(angle), atom.length * math.sin(angle)
    return back, side, math.cos(torsion), hand * math.sin(torsion)


@njit(cache=True)
def _grow(
    frame_G4: np.ndarray,
    bond_G4: np.ndarray,
    chi_G: np.ndarray,
    turns_BT2: np.ndarray,
    coords_BN3: np.ndarray,
) -> None:
    """Place atom after atom, as `foldpix.geometry.place_atom` does."""
    for member in range(len(coords_BN3)):
        xyz, turns = coords_BN3[member], turns_BT2[member]
        for g in range(len(frame_G4)):
            a, b, c, d = frame_G4[g]
            back, side, cosine, sine = bond_G4[g]
            cos_chi, sin_chi = turns[chi_G[g]]
            ux, uy, uz = xyz[c, 0] - xyz[b, 0], xyz[c, 1] - xyz[b, 1], xyz[c, 2] - xyz[b, 2]
            vx, vy, vz = xyz[b, 0] - xyz[a, 0], xyz[b, 1] - xyz[a, 1], xyz[b, 2] - xyz[a, 2]
            nx, ny, nz = vy * uz - vz * uy, vz * ux - vx * uz, vx * uy - vy * ux
            length2 = ux * ux + uy * uy + uz * uz
            normal = np.sqrt(nx * nx + ny * ny + nz * nz)
            along = back / np.sqrt(length2)
            # n x u is across the bond and as long as both together.
            across = side * (cosine * cos_chi - sine * sin_chi) / (normal * np.sqrt(length2))
            up = side * (sine * cos_chi + cosine * sin_chi) / normal
            xyz[d, 0] = xyz[c, 0] + along * ux + across * (ny * uz - nz * uy) + up * nx
            xyz[d, 1] = xyz[c, 1] + along * uy + across * (nz * ux - nx * uz) + up * ny
            xyz[d, 2] = xyz[c, 2] + along * uz + across * (nx * uy - ny * ux) + up * nz
