"""Secondary structure of made-up chains: a Markov chain of segments, as long as in real ones.

A chain is helical, made of strands, or mixed. What follows what in it and how long segments are was counted
in 1,381 experimental chains by ``scripts/generation/fit_segments.py``, whose letters come from hydrogen bonds
(Kabsch & Sander, 1983): alpha helix H, 3-10 helix G, strand E, hydrogen-bonded turn T, coil C. Helices and
strands that are longer than a domain of the chain's length is wide are left out.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.conformations import strings
from foldpix.generation.domain import longest_segments
from foldpix.generation.draws import Stream, uniform

KINDS = "HGETC"

#: Classes of chains; each has segments of its own.
FOLDS = ("alpha", "beta", "mixed")

#: Random numbers that a chain takes besides one for each residue.
NUM_BEFORE = 2

#: Longest segment; in real chains one in thousands is longer.
LONGEST = 60

#: Residues of a helix whose N-H is not bonded to it.
FIRST_TURN = {"H": 3, "G": 2}

#: Segments that the end of a chain cuts shorter than this become coil; in the order of KINDS, then its start.
SHORTEST = (4, 3, 2, 1, 1, 1)

_COIL = ord("C")


def sample_segments(lengths: Sequence[int] | np.ndarray, seed: int, members: np.ndarray) -> list[str]:
    """Labels H G E T C of single chains; those of member k depend on (seed, k) and its length alone.

    Parameters
    ----------
    lengths : sequence of int, B in number
        Residues of each member.
    seed : int
    members : ndarray of int, shape=(B,)
        Their numbers.

    Returns
    -------
    list of str
        As long as the members.
    """
    labels = strings(segment_letters(np.asarray(lengths), seed, members))
    return [text[:length] for text, length in zip(labels, lengths, strict=True)]


def segment_letters(lengths_B: np.ndarray, seed: int, members: np.ndarray, first: int = 0) -> np.ndarray:
    """ASCII codes, dtype=uint8, shape=(B, L) with L the greatest length; coil behind the end.

    Parameters
    ----------
    first : int
        Which of the member's random numbers is the chain's first: a chain takes L + NUM_BEFORE of them.
    """
    longest = int(lengths_B.max())
    u = uniform(seed, members, Stream.SEGMENT, first + longest + NUM_BEFORE)[:, first:]
    letters_BL = np.empty((len(members), longest), dtype=np.uint8)
    most_BS = np.clip(longest_segments(lengths_B, f"{KINDS}C"), SHORTEST, LONGEST)
    _sample(u, lengths_B.astype(np.int64), most_BS, _tables(), letters_BL)
    return letters_BL


def break_at_prolines(letters_BL: np.ndarray, is_proline: np.ndarray) -> np.ndarray:
    """Letters with coil before each proline whose N-H would be bonded within or at the end of a helix.

    Proline has none, and its CD would stand on the O that the bond leads to. Pieces of a helix that are then
    too short are coil.

    Parameters
    ----------
    letters_BL : ndarray, dtype=uint8, shape=(B, L)
        ASCII codes.
    is_proline : ndarray of bool, shape=(L,) or (B, L)

    Returns
    -------
    ndarray, dtype=uint8, shape=(B, L)
    """
    broken_BL = letters_BL.copy()
    _break(np.broadcast_to(is_proline, letters_BL.shape), _FIRST_TURN, _SHORTEST, broken_BL)
    return broken_BL


class _Tables(NamedTuple):
    """What `_sample` takes: F classes of chains, S states, which are KINDS and the coil that begins a chain.

    Parameters
    ----------
    folds : ndarray, shape=(F,)
        Cumulative shares.
    counts : ndarray, shape=(F, S, LONGEST)
        Segments of each length.
    longer : ndarray, shape=(F, S, LONGEST + 1)
        Segments of more than 0, 1, ... residues.
    follows : ndarray, shape=(F, S, S - 1)
        Cumulative shares of what follows.
    tail : ndarray, shape=(F, LONGEST)
        Cumulative shares of the lengths of the coil that ends a chain.
    shortest, letters : ndarray, shape=(S,)
    """

    folds: np.ndarray
    counts: np.ndarray
    longer: np.ndarray
    follows: np.ndarray
    tail: np.ndarray
    shortest: np.ndarray
    letters: np.ndarray


def _by_letter(kinds: Iterable[str], numbers: Iterable[int], other: int) -> np.ndarray:
    table = np.full(256, other)
    table[[ord(kind) for kind in kinds]] = list(numbers)
    return table


_FIRST_TURN: np.ndarray = _by_letter(FIRST_TURN.keys(), FIRST_TURN.values(), np.iinfo(np.int64).max)
_SHORTEST: np.ndarray = _by_letter(KINDS, SHORTEST[: len(KINDS)], 1)


@cache
def _tables() -> _Tables:
    table = json.loads(Path(__file__).with_name("segments.json").read_text())
    states = [[table[fold][kind] for kind in (*KINDS, "start")] for fold in FOLDS]
    counts = np.array([[state["lengths"] for state in of_fold] for of_fold in states], dtype=np.float64)
    longer = np.zeros((*counts.shape[:-1], LONGEST + 1))
    longer[..., :-1] = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
    return _Tables(
        _cumulative([table["chains"][fold] for fold in FOLDS]),
        counts,
        longer,
        _cumulative([[state["next"] for state in of_fold] for of_fold in states]),
        _cumulative([table[fold]["end"]["lengths"] for fold in FOLDS]),
        np.array(SHORTEST),
        np.frombuffer(f"{KINDS}C".encode(), dtype=np.uint8),
    )


def _cumulative(counts: list) -> np.ndarray:
    sums = np.cumsum(counts, axis=-1, dtype=np.float64)
    return sums / sums[..., -1:]


@njit(cache=True)
def _sample(
    u_BL: np.ndarray, lengths_B: np.ndarray, most_BS: np.ndarray, tables: _Tables, out_BL: np.ndarray
) -> None:
    """One number a residue says whether its segment ends here, and if so what follows.

    It ends with the share of the segments of its length in those as long or longer, up to the longest that
    the chain may have.
    """
    start = len(tables.letters) - 1
    coil = start - 1
    for b in range(len(u_BL)):
        fold = np.searchsorted(tables.folds, u_BL[b, 0])
        length = lengths_B[b] - 1 - np.searchsorted(tables.tail[fold], u_BL[b, 1])
        state, age = start, 0
        for i in range(out_BL.shape[1]):
            out_BL[b, i] = tables.letters[state if i < length else coil]
            age += 1
            longer = tables.longer[fold, state]
            as_long = longer[age - 1] - longer[most_BS[b, state]]
            end = tables.counts[fold, state, age - 1] / as_long if as_long > 0.0 else 1.0
            u = u_BL[b, i + 2]
            if i + 1 == length and age < tables.shortest[state]:
                out_BL[b, i + 1 - age : i + 1] = tables.letters[coil]
            if u < end:
                state, age = np.searchsorted(tables.follows[fold, state], u / end), 0


@njit(cache=True)
def _break(is_proline_BL: np.ndarray, turn: np.ndarray, shortest: np.ndarray, out_BL: np.ndarray) -> None:
    num, length = out_BL.shape
    for b in range(num):
        start = 0
        for i in range(1, length + 1):
            kind = out_BL[b, i - 1]
            breaks = i < length and is_proline_BL[b, i] and i - start >= turn[kind]
            if breaks:
                out_BL[b, i - 1] = _COIL
            if breaks or i == length or out_BL[b, i] != kind:
                if i - breaks - start < shortest[kind]:
                    out_BL[b, start:i] = _COIL
                start = i
