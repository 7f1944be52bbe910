"""What a growing chain is made of: its residues, their tables and the memory it grows in.

A unit is what a residue adds to the chain: its own C, O and CB and the next N and CA. It is fixed in the
frame of the residue by its torsions; the frame is CA with u along the bond N-CA, n across the plane of that
bond and the one before, and a = n x u.
"""

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from foldpix.generation.clashes import residue_limits
from foldpix.generation.laws import CUTOFF
from foldpix.generation.walk import PEPTIDE, Peptide

#: Units keep this much more distance, angstrom, lest clashes come back where torsions are rounded.
MARGIN = 0.02

# Atoms of a unit, by the residue (0 or 1 after) and their place in N, CA, C, O, CB.
_ATOMS = ((0, 2), (0, 3), (0, 4), (1, 0), (1, 1))
# From so many units apart on limits are alike.
_NUM_APART = 4


class Chains(NamedTuple):
    """Chains to grow.

    Attributes
    ----------
    torsions : ndarray, dtype=float64, shape=(B, L, 3)
        phi, psi, omega; taken as they are where they fit, else changed.
    laws : ndarray, dtype=int32, shape=(M, L)
        The law of each residue; M is 1 or B.
    lengths : ndarray, dtype=int64, shape=(B,)
    hand : ndarray, dtype=float64, shape=(L,)
        1, or -1 of D-residues.
    has_cb, flexible : ndarray of bool, shape=(B, L)
        Flexible residues are redrawn first.
    ahead : ndarray, dtype=int64, shape=(B, L)
        The residue up to which to look when this one is redrawn.
    ball, goal : ndarray, dtype=float64, shape=(B,)
        Radius of the ball, infinite where none is wanted, and of gyration, angstrom.
    states : ndarray, dtype=uint64, shape=(B,)
        Of the generators of random numbers.
    """

    torsions: np.ndarray
    laws: np.ndarray
    lengths: np.ndarray
    hand: np.ndarray
    has_cb: np.ndarray
    flexible: np.ndarray
    ahead: np.ndarray
    ball: np.ndarray
    goal: np.ndarray
    states: np.ndarray


class Tables(NamedTuple):
    """What is alike in all chains: laws, least distances, the normal distribution, bonds and angles.

    Attributes
    ----------
    laws : ndarray, dtype=float64, shape=(T, K, 8)
        Cumulative weight, mean (3) and spread (4) of :class:`foldpix.generation.laws.TorsionLaws`.
    limits : ndarray, dtype=float32, shape=(4, 5, 5)
        Squares of the least distances of an atom of a unit and one of the unit 1, 2, 3 and more before.
    quantiles : ndarray, dtype=float64, shape=(1025,)
        Standard normal numbers at 0, 1/1024, ... 1 of their distribution, cut off.
    peptide : Peptide
    """

    laws: np.ndarray
    limits: np.ndarray
    quantiles: np.ndarray
    peptide: Peptide


class Space(NamedTuple):
    """What is known of the chain that grows, angstrom.

    Attributes
    ----------
    frames : ndarray, dtype=float64, shape=(4, L + 1, 4, 3)
        CA, u, a, n of each residue; of those ahead of one, in the first of them; of the next residue, in the
        frame of each; and C, O, CB, N in the frame of each. Behind the last there is room for another.
    atoms : ndarray, dtype=float32, shape=(6, 3, L + 1)
        C, O, CB, N, CA of the unit that ends with each residue's CA, and room for squares of distances.
    sums : ndarray, dtype=float64, shape=(L + 1, 3)
        CA of the first residues, summed up.
    """

    frames: np.ndarray
    atoms: np.ndarray
    sums: np.ndarray


def tables(cumulative: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> Tables:
    """For laws that are a :class:`foldpix.generation.laws.TorsionLaws`."""
    laws = np.concatenate([cumulative[..., None], mean, spread], axis=-1, dtype=np.float64)
    return Tables(np.ascontiguousarray(laws), _LIMITS_SQUARED, _QUANTILES, Peptide._make(map(float, PEPTIDE)))


def space(length: int) -> Space:
    """For chains of up to so many residues."""
    return Space(
        frames=np.empty((4, length + 1, 4, 3)),
        atoms=np.empty((6, 3, length + 1), dtype=np.float32),
        sums=np.zeros((length + 1, 3)),
    )


def _limits_squared() -> np.ndarray:
    limits, table = residue_limits(), np.zeros((_NUM_APART, len(_ATOMS), len(_ATOMS)))
    for apart in range(_NUM_APART):
        for a, (shift, atom) in enumerate(_ATOMS):
            for b, (before, other) in enumerate(_ATOMS):
                residues = apart + 1 + shift - before
                if residues > 0:
                    table[apart, a, b] = limits[min(residues, len(limits)) - 1, other, atom]
    table[table > 0.0] += MARGIN
    return np.square(table).astype(np.float32)


def _quantiles() -> np.ndarray:
    inner: list[Any] = [NormalDist().inv_cdf(k / 1024) for k in range(1, 1024)]
    return np.clip([-CUTOFF, *inner, CUTOFF], -CUTOFF, CUTOFF)


_LIMITS_SQUARED: np.ndarray = _limits_squared()
_QUANTILES: np.ndarray = _quantiles()
