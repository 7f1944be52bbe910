"""Chains grown without clashes and made compact, compiled.

Where a residue does not fit, an earlier one is redrawn, and the chain grows on from there. A chain that has
grown is made compact by pivots: a residue is redrawn, which turns all that follows it.

A call counts references to its arrays, which can cost more than the work: so arrays are handed on one by one,
not in tuples, and the smallest functions are inlined.
"""

import math

import numpy as np
from numba import njit
from numpy import ndarray

from foldpix.generation.units import Chains, Space, Tables
from foldpix.generation.walk import Peptide

#: What clashes with a unit nearer than this along the chain is made to fit by any residue between.
LOCAL = 6
#: Else so many flexible residues are stepped back: u ** -BACK, u even in (0, 1), mostly one and seldom many.
BACK = 0.3
#: Share of steps back and of pivots that count all residues, not the flexible ones only.
ANY_RESIDUE = 0.05
#: Torsions tried at a time, until some lead the residues ahead into the ball and past the others.
TRIES = 16
#: Of the residues ahead every so many are looked at.
STRIDE = 2
#: The factor by which the ball widens with each redrawn residue.
WIDENING = 1.0005
#: For each residue of a chain: how many are redrawn until it grows on without regard to ball and clashes, and
#: how many pivots are tried.
MAX_REDRAWN, PIVOTS = 100, 130

# CA that are nearer are not looked at more closely: the atoms around them clash. Squared, angstrom.
_CA_SQUARED = np.float32(3.8**2)
# Units whose C are further apart are not in contact: CA and CB stand up to 2.55 A off, 3 A from each other.
_REACH_SQUARED = np.float32(8.1**2)
# Where atoms are that are not there, angstrom.
_ABSENT = 1e6
_FITS, _OUTSIDE = -1, -2
# The kinds of frames, and the rows of atoms, of a Space.
_OWN, _AHEAD, _NEXT, _ATOMS = range(4)
_C, _O, _CB, _N, _CA, _SQUARES = range(6)


@njit(cache=True)
def grow(chains: Chains, tables: Tables, space: Space, moves: ndarray) -> None:
    """Change torsions until nothing clashes and chains with a ball are compact; counts residues redrawn."""
    for b in range(len(moves)):
        moves[b] = _grow(b, chains, tables, space)
        if chains.ball[b] < math.inf:
            moves[b] += _compact(b, chains, tables, space)


@njit(cache=True)
def _grow(b: int, chains: Chains, tables: Tables, space: Space) -> int:
    (torsions, of_residue, state, has_cb, flexible), hand = _of_chain(b, chains), chains.hand
    (laws, limits, quantiles, peptide), (frames, atoms, _) = tables, space
    ahead, radius = chains.ahead[b], chains.ball[b]
    num, moves, i = len(torsions), 0, 0
    for k in range(num):
        _bend(k, torsions, hand[k], peptide, k, frames)
    _start(radius, peptide.n_ca, state, frames, atoms)
    while i < num:
        _place(i, has_cb[i], frames, atoms)
        blocker = _blocker(i + 1, i + 1, radius, limits, frames, atoms)
        if blocker == _FITS or moves == MAX_REDRAWN * num:
            i += 1
            continue
        moves, radius = moves + 1, radius * WIDENING
        i = _step_back(i, blocker, flexible, state)
        if i < 0:
            i = 0
            _start(radius, peptide.n_ca, state, frames, atoms)
        num_ahead = _look_ahead(i, ahead[i], frames)
        for _ in range(TRIES):
            _redraw(i, torsions, of_residue[i], laws, quantiles, state)
            _bend(i, torsions, hand[i], peptide, i, frames)
            if _leads_on(i, num_ahead, radius, frames, atoms):
                break
    return moves


@njit(cache=True)
def _of_chain(b: int, chains: Chains) -> tuple:
    num, row = chains.lengths[b], min(b, len(chains.laws) - 1)
    torsions, state = chains.torsions[b, :num], chains.states[b : b + 1]
    return torsions, chains.laws[row, :num], state, chains.has_cb[b, :num], chains.flexible[b]


@njit(cache=True)
def _start(radius: float, n_ca: float, state: ndarray, frames: ndarray, atoms: ndarray) -> None:
    """The first N and CA, anywhere in the ball; as it is round, they may always point the same way."""
    size, x, y, z = radius if radius < math.inf else 0.0, 1.0, 1.0, 1.0
    while x * x + y * y + z * z > 1.0:
        x, y, z = 2.0 * _uniform(state) - 1.0, 2.0 * _uniform(state) - 1.0, 2.0 * _uniform(state) - 1.0
    frames[:_NEXT, 0] = 0.0
    frames[:_NEXT, 0, 1, 0] = frames[:_NEXT, 0, 2, 1] = frames[:_NEXT, 0, 3, 2] = 1.0
    frames[_OWN, 0, 0, 0], frames[_OWN, 0, 0, 1], frames[_OWN, 0, 0, 2] = x * size, y * size, z * size
    atoms[:_N, :, 0] = _ABSENT
    for axis in range(3):
        atoms[_CA, axis, 0] = frames[_OWN, 0, 0, axis]
        atoms[_N, axis, 0] = frames[_OWN, 0, 0, axis] - n_ca * frames[_OWN, 0, 1, axis]


@njit(cache=True)
def _place(i: int, has_cb: bool, frames: ndarray, atoms: ndarray) -> None:
    """The unit and the frame that follow residue i."""
    for atom in range(4):
        x, y, z = frames[_ATOMS, i, atom, 0], frames[_ATOMS, i, atom, 1], frames[_ATOMS, i, atom, 2]
        x, y, z = _out_of(_OWN, i, x, y, z, frames)
        atoms[atom, 0, i + 1], atoms[atom, 1, i + 1], atoms[atom, 2, i + 1] = x, y, z
    _next_frame(_OWN, i, i, _OWN, i + 1, frames)
    for axis in range(3):
        atoms[_CA, axis, i + 1] = frames[_OWN, i + 1, 0, axis]
    if not has_cb:
        atoms[_CB, 0, i + 1] = _ABSENT * (i + 2)  # away from others that are not there


@njit(cache=True, inline="always")
def _out_of(kind: int, i: int, x: float, y: float, z: float, f: ndarray) -> tuple:
    """The point that is x, y, z in frame i of this kind."""
    return (
        f[kind, i, 0, 0] + x * f[kind, i, 1, 0] + y * f[kind, i, 2, 0] + z * f[kind, i, 3, 0],
        f[kind, i, 0, 1] + x * f[kind, i, 1, 1] + y * f[kind, i, 2, 1] + z * f[kind, i, 3, 1],
        f[kind, i, 0, 2] + x * f[kind, i, 1, 2] + y * f[kind, i, 2, 2] + z * f[kind, i, 3, 2],
    )


@njit(cache=True, inline="always")
def _into(i: int, x: float, y: float, z: float, frames: ndarray) -> tuple:
    """The point x, y, z in the frame of residue i."""
    x, y, z = x - frames[_OWN, i, 0, 0], y - frames[_OWN, i, 0, 1], z - frames[_OWN, i, 0, 2]
    return (
        x * frames[_OWN, i, 1, 0] + y * frames[_OWN, i, 1, 1] + z * frames[_OWN, i, 1, 2],
        x * frames[_OWN, i, 2, 0] + y * frames[_OWN, i, 2, 1] + z * frames[_OWN, i, 2, 2],
        x * frames[_OWN, i, 3, 0] + y * frames[_OWN, i, 3, 1] + z * frames[_OWN, i, 3, 2],
    )


@njit(cache=True, inline="always")
def _next_frame(kind: int, i: int, residue: int, out: int, o: int, f: ndarray) -> None:
    """Frame o of kind `out`: that behind the residue if its own is frame i of `kind`."""
    for row in range(4):
        x, y, z = f[_NEXT, residue, row, 0], f[_NEXT, residue, row, 1], f[_NEXT, residue, row, 2]
        for axis in range(3):
            origin = f[kind, i, 0, axis] if row == 0 else 0.0
            turned = x * f[kind, i, 1, axis] + y * f[kind, i, 2, axis] + z * f[kind, i, 3, axis]
            f[out, o, row, axis] = origin + turned


@njit(cache=True)
def _blocker(unit: int, end: int, radius: float, limits: ndarray, frames: ndarray, atoms: ndarray) -> int:
    """A unit before `end` that clashes with this later one, or whether it lies outside or fits."""
    x, y, z = frames[_OWN, unit, 0, 0], frames[_OWN, unit, 0, 1], frames[_OWN, unit, 0, 2]
    if x * x + y * y + z * z > radius * radius:
        return _OUTSIDE
    end = min(end, unit)
    cx, cy, cz = atoms[_C, 0, unit], atoms[_C, 1, unit], atoms[_C, 2, unit]
    for j in range(end):
        dx, dy, dz = atoms[_C, 0, j] - cx, atoms[_C, 1, j] - cy, atoms[_C, 2, j] - cz
        atoms[_SQUARES, 0, j] = dx * dx + dy * dy + dz * dz
    for j in range(end):
        # The first unit has no C of its own.
        if (j == 0 or atoms[_SQUARES, 0, j] < _REACH_SQUARED) and _collide(unit, j, limits, atoms):
            return j
    return _FITS


@njit(cache=True, inline="always")
def _collide(unit: int, earlier: int, limits: ndarray, atoms: ndarray) -> bool:
    apart = min(unit - earlier, len(limits)) - 1
    for b in range(5):
        x, y, z = atoms[b, 0, earlier], atoms[b, 1, earlier], atoms[b, 2, earlier]
        for a in range(5):
            dx, dy, dz = atoms[a, 0, unit] - x, atoms[a, 1, unit] - y, atoms[a, 2, unit] - z
            if dx * dx + dy * dy + dz * dz < limits[apart, a, b]:
                return True
    return False


@njit(cache=True)
def _step_back(i: int, blocker: int, flexible: ndarray, state: ndarray) -> int:
    """The residue to redraw so that residue i may fit; -1 for a new start."""
    if blocker >= 0 and i - blocker < LOCAL:
        return blocker + int((i + 1 - blocker) * _uniform(state))
    steps, any_residue = int(_uniform(state) ** -BACK), _uniform(state) < ANY_RESIDUE
    while i >= 0:
        steps -= any_residue or flexible[i]
        if steps == 0:
            break
        i -= 1
    return i


@njit(cache=True)
def _look_ahead(i: int, end: int, frames: ndarray) -> int:
    """Frames of the residues after i up to that after `end`, in the first of them; how many."""
    for k in range(end - i):
        _next_frame(_AHEAD, k, i + 1 + k, _AHEAD, k + 1, frames)
    return end - i + 1


@njit(cache=True)
def _leads_on(i: int, num_ahead: int, radius: float, frames: ndarray, atoms: ndarray) -> bool:
    """Whether the CA ahead lie in the ball and off those before residue i."""
    for k in range(num_ahead - 1, -1, -STRIDE):
        x, y, z = frames[_AHEAD, k, 0, 0], frames[_AHEAD, k, 0, 1], frames[_AHEAD, k, 0, 2]
        x, y, z = _out_of(_NEXT, i, x, y, z, frames)
        x, y, z = _out_of(_OWN, i, x, y, z, frames)
        if x * x + y * y + z * z > radius * radius or _is_near(x, y, z, i - 1, atoms):
            return False
    return True


@njit(cache=True, inline="always")
def _is_near(x: float, y: float, z: float, end: int, atoms: ndarray) -> bool:
    """Whether one of the CA before residue `end` is near this point."""
    px, py, pz, near = np.float32(x), np.float32(y), np.float32(z), False
    for j in range(end):
        dx, dy, dz = atoms[_CA, 0, j] - px, atoms[_CA, 1, j] - py, atoms[_CA, 2, j] - pz
        near |= dx * dx + dy * dy + dz * dz < _CA_SQUARED
    return near


@njit(cache=True)
def _compact(b: int, chains: Chains, tables: Tables, space: Space) -> int:
    """Turn parts of the chain until its radius of gyration is what it should be: how many pivots it took."""
    (torsions, of_residue, state, has_cb, flexible), hand = _of_chain(b, chains), chains.hand
    (laws, limits, quantiles, peptide), (frames, atoms, sums) = tables, space
    num, pivots, square_of_gyration = len(torsions), 0, _sum_up(len(torsions), frames, sums)
    for _ in range(PIVOTS * num):
        i = 1 + int(_uniform(state) * (num - 2))
        if i > num - 2 or square_of_gyration < chains.goal[b] ** 2:
            break
        if not flexible[i]:  # else long helices would be bent into rings, a little at each residue
            continue
        phi, psi, omega = torsions[i, 0], torsions[i, 1], torsions[i, 2]
        _redraw(i, torsions, of_residue[i], laws, quantiles, state)
        # Behind the last residue there is room for what this one may add.
        _bend(i, torsions, hand[i], peptide, num, frames)
        if _is_nearer(i, num, frames, sums) and _is_clear(i, num, frames, atoms):
            _bend(i, torsions, hand[i], peptide, i, frames)
            if _pivot(i, has_cb, limits, frames, atoms):
                pivots, square_of_gyration = pivots + 1, _sum_up(num, frames, sums)
                continue
            torsions[i, 0], torsions[i, 1], torsions[i, 2] = phi, psi, omega
            _bend(i, torsions, hand[i], peptide, i, frames)
            for k in range(i, num):
                _place(k, has_cb[k], frames, atoms)
        torsions[i, 0], torsions[i, 1], torsions[i, 2] = phi, psi, omega
    return pivots


@njit(cache=True)
def _sum_up(num: int, frames: ndarray, sums: ndarray) -> float:
    """Sums of the CA up to each residue; the square of the radius of gyration."""
    squares = 0.0
    for i in range(num):
        for axis in range(3):
            sums[i + 1, axis] = sums[i, axis] + frames[_OWN, i, 0, axis]
            squares += frames[_OWN, i, 0, axis] ** 2
    return squares / num - (sums[num, 0] ** 2 + sums[num, 1] ** 2 + sums[num, 2] ** 2) / num**2


@njit(cache=True)
def _is_nearer(i: int, num: int, frames: ndarray, sums: ndarray) -> bool:
    """Whether a pivot brings the centre of the CA behind residue i nearer to that of the others.

    All else in the radius of gyration stays the same.
    """
    first, rest = i + 1.0, num - i - 1.0
    ax, ay, az = sums[i + 1, 0] / first, sums[i + 1, 1] / first, sums[i + 1, 2] / first
    bx, by, bz = sums[num, 0] - sums[i + 1, 0], sums[num, 1] - sums[i + 1, 1], sums[num, 2] - sums[i + 1, 2]
    bx, by, bz = bx / rest, by / rest, bz / rest
    x, y, z = _into(i + 1, bx, by, bz, frames)
    x, y, z = _out_of(_NEXT, num, x, y, z, frames)
    x, y, z = _out_of(_OWN, i, x, y, z, frames)
    before = (bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2
    return (x - ax) ** 2 + (y - ay) ** 2 + (z - az) ** 2 < before


@njit(cache=True)
def _is_clear(i: int, num: int, frames: ndarray, atoms: ndarray) -> bool:
    """Whether a pivot keeps the CA behind residue i off those before it."""
    _next_frame(_OWN, i, num, _AHEAD, 0, frames)
    for k in range(i + 2, num):
        x, y, z = _into(i + 1, frames[_OWN, k, 0, 0], frames[_OWN, k, 0, 1], frames[_OWN, k, 0, 2], frames)
        x, y, z = _out_of(_AHEAD, 0, x, y, z, frames)
        if _is_near(x, y, z, i, atoms):
            return False
    return True


@njit(cache=True)
def _pivot(i: int, has_cb: ndarray, limits: ndarray, frames: ndarray, atoms: ndarray) -> bool:
    """Turn what follows residue i up to the first clash; whether there is none."""
    for k in range(i, len(has_cb)):
        _place(k, has_cb[k], frames, atoms)
        if _blocker(k + 1, i + 2, math.inf, limits, frames, atoms) != _FITS:
            return False
    return True


@njit(cache=True, inline="always")
def _redraw(i: int, torsions: ndarray, law: int, laws: ndarray, quantiles: ndarray, state: ndarray) -> None:
    """Torsions of residue i from its law: component, phi, psi and omega; cis stays cis, trans trans."""
    k, word = _component(abs(torsions[i, 2]) < 0.5 * math.pi, law, laws, _uniform(state)), _next(state)
    z1, z2 = _normal(word, quantiles), _normal(word >> np.uint64(21), quantiles)
    torsions[i, 0] = laws[law, k, 1] + laws[law, k, 4] * z1
    torsions[i, 1] = laws[law, k, 2] + laws[law, k, 5] * z1 + laws[law, k, 6] * z2
    torsions[i, 2] = laws[law, k, 3] + laws[law, k, 7] * _normal(word >> np.uint64(42), quantiles)


@njit(cache=True, inline="always")
def _component(is_cis: bool, law: int, laws: ndarray, u: float) -> int:
    """One of the components that are cis, or trans, in proportion to their weights."""
    share, chosen, before = 0.0, 0, 0.0
    for k in range(laws.shape[1]):
        share += (laws[law, k, 0] - before) * ((abs(laws[law, k, 3]) < 0.5 * math.pi) == is_cis)
        before = laws[law, k, 0]
    left, before = u * share, 0.0
    for k in range(laws.shape[1]):
        if left > 0.0 and (abs(laws[law, k, 3]) < 0.5 * math.pi) == is_cis:
            chosen, left = k, left - (laws[law, k, 0] - before)
        before = laws[law, k, 0]
    return chosen


@njit(cache=True)
def _bend(i: int, torsions: ndarray, hand: float, peptide: Peptide, out: int, frames: ndarray) -> None:
    """What residue i adds, in its own frame; as residue `out`."""
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
        along_o = peptide.o_u * u[k] - peptide.o_e * (a[k] * cos_psi + n[k] * sin_psi)
        along_cb = peptide.cb_u * u[k] + peptide.cb_a * a[k] + hand * peptide.cb_n * n[k]
        frames[_ATOMS, out, 0, k], frames[_ATOMS, out, 1, k] = at_c, at_c + along_o
        frames[_ATOMS, out, 2, k], frames[_ATOMS, out, 3, k] = along_cb, at_n
        frames[_NEXT, out, 0, k], frames[_NEXT, out, 1, k] = at_n + peptide.n_ca * w[k], w[k]
        frames[_NEXT, out, 2, k], frames[_NEXT, out, 3, k] = c[k], o[k]


@njit(cache=True)
def _turn(u: tuple, a: tuple, n: tuple, cos: float, sin: float, back: float, side: float) -> tuple:
    """The axes of the next bond: turned about u, then bent."""
    e = (a[0] * cos + n[0] * sin, a[1] * cos + n[1] * sin, a[2] * cos + n[2] * sin)
    return (
        (u[0] * back + e[0] * side, u[1] * back + e[1] * side, u[2] * back + e[2] * side),
        (e[0] * back - u[0] * side, e[1] * back - u[1] * side, e[2] * back - u[2] * side),
        (n[0] * cos - a[0] * sin, n[1] * cos - a[1] * sin, n[2] * cos - a[2] * sin),
    )


@njit(cache=True, inline="always")
def _normal(word: np.unsignedinteger, quantiles: ndarray) -> float:
    """A standard normal number from the lowest 21 bits."""
    bits = np.int64(word & np.uint64(0x1FFFFF))
    k, rest = bits >> 11, float(bits & 0x7FF) / 0x800
    return quantiles[k] + rest * (quantiles[k + 1] - quantiles[k])


@njit(cache=True)
def _uniform(state: ndarray) -> float:
    """In (0, 1)."""
    return (float(np.int64(_next(state) >> np.uint64(12))) + 0.5) * 2.0**-52


@njit(cache=True)
def _next(state: ndarray) -> np.uint64:
    """64 random bits: SplitMix64 (Steele, Lea & Flood, Fast splittable generators, 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
