"""What a conformation is called: names of ideal ones, names of drawn ones, letters of residues."""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from foldpix.generation.turns import GREATEST

#: phi and psi in degrees of the ideal conformations, and the letter of their residues; omega is 180.
#: alpha, beta, ppii, extended, curved as synth-pdb has them; 3-10 and pi helix: IUPAC-IUB (1970).
IDEAL = {
    "alpha": (-57.0, -47.0, "H"),
    "beta": (-135.0, 135.0, "E"),
    "ppii": (-75.0, 145.0, "P"),
    "polyproline": (-75.0, 145.0, "P"),
    "extended": (-120.0, 120.0, "E"),
    "curved": (-80.0, -20.0, "T"),
    "helix_310": (-49.0, -26.0, "G"),
    "pi": (-57.0, -70.0, "I"),
    "alpha_left": (57.0, 47.0, "L"),
}

#: Every residue drawn as coil; segments of helix, strand, turn and coil drawn anew for each member.
DRAWN = ("random", "domain")

#: Alpha helix, strand, 3-10 helix, pi helix, polyproline II, left-handed, turn, coil.
LETTERS = "HEGIPLTC"

#: The ring of proline allows no phi outside this; ideal conformations that ask for another get PROLINE_PHI.
PROLINE_RANGE, PROLINE_PHI = (-90.0, -45.0), -65.0


def residue_letters(conformation: str, lengths: Sequence[int]) -> str:
    """Letters of all residues, without the colons between chains and with C for -.

    Parameters
    ----------
    conformation : str
        A letter a residue, in one piece or parted by a colon where a chain ends.
    lengths : sequence of int
        Residues of each chain.

    Raises
    ------
    ValueError
        If a letter is unknown, or their number is not that of the residues.
    """
    letters = conformation.replace("-", "C") if isinstance(conformation, str) else "?"
    if set(letters) - set(LETTERS + ":"):
        raise ValueError(f"unknown conformation {conformation!r}; {_forms(lengths)}")
    if ":" in letters and [len(chain) for chain in letters.split(":")] != list(lengths):
        found = [len(chain) for chain in letters.split(":")]
        raise ValueError(f"conformation {conformation!r} has chains of {found} letters, not {list(lengths)}")
    letters = letters.replace(":", "")
    if len(letters) != sum(lengths):
        raise ValueError(
            f"conformation {conformation!r} has {len(letters)} letters; {sum(lengths)} residues need one each"
        )
    return letters


def is_list_of_names(conformation: object) -> bool:
    """Whether it names a conformation for each member, rather than giving torsions."""
    if isinstance(conformation, np.ndarray):
        return conformation.dtype.kind in "UO"
    return isinstance(conformation, list | tuple) and any(isinstance(one, str) for one in conformation)


def given_torsions(conformation: object, lengths: Sequence[int], num_members: int) -> np.ndarray:
    """Torsions given as numbers: ndarray, dtype=float64, shape=(1 or B, L, 3).

    Raises
    ------
    ValueError
        If they are no numbers, not finite, too large, or of another shape.
    """
    try:
        torsions = np.asarray(conformation, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"unknown conformation {conformation!r}; {_forms(lengths)}") from None
    shape = (sum(lengths), 3)
    if torsions.ndim == 0:
        raise ValueError(f"unknown conformation {conformation!r}; {_forms(lengths)}")
    if torsions.shape not in (shape, (num_members, *shape)):
        raise ValueError(
            f"torsions have shape {torsions.shape}; they must be {shape} or {(num_members, *shape)} in radian"
        )
    if not np.isfinite(torsions).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(torsions))[0])
        raise ValueError(f"torsion {torsions[where]} at {where}; all must be finite, in radian")
    greatest = np.abs(torsions).max()
    if greatest > GREATEST:
        raise ValueError(f"a torsion of {greatest:g} radian; take full turns away, to {GREATEST:g} or less")
    return torsions.reshape(-1, *shape)


def label_torsions(torsions_BL3: np.ndarray) -> list[str]:
    """The letter of the basin in which each residue's phi and psi lie; a string for each member.

    Parameters
    ----------
    torsions_BL3 : ndarray
        phi, psi, omega in radian.
    """
    letters_BL = np.empty(torsions_BL3.shape[:2], dtype=np.uint8)
    _look_up(torsions_BL3, _BASINS, letters_BL)
    return strings(letters_BL)


def strings(letters_BL: np.ndarray) -> list[str]:
    """ASCII codes, dtype=uint8, as one string a row."""
    text, length = letters_BL.tobytes().decode("ascii"), letters_BL.shape[1]
    return [text[k * length : (k + 1) * length] for k in range(len(letters_BL))]


def _basins() -> np.ndarray:
    """Letter (ASCII) of each cell of ten degrees, from 0 to 360: shape=(36 of phi, 36 of psi)."""
    degrees = (np.arange(5, 365, 10) + 180) % 360 - 180
    phi, psi = np.meshgrid(degrees, degrees, indexing="ij")
    extended = (phi < 0) & ((psi > 80) | (psi < -150))
    letters = np.full(phi.shape, ord("C"), dtype=np.uint8)
    letters[(phi > -110) & (phi < -30) & (psi > -80) & (psi < 0)] = ord("H")
    letters[(phi > 30) & (phi < 100) & (psi > -20) & (psi < 90)] = ord("L")
    letters[extended & (phi < -100)] = ord("E")
    letters[extended & (phi > -100) & (phi < -30)] = ord("P")
    return letters


_BASINS = _basins()


@njit(cache=True)
def _look_up(torsions_BL3: np.ndarray, basins: np.ndarray, out_BL: np.ndarray) -> None:
    for b in range(out_BL.shape[0]):
        for i in range(out_BL.shape[1]):
            phi, psi = torsions_BL3[b, i, 0], torsions_BL3[b, i, 1]
            out_BL[b, i] = basins[
                math.floor(phi * (18.0 / math.pi)) % 36, math.floor(psi * (18.0 / math.pi)) % 36
            ]


def _forms(lengths: Sequence[int]) -> str:
    return (
        f"use one of {', '.join([*IDEAL, *DRAWN])}, a string of {sum(lengths)} letters of {LETTERS} or -, "
        "a list with one of these for each member, or torsions (L, 3) or (B, L, 3) in radian"
    )
