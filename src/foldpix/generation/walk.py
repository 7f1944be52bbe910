"""Torsions to atoms, compiled: `foldpix.geometry.build_backbone` with O and CB, for many chains at speed."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.turns import cos_sin
from foldpix.geometry import IDEAL_RESIDUE
from foldpix.geometry.nerf import C_N, C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA, N_CA_C
from foldpix.structure.oxygen import C_O, CA_C_O

#: The atoms of each residue, in order.
WALK_ATOMS = ("N", "CA", "C", "O", "CB")

#: Members that walk side by side: their numbers fill a few of the processor's vectors and stay in its cache.
LANES = 64
#: Residues that are put into the batch together: the chains of a batch lie far apart in memory.
RESIDUES = 8


def walk(torsions: np.ndarray, is_d: np.ndarray, out: np.ndarray) -> None:
    """Build the chains of a batch.

    Parameters
    ----------
    torsions : ndarray, shape=(B, L, 3)
        phi, psi, omega of each residue in radian; omega is that of the bond to the next residue. The first
        phi and the last omega are not used; the last psi turns the last O.
    is_d : ndarray of bool, shape=(L,)
        Residues whose CB stands on the other side.
    out : ndarray, dtype=float32 or float64, shape=(B, L, 5, 3), C-contiguous
        Takes N, CA, C, O, CB in angstrom: the first N at the origin, its CA on the x axis, C above that in
        the xy plane. CB is the virtual one, for glycine too.
    """
    peptide = Peptide._make(map(out.dtype.type, PEPTIDE))
    hand = np.where(is_d, -1, 1).astype(out.dtype)
    flat = out.reshape(len(out), 15 * out.shape[1])
    length = out.shape[1]
    angles_L3B = np.zeros((length, 3, LANES), dtype=out.dtype)
    turns = np.empty((3 * length, 2, LANES), dtype=out.dtype)
    for first in range(0, len(out), LANES):
        part_L3B = torsions[first : first + LANES].transpose(1, 2, 0)
        angles_L3B[..., : part_L3B.shape[-1]] = part_L3B
        cos_sin(angles_L3B.reshape(3 * length, LANES), turns.reshape(3 * length, 2, LANES))
        _walk(turns.reshape(-1), hand, peptide, flat[first : first + LANES])


class Peptide(NamedTuple):
    """Ideal geometry: of each bond the length, and minus cosine and sine of the angle before it; O and CB."""

    c_n: Any
    c_n_back: Any
    c_n_side: Any
    n_ca: Any
    n_ca_back: Any
    n_ca_side: Any
    ca_c: Any
    ca_c_back: Any
    ca_c_side: Any
    o_u: Any
    o_e: Any
    cb_u: Any
    cb_a: Any
    cb_n: Any
    half: Any
    three_halves: Any


def _bend(angle: float) -> tuple[float, float]:
    return -math.cos(angle), math.sin(angle)


def _cb_offset() -> tuple[float, float, float]:
    """CB - CA along u, a and n of the bond CA-C (see `_walk`)."""
    n, ca, c = IDEAL_RESIDUE  # CB is the origin
    along = (c - ca) / np.linalg.norm(c - ca)
    normal = np.cross(ca - n, along)
    normal /= np.linalg.norm(normal)
    return float(-ca @ along), float(-ca @ np.cross(normal, along)), float(-ca @ normal)


PEPTIDE = Peptide._make(
    (
        *(C_N, *_bend(CA_C_N)),
        *(N_CA, *_bend(C_N_CA)),
        *(CA_C, *_bend(N_CA_C)),
        *(C_O * part for part in _bend(CA_C_O)),
        *_cb_offset(),
        *(0.5, 1.5),
    )
)

# One array for all rows of LANES numbers, at places known to the compiler: only then does it see that no row
# lies over another, and takes many lanes at a time.
_N, _CA, _C, _O, _CB = range(0, 15 * LANES, 3 * LANES)
_U, _NORMAL = 15 * LANES, 18 * LANES
_PSI, _OMEGA, _PHI = range(21 * LANES, 27 * LANES, 2 * LANES)
_NUM_ROWS = 27


@njit(cache=True, fastmath={"contract", "nsz"})
def _walk(turns: np.ndarray, hand: np.ndarray, peptide: Peptide, out: np.ndarray) -> None:
    """One residue after the other, LANES members side by side; `turns`, flat, are (L, 3, 2, LANES).

    The frame of a bond is its direction u, the normal n of the plane that it spans with the bond before, and
    a = n x u. To turn by a torsion gives e = a cos + n sin and n' = n cos - a sin; to bend by an angle t then
    gives u' = -u cos t + e sin t.
    """
    rows = np.zeros(_NUM_ROWS * LANES, dtype=out.dtype)
    done = np.empty(RESIDUES * _U, dtype=out.dtype)
    for i in range(len(hand)):
        own = turns[6 * LANES * i : 6 * LANES * (i + 1)]
        _copy(own[: 2 * LANES], rows[_PHI:])
        if i == 0:
            _first_residue(peptide, rows)
        else:
            _next_residue(peptide, rows)
        _copy(own[2 * LANES :], rows[_PSI:_PHI])
        _o_and_cb(hand[i] * peptide.cb_n, peptide, rows)
        place = i % RESIDUES * _U
        _copy(rows[:_U], done[place : place + _U])
        if (i + 1) % RESIDUES == 0 or i + 1 == len(hand):
            _hand_out(done, i // RESIDUES * RESIDUES, i + 1, out)


@njit(cache=True)
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    """As ``target[:] = source``, which compiles to something slower."""
    for k in range(len(target)):
        target[k] = source[k]


@njit(cache=True)
def _hand_out(done: np.ndarray, first: int, end: int, out: np.ndarray) -> None:
    for b in range(len(out)):
        _copy(done[b::LANES], out[b, 15 * first : 15 * end])


@njit(cache=True, fastmath={"contract", "nsz"})
def _first_residue(peptide: Peptide, rows: np.ndarray) -> None:
    for b in range(LANES):
        zero, one = peptide.half - peptide.half, peptide.half + peptide.half
        u = (peptide.ca_c_back, peptide.ca_c_side, zero)
        ca = (peptide.n_ca, zero, zero)
        _put(rows, _CA + b, ca)
        _put(rows, _C + b, _step(ca, peptide.ca_c, u))
        _put(rows, _U + b, u)
        _put(rows, _NORMAL + b, (zero, zero, one))


@njit(cache=True, fastmath={"contract", "nsz"})
def _next_residue(peptide: Peptide, rows: np.ndarray) -> None:
    """N by psi and CA by omega of the residue before, C by the own phi."""
    for b in range(LANES):
        u, n = _take(rows, _U + b), _take(rows, _NORMAL + b)
        u, n = _turn(u, n, rows[_PSI + b], rows[_PSI + LANES + b], peptide.c_n_back, peptide.c_n_side)
        place = _step(_take(rows, _C + b), peptide.c_n, u)
        _put(rows, _N + b, place)
        u, n = _turn(u, n, rows[_OMEGA + b], rows[_OMEGA + LANES + b], peptide.n_ca_back, peptide.n_ca_side)
        place = _step(place, peptide.n_ca, u)
        _put(rows, _CA + b, place)
        u, n = _turn(u, n, rows[_PHI + b], rows[_PHI + LANES + b], peptide.ca_c_back, peptide.ca_c_side)
        _put(rows, _C + b, _step(place, peptide.ca_c, u))
        # A step of Newton's method keeps both vectors at length 1, whatever was rounded on the way.
        _put(rows, _U + b, _scaled(u, peptide.three_halves - peptide.half * _dot(u, u)))
        _put(rows, _NORMAL + b, _scaled(n, peptide.three_halves - peptide.half * _dot(n, n)))


@njit(cache=True, fastmath={"contract", "nsz"})
def _o_and_cb(cb_n: float, peptide: Peptide, rows: np.ndarray) -> None:
    """O in the plane of the next N, on the other side: at psi + 180 degrees."""
    for b in range(LANES):
        u, n = _take(rows, _U + b), _take(rows, _NORMAL + b)
        a = _cross(n, u)
        e = _step(_scaled(a, rows[_PSI + b]), rows[_PSI + LANES + b], n)
        _put(rows, _O + b, _step(_step(_take(rows, _C + b), peptide.o_u, u), -peptide.o_e, e))
        cb = _step(_step(_take(rows, _CA + b), peptide.cb_u, u), peptide.cb_a, a)
        _put(rows, _CB + b, _step(cb, cb_n, n))


@njit(cache=True, fastmath={"contract", "nsz"})
def _turn(u: tuple, n: tuple, cos: float, sin: float, back: float, side: float) -> tuple[tuple, tuple]:
    """u and n of the next bond."""
    a = _cross(n, u)
    e = _step(_scaled(a, cos), sin, n)
    return _step(_scaled(u, back), side, e), _step(_scaled(n, cos), -sin, a)


@njit(cache=True, fastmath={"contract", "nsz"})
def _take(rows: np.ndarray, at: int) -> tuple:
    return rows[at], rows[at + LANES], rows[at + 2 * LANES]


@njit(cache=True, fastmath={"contract", "nsz"})
def _put(rows: np.ndarray, at: int, vector: tuple) -> None:
    rows[at], rows[at + LANES], rows[at + 2 * LANES] = vector


@njit(cache=True, fastmath={"contract", "nsz"})
def _step(start: tuple, length: float, along: tuple) -> tuple:
    return start[0] + length * along[0], start[1] + length * along[1], start[2] + length * along[2]


@njit(cache=True, fastmath={"contract", "nsz"})
def _scaled(a: tuple, factor: float) -> tuple:
    return a[0] * factor, a[1] * factor, a[2] * factor


@njit(cache=True, fastmath={"contract", "nsz"})
def _dot(a: tuple, b: tuple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, fastmath={"contract", "nsz"})
def _cross(a: tuple, b: tuple) -> tuple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
