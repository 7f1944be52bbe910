"""Chains grown residue by residue inside a ball, compiled: where the next does not fit, an earlier one is redrawn.

The frame of a residue is CA with three axes: u along the bond N-CA, n across the plane of that bond and the one
before, and a = n x u. What a residue adds (a unit: its own C, O and CB and the next N and CA) is fixed in that
frame by its torsions, so a change of torsions moves nothing but which unit follows which.
"""

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.clashes import residue_limits
from foldpix.generation.walk import PEPTIDE, Peptide

#: Standard normal numbers are cut off here, as those of all drawn torsions.
CUTOFF = 2.5
#: Units keep this much more distance than clashes ask for, angstrom: rounded torsions must not bring them back.
MARGIN = 0.02
#: What does not fit counts as a clash with one of the last few residues if that is nearer along the chain.
LOCAL = 6
#: The number of flexible residues to go back is u ** -BACK, u even in (0, 1): mostly one, seldom far.
BACK = 0.3
#: Share of steps back that count all residues, not the flexible ones only.
ANY_RESIDUE = 0.05
#: Torsions tried at a time; the first is taken that leads the residues ahead into the ball and past the others.
TRIES = 16
#: Of the residues ahead every so many are looked at; their CA keep this distance from earlier ones, angstrom.
STRIDE, CA_DISTANCE = 2, 3.8
#: Redrawn residues until a chain is grown on without regard to ball and clashes, per residue.
MAX_MOVES = 100

# A unit holds atoms by residue: C, O, CB of one and N, CA of the next.
_UNIT = ((2, 0), (3, 0), (4, 0), (0, 1), (1, 1))
_NUM_APART, _LANES = 4, 8
# Units whose C are further apart are not in contact: CA and CB stand up to 2.55 A off, 3 A from each other.
_REACH_SQUARED = np.float32(8.1**2)
_FITS, _OUTSIDE = -1, -2
_ABSENT = 1e6


class Chains(NamedTuple):
    """Chains to grow; M is 1 or B.

    Parameters
    ----------
    torsions : ndarray, dtype=float64, shape=(B, L, 3)
        Taken as they are where they fit, else changed.
    rows : ndarray, dtype=int32, shape=(M, L)
        The law of each residue.
    lengths : ndarray, dtype=int64, shape=(B,)
    hand : ndarray, dtype=float64, shape=(L,)
        1, or -1 of D-residues.
    has_cb, flexible : ndarray of bool, shape=(B, L)
    ahead : ndarray, dtype=int64, shape=(B, L)
        The residue up to which to look when this one is redrawn.
    radius : ndarray, dtype=float64, shape=(B,)
        Of the ball, angstrom.
    states : ndarray, dtype=uint64, shape=(B,)
        Of the generators of random numbers.
    """

    torsions: Any
    rows: Any
    lengths: Any
    hand: Any
    has_cb: Any
    flexible: Any
    ahead: Any
    radius: Any
    states: Any


class Mixtures(NamedTuple):
    """The tables of :class:`foldpix.generation.laws.TorsionLaws`."""

    cumulative: Any
    mean: Any
    spread: Any


class _Tables(NamedTuple):
    limits: Any
    quantiles: Any
    peptide: Any


class _Space(NamedTuple):
    """What is known of the chain that grows.

    Attributes
    ----------
    units : (L + 1, 3, 8) float32
        x, y, z of the atoms of the unit before each residue; the last 3 places are empty.
    carbons, alphas : (3, L + 1) float32
        C and CA of the units.
    frames : (L + 1, 4, 3)
        CA, u, a, n of each residue.
    local : (L, 8, 3)
        C, O, CB, N, and the next frame CA, u, a, n, in the frame of each residue.
    path : (L + 1, 4, 3)
        Frames ahead, in the frame behind a residue.
    """

    units: Any
    carbons: Any
    alphas: Any
    frames: Any
    local: Any
    path: Any
    squared: Any
    near: Any


def grow(chains: Chains, laws: Mixtures, growth: float) -> np.ndarray:
    """Change torsions until no atoms clash and all CA lie in the ball, which widens by a factor with each move.

    Returns
    -------
    ndarray, dtype=int64, shape=(B,)
        How many times a residue was redrawn.
    """
    moves = np.empty(len(chains.lengths), dtype=np.int64)
    _grow_all(chains, laws, _TABLES, growth, moves)
    return moves


def _limits_squared() -> np.ndarray:
    """Squares of the least distances of the atoms of units 1, 2, 3 and more apart: float32 (4, 5, 8)."""
    limits, table = residue_limits(), np.zeros((_NUM_APART, 5, _LANES))
    for apart in range(_NUM_APART):
        for a, (later, shift) in enumerate(_UNIT):
            for b, (earlier, before) in enumerate(_UNIT):
                residues = apart + 1 + shift - before
                if residues > 0:
                    table[apart, a, b] = limits[min(residues, len(limits)) - 1, earlier, later]
    table[table > 0.0] += MARGIN
    return np.square(table).astype(np.float32)


def _quantiles() -> np.ndarray:
    """Standard normal numbers at 0, 1/1024, ... 1 of their distribution, cut off."""
    inner = [NormalDist().inv_cdf(k / 1024) for k in range(1, 1024)]
    return np.clip([-CUTOFF, *inner, CUTOFF], -CUTOFF, CUTOFF)


_TABLES = _Tables(_limits_squared(), _quantiles(), Peptide(*map(float, PEPTIDE)))


@njit(cache=True)
def _grow_all(chains: Chains, laws: Mixtures, tables: _Tables, growth: float, moves: np.ndarray) -> None:
    length = chains.torsions.shape[1]
    space = _Space(
        np.full((length + 1, 3, _LANES), np.float32(_ABSENT)),
        np.empty((3, length + 1), dtype=np.float32),
        np.empty((3, length + 1), dtype=np.float32),
        np.empty((length + 1, 4, 3)),
        np.empty((length, 8, 3)),
        np.empty((length + 1, 4, 3)),
        np.empty(length + 1, dtype=np.float32),
        np.empty(length + 1, dtype=np.int64),
    )
    for b in range(len(moves)):
        moves[b] = _grow(b, chains, laws, tables, growth, space)


@njit(cache=True)
def _grow(b: int, chains: Chains, laws: Mixtures, tables: _Tables, growth: float, space: _Space) -> int:
    num, ahead, state = chains.lengths[b], chains.ahead[b], chains.states[b : b + 1]
    row = min(b, len(chains.rows) - 1)
    for k in range(num):
        _bend(k, chains.torsions[b], chains.hand[k], tables.peptide, space.local)
    radius = _roomy(num, ahead, chains.radius[b], space)
    _start(radius, tables.peptide, state, space)
    i, moves = 0, 0
    while i < num:
        _place(i, chains.has_cb[b, i], space)
        blocker = _blocker(i + 1, radius, tables.limits, space)
        if blocker == _FITS or moves == MAX_MOVES * num:
            i += 1
            continue
        moves, radius = moves + 1, radius * growth
        i = _step_back(i, blocker, chains.flexible[b], state)
        if i < 0:
            i = 0
            _start(radius, tables.peptide, state, space)
        num_ahead = _look_ahead(i, ahead[i], space)
        for _ in range(TRIES):
            _draw(chains.torsions[b], i, chains.rows[row, i], laws, tables.quantiles, state)
            _bend(i, chains.torsions[b], chains.hand[i], tables.peptide, space.local)
            if _leads_on(i, num_ahead, radius, space):
                break
    return moves


@njit(cache=True)
def _roomy(num: int, ahead: np.ndarray, radius: float, space: _Space) -> float:
    """A radius with room for the longest helix or strand."""
    path = space.path
    for i in range(num):
        if i == 0 or ahead[i] != ahead[i - 1]:
            k = _look_ahead(i, ahead[i], space) - 1
            radius = max(
                radius, 0.55 * math.sqrt(path[k, 0, 0] ** 2 + path[k, 0, 1] ** 2 + path[k, 0, 2] ** 2)
            )
    return radius


@njit(cache=True)
def _start(radius: float, peptide: Peptide, state: np.ndarray, space: _Space) -> None:
    """The first N and CA: anywhere in the ball, in any direction."""
    frames, units = space.frames, space.units
    x, y, z = _in_unit_ball(state)
    ux, uy, uz = _direction(1.0, 0.0, 0.0, 0.0, state)
    nx, ny, nz = _direction(ux, uy, uz, 1.0, state)
    if radius == math.inf:
        radius = 0.0
    frames[0, 0] = np.array([x, y, z]) * radius
    frames[0, 1] = np.array([ux, uy, uz])
    frames[0, 2] = np.array([ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux])
    frames[0, 3] = np.array([nx, ny, nz])
    for axis in range(3):
        n = frames[0, 0, axis] - peptide.n_ca * frames[0, 1, axis]
        units[0, axis, :3], units[0, axis, 3], units[0, axis, 4] = _ABSENT, n, frames[0, 0, axis]
        space.carbons[axis, 0], space.alphas[axis, 0] = n, frames[0, 0, axis]


@njit(cache=True)
def _in_unit_ball(state: np.ndarray) -> tuple[float, float, float]:
    while True:
        x, y, z = 2.0 * _uniform(state) - 1.0, 2.0 * _uniform(state) - 1.0, 2.0 * _uniform(state) - 1.0
        if x * x + y * y + z * z < 1.0:
            return x, y, z


@njit(cache=True)
def _direction(x: float, y: float, z: float, across: float, state: np.ndarray) -> tuple[float, float, float]:
    """A random unit vector: any one if ``across`` is 0, of those across the given one if it is 1."""
    while True:
        rx, ry, rz = _in_unit_ball(state)
        along = across * (rx * x + ry * y + rz * z)
        rx, ry, rz = rx - along * x, ry - along * y, rz - along * z
        size = math.sqrt(rx * rx + ry * ry + rz * rz)
        if size > 0.1:
            return rx / size, ry / size, rz / size


@njit(cache=True)
def _place(i: int, has_cb: bool, space: _Space) -> None:
    """The unit and the frame that follow residue i."""
    frames, local, units = space.frames, space.local, space.units
    for atom in range(5):
        x, y, z = _through(frames, i, 0, local[i, atom, 0], local[i, atom, 1], local[i, atom, 2])
        units[i + 1, 0, atom], units[i + 1, 1, atom], units[i + 1, 2, atom] = x, y, z
    frames[i + 1, 0, 0], frames[i + 1, 0, 1], frames[i + 1, 0, 2] = x, y, z
    _turn_axes(frames, i, local, i, 5, frames, i + 1)
    for axis in range(3):
        space.carbons[axis, i + 1], space.alphas[axis, i + 1] = units[i + 1, axis, 0], units[i + 1, axis, 4]
    if not has_cb:
        units[i + 1, 0, 2] = _ABSENT * (i + 2)


@njit(cache=True)
def _through(frames: np.ndarray, i: int, k: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    """The point that is x, y, z in the frame of rows k to k + 3 of frames[i]."""
    return (
        frames[i, k, 0] + x * frames[i, k + 1, 0] + y * frames[i, k + 2, 0] + z * frames[i, k + 3, 0],
        frames[i, k, 1] + x * frames[i, k + 1, 1] + y * frames[i, k + 2, 1] + z * frames[i, k + 3, 1],
        frames[i, k, 2] + x * frames[i, k + 1, 2] + y * frames[i, k + 2, 2] + z * frames[i, k + 3, 2],
    )


@njit(cache=True)
def _turn_axes(
    frames: np.ndarray, i: int, local: np.ndarray, j: int, k: int, out: np.ndarray, o: int
) -> None:
    """Axes of out[o]: rows k to k + 2 of local[j], which are given in the frame frames[i]."""
    for row in range(3):
        x, y, z = local[j, k + row, 0], local[j, k + row, 1], local[j, k + row, 2]
        for axis in range(3):
            out[o, 1 + row, axis] = x * frames[i, 1, axis] + y * frames[i, 2, axis] + z * frames[i, 3, axis]


@njit(cache=True)
def _blocker(unit: int, radius: float, limits: np.ndarray, space: _Space) -> int:
    """An earlier unit that clashes with this one, or whether it lies outside or fits."""
    frames, carbons, squared, near = space.frames, space.carbons, space.squared, space.near
    if frames[unit, 0, 0] ** 2 + frames[unit, 0, 1] ** 2 + frames[unit, 0, 2] ** 2 > radius * radius:
        return _OUTSIDE
    x, y, z = carbons[0, unit], carbons[1, unit], carbons[2, unit]
    for j in range(unit):
        dx, dy, dz = carbons[0, j] - x, carbons[1, j] - y, carbons[2, j] - z
        squared[j] = dx * dx + dy * dy + dz * dz
    found = 0
    for j in range(unit):
        near[found] = j
        found += squared[j] < _REACH_SQUARED
    for k in range(found):
        if _collide(unit, near[k], limits, space.units):
            return near[k]
    return _FITS


@njit(cache=True)
def _collide(unit: int, earlier: int, limits: np.ndarray, units: np.ndarray) -> bool:
    apart = min(unit - earlier, _NUM_APART) - 1
    hit = False
    for a in range(5):
        x, y, z = units[unit, 0, a], units[unit, 1, a], units[unit, 2, a]
        for b in range(_LANES):
            dx, dy, dz = units[earlier, 0, b] - x, units[earlier, 1, b] - y, units[earlier, 2, b] - z
            hit |= dx * dx + dy * dy + dz * dz < limits[apart, a, b]
    return hit


@njit(cache=True)
def _step_back(i: int, blocker: int, flexible: np.ndarray, state: np.ndarray) -> int:
    """The residue to redraw so that residue i may fit; -1 for a new start."""
    if blocker >= 0 and i - blocker < LOCAL:
        return blocker + int((i + 1 - blocker) * _uniform(state))
    steps, any_residue = int(_uniform(state) ** -BACK), _uniform(state) < ANY_RESIDUE
    while i >= 0:
        if any_residue or flexible[i]:
            steps -= 1
        if steps == 0:
            break
        i -= 1
    return i


@njit(cache=True)
def _look_ahead(i: int, end: int, space: _Space) -> int:
    """Frames of the residues after i up to that after `end`, in the frame of the first of them; how many."""
    path, local = space.path, space.local
    path[0] = 0.0
    path[0, 1, 0] = path[0, 2, 1] = path[0, 3, 2] = 1.0
    for k in range(end - i):
        j = i + 1 + k
        path[k + 1, 0, 0], path[k + 1, 0, 1], path[k + 1, 0, 2] = _through(
            path, k, 0, local[j, 4, 0], local[j, 4, 1], local[j, 4, 2]
        )
        _turn_axes(path, k, local, j, 5, path, k + 1)
    return end - i + 1


@njit(cache=True)
def _leads_on(i: int, num_ahead: int, radius: float, space: _Space) -> bool:
    """Whether the CA ahead lie in the ball and apart from those before residue i."""
    path, alphas = space.path, space.alphas
    for k in range(num_ahead - 1, -1, -STRIDE):
        x, y, z = _through(space.local, i, 4, path[k, 0, 0], path[k, 0, 1], path[k, 0, 2])
        x, y, z = _through(space.frames, i, 0, x, y, z)
        if x * x + y * y + z * z > radius * radius:
            return False
        x, y, z, near = np.float32(x), np.float32(y), np.float32(z), False
        for j in range(i - 1):
            dx, dy, dz = alphas[0, j] - x, alphas[1, j] - y, alphas[2, j] - z
            near |= dx * dx + dy * dy + dz * dz < np.float32(CA_DISTANCE * CA_DISTANCE)
        if near:
            return False
    return True


@njit(cache=True)
def _bend(i: int, torsions: np.ndarray, hand: float, peptide: Peptide, local: np.ndarray) -> None:
    """What residue i adds, in its own frame."""
    cos_psi, sin_psi = math.cos(torsions[i, 1]), math.sin(torsions[i, 1])
    u, a, n = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    cos, sin = math.cos(torsions[i, 0]), math.sin(torsions[i, 0])
    u, a, n = _turn(u, a, n, cos, sin, peptide.ca_c_back, peptide.ca_c_side)
    v, b, m = _turn(u, a, n, cos_psi, sin_psi, peptide.c_n_back, peptide.c_n_side)
    cos, sin = math.cos(torsions[i, 2]), math.sin(torsions[i, 2])
    w, c, o = _turn(v, b, m, cos, sin, peptide.n_ca_back, peptide.n_ca_side)
    for k in range(3):
        at_c = peptide.ca_c * u[k]
        at_n = at_c + peptide.c_n * v[k]
        local[i, 0, k] = at_c
        local[i, 1, k] = at_c + peptide.o_u * u[k] - peptide.o_e * (a[k] * cos_psi + n[k] * sin_psi)
        local[i, 2, k] = peptide.cb_u * u[k] + peptide.cb_a * a[k] + hand * peptide.cb_n * n[k]
        local[i, 3, k], local[i, 4, k] = at_n, at_n + peptide.n_ca * w[k]
        local[i, 5, k], local[i, 6, k], local[i, 7, k] = w[k], c[k], o[k]


@njit(cache=True)
def _turn(u: tuple, a: tuple, n: tuple, cos: float, sin: float, back: float, side: float) -> tuple:
    """The axes of the next bond: turned about u, then bent."""
    e = (a[0] * cos + n[0] * sin, a[1] * cos + n[1] * sin, a[2] * cos + n[2] * sin)
    return (
        (u[0] * back + e[0] * side, u[1] * back + e[1] * side, u[2] * back + e[2] * side),
        (e[0] * back - u[0] * side, e[1] * back - u[1] * side, e[2] * back - u[2] * side),
        (n[0] * cos - a[0] * sin, n[1] * cos - a[1] * sin, n[2] * cos - a[2] * sin),
    )


@njit(cache=True)
def _draw(
    torsions: np.ndarray, i: int, law: int, laws: Mixtures, quantiles: np.ndarray, state: np.ndarray
) -> None:
    """Torsions of residue i from its law: a component, then phi, psi and omega."""
    u, k, word = _uniform(state), 0, _next(state)
    while u > laws.cumulative[law, k]:
        k += 1
    z1, z2, z3 = (
        _normal(word, quantiles),
        _normal(word >> np.uint64(21), quantiles),
        _normal(word >> np.uint64(42), quantiles),
    )
    mean, spread = laws.mean, laws.spread
    torsions[i, 0] = mean[law, k, 0] + spread[law, k, 0] * z1
    torsions[i, 1] = mean[law, k, 1] + spread[law, k, 1] * z1 + spread[law, k, 2] * z2
    torsions[i, 2] = mean[law, k, 2] + spread[law, k, 3] * z3


@njit(cache=True)
def _normal(word: int, quantiles: np.ndarray) -> float:
    """A standard normal number from the lowest 21 bits."""
    bits = np.int64(word & np.uint64(0x1FFFFF))
    k, rest = bits >> 11, float(bits & 0x7FF) / 0x800
    return quantiles[k] + rest * (quantiles[k + 1] - quantiles[k])


@njit(cache=True)
def _uniform(state: np.ndarray) -> float:
    """In (0, 1)."""
    return (float(np.int64(_next(state) >> np.uint64(11))) + 0.5) * 2.0**-53


@njit(cache=True)
def _next(state: np.ndarray) -> int:
    """64 random bits: SplitMix64 (Steele, Lea & Flood, Fast splittable pseudorandom number generators, 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
