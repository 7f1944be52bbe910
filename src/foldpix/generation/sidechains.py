"""All atoms of peptides: side chains, hydrogens and termini on a backbone.

The charges are those of pH 7: N-termini NH3 (proline NH2), C-termini, aspartate and glutamate without a
hydrogen, lysine and arginine with all of theirs; histidine is neutral, with the hydrogen on NE2.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.templates import TemplateAtom, residue_template
from foldpix.generation.walk import WALK_ATOMS

NUM_CHI = 4

#: Members that are built side by side: their numbers fill the processor's vectors.
LANES = 16


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
                copied.append((place[atom.name], row * len(WALK_ATOMS) + WALK_ATOMS.index(atom.name)))
            else:
                frames.append([place[one] for one in (*atom.frame, atom.name)])
                bonds.append(_bond(atom))
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
    num, dtype, num_atoms = len(backbone_BL53), backbone_BL53.dtype, len(layout.atom_names)
    coords_BN3 = np.empty((num, num_atoms, 3), dtype=dtype) if out is None else out
    length = backbone_BL53.shape[1]
    walked_BM3 = backbone_BL53.reshape(num, length * len(WALK_ATOMS), 3)
    chi_BT = chi_BL4.reshape(num, length * NUM_CHI)
    bond_G4, rows = layout.bond_G4.astype(dtype), np.empty((num_atoms, 3, LANES), dtype=dtype)
    turns = np.zeros((length * NUM_CHI + 1, 2, LANES), dtype=dtype)
    turns[-1, 0] = 1.0
    for first in range(0, num, LANES):
        part = slice(first, first + LANES)
        chi_TB = chi_BT[part].T.astype(dtype)
        np.cos(chi_TB, out=turns[:-1, 0, : chi_TB.shape[1]])
        np.sin(chi_TB, out=turns[:-1, 1, : chi_TB.shape[1]])
        _take_over(walked_BM3[part], layout.copied_C2, rows)
        _grow(layout.frame_G4, bond_G4, layout.chi_G, turns, rows)
        coords_BN3[part] = rows[:, :, : chi_TB.shape[1]].transpose(2, 0, 1)
    return coords_BN3


def _atoms_of(name: str, is_first: bool, is_last: bool) -> list[TemplateAtom]:
    there = {"all": True, "first": is_first, "later": not is_first, "last": is_last}
    return [atom for atom in residue_template(name) if there[atom.where]]


def _bond(atom: TemplateAtom) -> tuple[float, float, float, float]:
    """A row of `bond_G4`."""
    angle, torsion = math.radians(atom.angle), math.radians(atom.torsion)
    back, side = -atom.length * math.cos(angle), atom.length * math.sin(angle)
    return back, side, math.cos(torsion), math.sin(torsion)


@njit(cache=True)
def _take_over(walked_BM3: np.ndarray, copied_C2: np.ndarray, rows_N3B: np.ndarray) -> None:
    """The walk's atoms, members side by side; lanes without a member repeat the last one."""
    last = len(walked_BM3) - 1
    for atom, walked in copied_C2:
        for axis in range(3):
            for lane in range(LANES):
                rows_N3B[atom, axis, lane] = walked_BM3[min(lane, last), walked, axis]


# Places in one array, known to the compiler: only then does it see that they do not overlap, and takes many
# lanes at a time.
_A, _B, _C, _D = range(0, 12 * LANES, 3 * LANES)
_TURN = 12 * LANES
_X, _Y, _Z = range(0, 3 * LANES, LANES)


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def _grow(
    frame_G4: np.ndarray, bond_G4: np.ndarray, chi_G: np.ndarray, turns_T2B: np.ndarray, rows_N3B: np.ndarray
) -> None:
    """Place atom after atom, as `foldpix.geometry.place_atom` does, LANES members side by side."""
    w, rows, turns = np.empty(14 * LANES, dtype=rows_N3B.dtype), rows_N3B.ravel(), turns_T2B.ravel()
    for g in range(len(frame_G4)):
        a, b, c, d = frame_G4[g, 0], frame_G4[g, 1], frame_G4[g, 2], frame_G4[g, 3]
        back, side, cosine, sine = bond_G4[g, 0], bond_G4[g, 1], bond_G4[g, 2], bond_G4[g, 3]
        for k in range(3 * LANES):
            w[_A + k] = rows[3 * LANES * a + k]
        for k in range(3 * LANES):
            w[_B + k] = rows[3 * LANES * b + k]
        for k in range(3 * LANES):
            w[_C + k] = rows[3 * LANES * c + k]
        for k in range(2 * LANES):
            w[_TURN + k] = turns[2 * LANES * chi_G[g] + k]
        for k in range(LANES):
            bx, by, bz = w[_B + _X + k], w[_B + _Y + k], w[_B + _Z + k]
            ux, uy, uz = w[_C + _X + k] - bx, w[_C + _Y + k] - by, w[_C + _Z + k] - bz
            vx, vy, vz = bx - w[_A + _X + k], by - w[_A + _Y + k], bz - w[_A + _Z + k]
            nx, ny, nz = vy * uz - vz * uy, vz * ux - vx * uz, vx * uy - vy * ux
            length = np.sqrt(ux * ux + uy * uy + uz * uz)
            normal = np.sqrt(nx * nx + ny * ny + nz * nz)
            cos_chi, sin_chi = w[_TURN + k], w[_TURN + LANES + k]
            # n x u lies across the bond and is as long as n and u together.
            along, up = back / length, side * (sine * cos_chi + cosine * sin_chi) / normal
            across = side * (cosine * cos_chi - sine * sin_chi) / (normal * length)
            w[_D + _X + k] = w[_C + _X + k] + along * ux + across * (ny * uz - nz * uy) + up * nx
            w[_D + _Y + k] = w[_C + _Y + k] + along * uy + across * (nz * ux - nx * uz) + up * ny
            w[_D + _Z + k] = w[_C + _Z + k] + along * uz + across * (nx * uy - ny * ux) + up * nz
        for k in range(3 * LANES):
            rows[3 * LANES * d + k] = w[_D + k]
