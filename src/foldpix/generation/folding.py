"""Chains without clashes, and compact ones."""

import math
from typing import NamedTuple

import numpy as np

from foldpix.generation.clashes import count_clashes
from foldpix.generation.draws import Stream, bits
from foldpix.generation.growth import Chains, Mixtures, grow
from foldpix.generation.laws import TorsionLaws
from foldpix.generation.walk import walk

#: Residues of these labels (helices, strands, polyproline) are redrawn only where nothing else helps.
RIGID_LABELS = "HEGIP"

#: Residues ahead that a redrawn one looks at: to the end of the next helix or strand, but no further.
AHEAD = 24

#: Radius of gyration of a domain of L residues: 2.2 L^0.38 A (Skolnick et al., J Mol Biol 1997).
SIZE, EXPONENT = 2.2, 0.38

#: The ball that a compact chain grows in: its radius at the start over the radius of gyration, and the factor
#: by which each redrawn residue widens it.
BALL, GROWTH = 1.35, 1.0003


class Folded(NamedTuple):
    """Chains that were folded.

    Attributes
    ----------
    torsions : ndarray, shape=(B, L, 3)
        phi, psi, omega in radian, dtype of those given.
    num_clashes : ndarray of int, shape=(B,)
        Pairs of atoms that are too near all the same; see :func:`foldpix.generation.clashes.count_clashes`.
    num_moves : ndarray of int, shape=(B,)
        How many times a residue was redrawn.
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
    helix nor strand. A compact chain grows inside a ball.

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
        Seek the radius of gyration of a domain, 2.2 L^0.38 A.
    chain : int
        Number of the chain within its molecule: chains of one member that are alike fold in different ways.

    Returns
    -------
    Folded
    """
    has_cb, lengths = np.broadcast_to(has_cb, torsions.shape[:2]), np.asarray(lengths, dtype=np.int64)
    grown = torsions.astype(np.float64)
    flexible, ahead = _flexible(labels, torsions.shape[1])
    chains = Chains(
        torsions=grown,
        rows=np.array(laws.which),
        lengths=lengths,
        hand=np.where(is_d, -1.0, 1.0),
        has_cb=np.array(has_cb),
        flexible=flexible,
        ahead=ahead,
        radius=BALL * SIZE * lengths**EXPONENT if compact else np.full(len(lengths), math.inf),
        states=_states(seed, members, chain),
    )
    mixtures = Mixtures(np.array(laws.cumulative), np.array(laws.mean), np.array(laws.spread))
    num_moves = grow(chains, mixtures, GROWTH)
    rounded = grown.astype(torsions.dtype)
    coords = np.empty((*torsions.shape[:2], 5, 3), dtype=np.float32)
    walk(rounded, is_d, coords)
    clashes = count_clashes(coords, has_cb, lengths)
    return Folded(rounded, clashes, num_moves, _radius_of_gyration(coords[:, :, 1], lengths))


def _states(seed: int, members: np.ndarray, chain: int) -> np.ndarray:
    words = bits(seed, members, Stream.FOLD, 2 * chain + 2)[:, 2 * chain :].astype(np.uint64)
    return words[:, 0] << np.uint64(32) | words[:, 1]


def _flexible(labels: list[str], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Residues to redraw first, and how far each looks ahead: bool (B, L), int64 (B, L)."""
    codes = "".join(label.ljust(length, RIGID_LABELS[0]) for label in labels).encode()
    letters_BL = np.frombuffer(codes, dtype=np.uint8).reshape(-1, length)
    flexible = ~np.isin(letters_BL, np.frombuffer(RIGID_LABELS.encode(), dtype=np.uint8))
    place = np.arange(length)
    is_end = ~flexible
    is_end[:, :-1] &= flexible[:, 1:]
    ends = np.where(is_end, place, length - 1)
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    last = np.array([len(label) - 1 for label in labels])[:, None]
    flexible[~flexible.any(axis=1)] = True
    return flexible, np.minimum(np.minimum(ends, place + AHEAD), np.maximum(last, place))


def _radius_of_gyration(ca_BL3: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Of the residues that are no padding."""
    inside = (np.arange(ca_BL3.shape[1]) < lengths[:, None])[..., None]
    num = lengths[:, None, None].astype(np.float64)
    offset = ca_BL3 - np.sum(ca_BL3, axis=1, keepdims=True, where=inside, dtype=np.float64) / num
    return np.sqrt(np.sum(offset * offset, axis=(1, 2), where=inside) / lengths)
