"""Secondary structure of made-up chains: a Markov chain of segments, as long as in real ones.

A chain is helical, made of strands, or mixed. What follows what in it and how long segments are was counted
in 1,381 experimental chains by ``scripts/generation/fit_segments.py``, whose letters come from hydrogen bonds
(Kabsch & Sander, 1983): alpha helix H, 3-10 helix G, strand E, hydrogen-bonded turn T, coil C.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from foldpix.generation.conformations import strings
from foldpix.generation.draws import Stream, uniform

KINDS = "HGETC"

#: Classes of chains; each has segments of its own.
FOLDS = ("alpha", "beta", "mixed")

#: Random numbers that a chain takes besides one for each residue.
NUM_BEFORE = 2

#: Longest segment; in real chains one in thousands is longer.
LONGEST = 60

#: Segments that the end of a chain cuts shorter than this become coil; in the order of KINDS, then its start.
SHORTEST = (4, 3, 2, 1, 1, 1)


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
    _sample(u, lengths_B.astype(np.int64), _tables(), letters_BL)
    return letters_BL


class _Tables(NamedTuple):
    """What `_sample` takes: F classes of chains, S states, which are KINDS and the coil that begins a chain.

    Parameters
    ----------
    folds : ndarray, shape=(F,)
        Cumulative shares.
    ends : ndarray, shape=(F, S, LONGEST)
        The chance that a segment ends at each length.
    follows : ndarray, shape=(F, S, S - 1)
        Cumulative shares of what follows.
    tail : ndarray, shape=(F, LONGEST)
        Cumulative shares of the lengths of the coil that ends a chain.
    shortest, letters : ndarray, shape=(S,)
    """

    folds: np.ndarray
    ends: np.ndarray
    follows: np.ndarray
    tail: np.ndarray
    shortest: np.ndarray
    letters: np.ndarray


@cache
def _tables() -> _Tables:
    table = json.loads(Path(__file__).with_name("segments.json").read_text())
    states = [[table[fold][kind] for kind in (*KINDS, "start")] for fold in FOLDS]
    counts = np.array([[state["lengths"] for state in of_fold] for of_fold in states], dtype=np.float64)
    as_long = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
    return _Tables(
        _cumulative([table["chains"][fold] for fold in FOLDS]),
        np.divide(counts, as_long, out=np.ones_like(counts), where=as_long > 0),
        _cumulative([[state["next"] for state in of_fold] for of_fold in states]),
        _cumulative([table[fold]["end"]["lengths"] for fold in FOLDS]),
        np.array(SHORTEST),
        np.frombuffer(f"{KINDS}C".encode(), dtype=np.uint8),
    )


def _cumulative(counts: list) -> np.ndarray:
    sums = np.cumsum(counts, axis=-1, dtype=np.float64)
    return sums / sums[..., -1:]


@njit(cache=True)
def _sample(u_BL: np.ndarray, lengths_B: np.ndarray, tables: _Tables, out_BL: np.ndarray) -> None:
    """One number a residue says whether its segment ends here, and if so what follows."""
    start = len(tables.letters) - 1
    coil = start - 1
    for b in range(len(u_BL)):
        fold = np.searchsorted(tables.folds, u_BL[b, 0])
        length = lengths_B[b] - 1 - np.searchsorted(tables.tail[fold], u_BL[b, 1])
        state, age = start, 0
        for i in range(out_BL.shape[1]):
            out_BL[b, i] = tables.letters[state if i < length else coil]
            age += 1
            end, u = tables.ends[fold, state, age - 1], u_BL[b, i + 2]
            if i + 1 == length and age < tables.shortest[state]:
                out_BL[b, i + 1 - age : i + 1] = tables.letters[coil]
            if u < end:
                state, age = np.searchsorted(tables.follows[fold, state], u / end), 0
