"""Side chains that keep clear of each other and of the backbone."""

import itertools

import numpy as np
from numba import njit

from foldpix.generation.rotamers import RotamerDraws, chi_of, draw_rotamers, rotamers
from foldpix.generation.sequence import l_form
from foldpix.generation.sidechains import NUM_CHI, FullAtomLayout, full_atom_layout, place_side_chains

#: Two heavy atoms clash if nearer than the sum of these, angstrom: within 0.1 A the extreme limits of
#: Ramachandran & Sasisekharan (1968), 3.0 for two carbons, 2.7 or 2.8 with one, 2.6 without.
RADIUS_CARBON, RADIUS_OTHER = 1.5, 1.3
#: N and C of the same residue, three bonds from the first atom after CB, may be nearer.
RADIUS_OWN = 1.0

#: The rarest rotamers of long side chains are not tried.
MAX_CANDIDATES = 16

#: Times that all residues get to choose, and then again those that overlap by more than so much
#: (fourth powers of angstrom, see `_overlap`): two carbons at 2.8 A, carbon and oxygen at 2.6 A.
SWEEPS, BENT_SWEEPS, BENT_FROM = 3, 2, 0.0016
#: Spreads by which the first two dihedrals of a rotamer may then be off, 10 degrees or so each.
DEVIATIONS = (0, -1, 1, -2, 2, -3, 3)

#: Members whose candidates are built at a time; it bounds the memory.
_BLOCK = 64


def pack_side_chains(
    backbone_BL53: np.ndarray,
    layout: FullAtomLayout,
    names: tuple[str, ...],
    seed: int,
    members: np.ndarray,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """All atoms on a backbone, side chains in drawn rotamers, those that clash in others.

    Residue after residue, a side chain that clashes with what is there takes the rotamer whose heavy atoms
    overlap least, the more frequent of equals; three times over. One that is then still far too near turns
    by up to three spreads away from the rotamers. What is left are mostly rings, and proline after a helix,
    that the backbone leaves no room for. A member depends on its own numbers alone.

    Parameters
    ----------
    backbone_BL53 : ndarray, dtype=float32 or float64, shape=(B, L, 5, 3)
        N, CA, C, O, CB in angstrom, CB of a D-residue on its own side.
    layout : FullAtomLayout
    names : tuple of str
        L residue names, all chains one after the other.
    seed : int
    members : ndarray, dtype=int64, shape=(B,)
        Their numbers in the stream of the seed.
    out : ndarray, dtype of the backbone, shape=(B, N, 3), optional
        Takes the coordinates.

    Returns
    -------
    coords : ndarray, dtype of the backbone, shape=(B, N, 3)
        Angstrom.
    num_clashing : ndarray, dtype=int64, shape=(B,)
        Side chains of each member that no rotamer freed.
    """
    draws = draw_rotamers(len(names), seed, members)
    chi_BL4 = chi_of(names, draws)
    coords_BN3 = place_side_chains(backbone_BL53, layout, chi_BL4, out)
    packing = _Packing(backbone_BL53, layout, names, draws)
    for _ in range(SWEEPS):
        for row in packing.rows:
            packing.choose(row, coords_BN3, chi_BL4)
    for _ in range(BENT_SWEEPS):
        for row in packing.rows:
            packing.choose(row, coords_BN3, chi_BL4, bent=True)
    num_clashing = np.zeros(len(members), dtype=np.int64)
    for row in packing.rows:
        num_clashing += packing.overlaps(row, coords_BN3) > 0
    return place_side_chains(backbone_BL53, layout, chi_BL4, coords_BN3), num_clashing


class _Packing:
    """What is known of the residues of a batch, whatever their side chains do."""

    def __init__(
        self,
        backbone_BL53: np.ndarray,
        layout: FullAtomLayout,
        names: tuple[str, ...],
        draws: RotamerDraws,
    ) -> None:
        self._backbone_BL53, self._layout, self._names, self._draws = backbone_BL53, layout, names, draws
        self.rows = [row for row, name in enumerate(names) if rotamers(name) is not None]
        elements, atom_names = np.array(layout.elements), np.array(layout.atom_names)
        self._heavy = np.flatnonzero(elements != "H")
        self._radius_N = np.where(np.isin(elements, ["N", "O"]), RADIUS_OTHER, RADIUS_CARBON)
        self._starts = np.searchsorted(layout.residue_N[self._heavy], np.arange(len(names) + 1))
        self._ca = np.flatnonzero(atom_names == "CA")
        self._reach = _reach(layout, atom_names)
        is_side = (elements != "H") & ~np.isin(atom_names, ["N", "CA", "C", "O", "CB", "OXT"])
        self._side = [np.flatnonzero(is_side & (layout.residue_N == row)) for row in range(len(names))]
        self._atom_names = atom_names

    def overlaps(self, row: int, coords_BN3: np.ndarray) -> np.ndarray:
        """How far the side chain of a residue overlaps with others in each member, see `_overlap`: (B,)."""
        members = np.arange(len(coords_BN3))
        return self._least_overlap(row, coords_BN3[:, None, self._side[row]], members, coords_BN3)[1]

    def choose(self, row: int, coords_BN3: np.ndarray, chi_BL4: np.ndarray, bent: bool = False) -> None:
        """Give a residue, where it overlaps, the rotamer that does so least, or one bent to do so less."""
        overlap_B = self.overlaps(row, coords_BN3)
        clashing = np.flatnonzero(overlap_B > (BENT_FROM if bent else 0.0))
        for first in range(0, len(clashing), _BLOCK):
            members = clashing[first : first + _BLOCK]
            chi_PK4 = self._candidates(row, members, bent)
            tried_PKS3 = self._placed(row, members, chi_PK4)
            best_P, overlap_P = self._least_overlap(row, tried_PKS3, members, coords_BN3)
            better = np.flatnonzero(overlap_P < overlap_B[members])
            members, best_P = members[better], best_P[better]
            chi_BL4[members, row] = chi_PK4[better, best_P]
            coords_BN3[members[:, None], self._side[row]] = tried_PKS3[better, best_P]

    def _candidates(self, row: int, members: np.ndarray, bent: bool) -> np.ndarray:
        """Dihedrals (P, K, 4) of the rotamers with the noise that was drawn, or of all the bent ones."""
        table = rotamers(self._names[row])
        assert table is not None
        mean_K4, spread_K4 = table.mean_K4[:MAX_CANDIDATES], table.spread_K4[:MAX_CANDIDATES]
        if not bent:
            return mean_K4 + spread_K4 * self._draws.noise_BL4[members, row][:, None]
        second = DEVIATIONS if np.isfinite(mean_K4[0, 1]) else (0,)
        steps_D4 = np.array([(*both, 0, 0) for both in itertools.product(DEVIATIONS, second)])
        chi_K4 = (mean_K4[:, None] + spread_K4[:, None] * steps_D4).reshape(-1, NUM_CHI)
        return np.broadcast_to(chi_K4, (len(members), *chi_K4.shape))

    def _placed(self, row: int, members: np.ndarray, chi_PK4: np.ndarray) -> np.ndarray:
        """Heavy atoms of the side chain in each of its candidates: (P, K, S, 3)."""
        alone = full_atom_layout(((self._names[row],),))
        side = [alone.atom_names.index(name) for name in self._atom_names[self._side[row]]]
        num, num_tried = chi_PK4.shape[:2]
        backbone = np.repeat(self._backbone_BL53[members, row], num_tried, axis=0)[:, None]
        atoms = place_side_chains(backbone, alone, chi_PK4.reshape(num * num_tried, 1, NUM_CHI))
        return atoms[:, side].reshape(num, num_tried, len(side), 3)

    def _least_overlap(
        self, row: int, tried_PKS3: np.ndarray, members: np.ndarray, coords_BN3: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which of the places tried overlaps least with the other atoms of each member, and how far."""
        best_P, overlap_P = np.zeros(len(members), dtype=np.int64), np.zeros(len(members))
        radius_S = self._radius_N[self._side[row]].astype(coords_BN3.dtype)
        around = self._radii_around(row)[self._heavy]
        atoms = (self._heavy, around, self._starts, self._ca, self._reach)
        _least_overlap(tried_PKS3, radius_S, members, row, coords_BN3, *atoms, best_P, overlap_P)
        return best_P, overlap_P

    def _radii_around(self, row: int) -> np.ndarray:
        """Radii (N,) in the eyes of a side chain: 0 of atoms whose distance is set by bonds and angles."""
        name, is_proline = self._atom_names, l_form(self._names[row]) == "PRO"
        own = self._layout.residue_N == row
        radius_N = np.where(own & ~np.isin(name, ["O", "OXT"]), 0.0, self._radius_N)
        if is_proline:
            radius_N[(self._layout.residue_N == row - 1) & np.isin(name, ["CA", "C", "O"])] = 0.0
        else:
            radius_N[own & np.isin(name, ["N", "C"])] = RADIUS_OWN
        return radius_N


def _reach(layout: FullAtomLayout, atom_names: np.ndarray) -> np.ndarray:
    """How far from CA heavy atoms of each residue may come, by the bonds between: (L,), angstrom."""
    far_N = np.where(atom_names == "CA", 0.0, np.where(atom_names == "O", 2.5, 1.6))
    for (_, _, before, atom), bond in zip(layout.frame_G4, layout.bond_G4, strict=True):
        far_N[atom] = far_N[before] + np.hypot(*bond[:2])
    far_N[np.array(layout.elements) == "H"] = 0.0
    starts = np.searchsorted(layout.residue_N, np.arange(layout.residue_N[-1] + 1))
    return np.maximum.reduceat(far_N, starts)


@njit(cache=True, error_model="numpy")
def _least_overlap(
    tried_PKS3: np.ndarray,
    radius_S: np.ndarray,
    members: np.ndarray,
    row: int,
    coords_BN3: np.ndarray,
    heavy_H: np.ndarray,
    radius_H: np.ndarray,
    starts: np.ndarray,
    ca_L: np.ndarray,
    reach_L: np.ndarray,
    best_P: np.ndarray,
    overlap_P: np.ndarray,
) -> None:
    """The first place without overlap, or the one with least; atoms of radius 0 do not count."""
    near_4H = np.empty((4, len(heavy_H)), dtype=coords_BN3.dtype)
    for p in range(len(members)):
        xyz = coords_BN3[members[p]]
        num_near = _atoms_near(xyz, row, heavy_H, radius_H, starts, ca_L, reach_L, near_4H)
        least = np.inf
        for k in range(tried_PKS3.shape[1]):
            overlap = 0.0
            for s in range(tried_PKS3.shape[2]):
                overlap += _overlap(tried_PKS3[p, k, s], radius_S[s], near_4H, num_near)
                if overlap >= least:
                    break
            if overlap < least:
                least, best_P[p] = overlap, k
            if overlap == 0.0:
                break
        overlap_P[p] = least


@njit(cache=True)
def _atoms_near(
    xyz: np.ndarray,
    row: int,
    heavy_H: np.ndarray,
    radius_H: np.ndarray,
    starts: np.ndarray,
    ca_L: np.ndarray,
    reach_L: np.ndarray,
    near_4H: np.ndarray,
) -> int:
    """Places and radii of the atoms that the side chain of `row` may touch, into `near_4H`; their number."""
    num_near, touch = 0, 2.0 * RADIUS_CARBON
    x, y, z = xyz[ca_L[row]]
    for residue in range(len(ca_L)):
        ca, reach = ca_L[residue], reach_L[row] + reach_L[residue] + touch
        if _squared(xyz[ca, 0] - x, xyz[ca, 1] - y, xyz[ca, 2] - z) > reach * reach:
            continue
        for h in range(starts[residue], starts[residue + 1]):
            atom, reach = heavy_H[h], reach_L[row] + touch
            is_far = _squared(xyz[atom, 0] - x, xyz[atom, 1] - y, xyz[atom, 2] - z) > reach * reach
            if radius_H[h] == 0.0 or is_far:
                continue
            for axis in range(3):
                near_4H[axis, num_near] = xyz[atom, axis]
            near_4H[3, num_near] = radius_H[h]
            num_near += 1
    return num_near


@njit(cache=True)
def _squared(x: float, y: float, z: float) -> float:
    return x * x + y * y + z * z


@njit(cache=True, fastmath={"contract", "nsz", "reassoc"})
def _overlap(place: np.ndarray, radius: float, near_4H: np.ndarray, num_near: int) -> float:
    """How much nearer an atom is to others than the sum of their radii: fourth powers, added up."""
    x, y, z = place
    overlap = near_4H.dtype.type(0.0)
    for h in range(num_near):
        apart = np.sqrt(_squared(near_4H[0, h] - x, near_4H[1, h] - y, near_4H[2, h] - z))
        depth = max(near_4H[3, h] + radius - apart, near_4H.dtype.type(0.0))
        overlap += depth * depth * depth * depth
    return overlap
