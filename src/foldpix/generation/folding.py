"""Chains without clashes, and compact ones."""

import math
from typing import NamedTuple

import numpy as np

from foldpix.generation.clashes import count_clashes
from foldpix.generation.domain import RISE, domain_radius
from foldpix.generation.draws import Stream, bits
from foldpix.generation.growth import grow
from foldpix.generation.laws import TorsionLaws
from foldpix.generation.units import Chains, space, tables
from foldpix.generation.walk import walk

#: Residues that a redrawn one looks ahead: to the end of the next helix or strand, but no further than this.
AHEAD = 24

#: Radius of gyration that is sought, of that of a domain: the mean of 656 chains of the PDB of 50 to 450
#: residues that are less than 1.2.
SHARE = 1.02

#: Radius of the ball that a compact chain grows in, at the start: at least this times the radius of gyration
#: of a domain, and this times the length of the longest helix or strand.
BALL, ROOM = 1.15, 0.6


class Folded(NamedTuple):
    """Chains that were folded.

    Attributes
    ----------
    torsions : ndarray, shape=(B, L, 3)
        phi, psi, omega in radian, dtype of those given.
    num_clashes : ndarray of int, shape=(B,)
        Pairs of atoms that are too near all the same; see :func:`foldpix.generation.clashes.count_clashes`.
    num_moves : ndarray of int, shape=(B,)
        How many times a residue was redrawn for good or for the time being.
    radius : ndarray, dtype=float64, shape=(B,)
        Radius of gyration of CA, angstrom.
    """

    torsions: np.ndarray
    num_clashes: np.ndarray
    num_moves: np.ndarray
    radius: np.ndarray


def fold(
    torsions: np.ndarray,
    laws: TorsionLaws,
    lengths: np.ndarray,
    is_d: np.ndarray,
    has_cb: np.ndarray,
    labels: list[str],
    seed: int,
    members: np.ndarray,
    compact: bool,
    chain: int = 0,
) -> Folded:
    """Redraw residues, each from its own law, until no atoms clash.

    A chain grows from its start. Where a residue does not fit, one before it is redrawn: of those between two
    atoms that clash near each other along the chain any one, else mostly the nearest residue that is neither
    helix nor strand. A compact chain grows inside a ball; pivots then bring its radius of gyration nearer to
    that of a domain, 2.2 L^0.38 A.

    Parameters
    ----------
    torsions : ndarray, dtype=float32 or float64, shape=(B, L, 3)
        phi, psi, omega in radian; kept where they fit.
    laws : TorsionLaws
        Of the same residues.
    lengths : ndarray of int, shape=(B,)
        Residues of each member; those after them are padding.
    is_d : ndarray of bool, shape=(L,)
        D-residues.
    has_cb : ndarray of bool, shape=(L,) or (B, L)
        Residues whose CB is an atom: all but glycine.
    labels : list of str
        A letter for each residue of each member.
    seed : int
    members : ndarray of int, shape=(B,)
        What member k becomes depends on (seed, k), its torsions, laws and labels alone.
    compact : bool
        Whether to seek the radius of gyration of a domain.
    chain : int
        Number of the chain in its molecule, so that chains that are alike fold in different ways.

    Returns
    -------
    Folded
    """
    num, length = torsions.shape[:2]
    lengths, has_cb = np.asarray(lengths, dtype=np.int64), np.broadcast_to(has_cb, (num, length))
    domain = domain_radius(lengths)
    rise_BL = _rise(labels, length)
    chains = Chains(
        torsions=np.array(torsions, dtype=np.float64, order="C"),
        laws=np.array(laws.which),
        lengths=lengths,
        hand=np.where(is_d, -1.0, 1.0),
        has_cb=np.array(has_cb),
        flexible=(rise_BL == 0.0) | ~(rise_BL == 0.0).any(axis=1, keepdims=True),
        ahead=_ahead(rise_BL == 0.0, lengths),
        ball=np.maximum(BALL * domain, ROOM * _longest(rise_BL)) if compact else np.full(num, math.inf),
        goal=SHARE * domain,
        states=_states(seed, members, chain),
    )
    num_moves = np.zeros(num, dtype=np.int64)
    grow(chains, tables(laws.cumulative, laws.mean, laws.spread), space(length), num_moves)
    rounded = chains.torsions.astype(torsions.dtype)
    coords = np.empty((num, length, 5, 3), dtype=np.float32)
    walk(rounded, is_d, coords)
    clashes = count_clashes(coords, has_cb, lengths)
    return Folded(rounded, clashes, num_moves, _radius_of_gyration(coords[:, :, 1], lengths))


def _states(seed: int, members: np.ndarray, chain: int) -> np.ndarray:
    words = bits(seed, members, Stream.FOLD, 2 * chain + 2)[:, 2 * chain :].astype(np.uint64)
    return words[:, 0] << np.uint64(32) | words[:, 1]


def _rise(labels: list[str], length: int) -> np.ndarray:
    """Of each residue, 0 of flexible ones and of padding: float64 (B, L).

    Others are redrawn only where these do not help.
    """
    table = np.zeros(256)
    table[[ord(letter) for letter in RISE]] = list(RISE.values())
    codes = "".join(label.ljust(length) for label in labels).encode()
    return table[np.frombuffer(codes, dtype=np.uint8).reshape(-1, length)]


def _longest(rise_BL: np.ndarray) -> np.ndarray:
    """Length of the longest helix or strand, angstrom: float64 (B,)."""
    longest = run = np.zeros(len(rise_BL))
    for rise in rise_BL.T:
        run = np.where(rise > 0.0, run + rise, 0.0)
        longest = np.maximum(longest, run)
    return longest


def _ahead(is_flexible: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """How far each residue looks: int64 (B, L)."""
    length = is_flexible.shape[1]
    place = np.arange(length)
    is_end = ~is_flexible
    is_end[:, :-1] &= is_flexible[:, 1:]
    ends = np.where(is_end, place, lengths[:, None] - 1)
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(ends, place + AHEAD)


def _radius_of_gyration(ca_BL3: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Of the residues that are no padding."""
    inside = (np.arange(ca_BL3.shape[1]) < lengths[:, None])[..., None]
    centre = np.sum(ca_BL3, axis=1, keepdims=True, where=inside, dtype=np.float64) / lengths[:, None, None]
    return np.sqrt(np.sum((ca_BL3 - centre) ** 2, axis=(1, 2), where=inside) / lengths)
