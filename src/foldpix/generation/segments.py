"""Secondary structure of made-up chains: a Markov chain of segments, as long as in real ones.

What follows what and the lengths are those of 1,381 experimental chains, counted by
``scripts/generation/fit_segments.py``; their letters come from hydrogen bonds (Kabsch & Sander, 1983): alpha
helix H, 3-10 helix G, strand E, hydrogen-bonded turn T, coil C.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit

from foldpix.generation.conformations import strings
from foldpix.generation.draws import Stream, uniform

KINDS = "HGETC"

#: Longest segment; in real chains one in thousands is longer.
LONGEST = 60

#: Segments that the end of a chain cuts shorter than this become coil, in the order of KINDS.
_SHORTEST = np.array([4, 3, 2, 1, 1])


def sample_segments(lengths: Sequence[int], seed: int, members: np.ndarray) -> list[str]:
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
        Which of the member's random numbers is the chain's first: its chains take one more than residues.
    """
    longest = int(lengths_B.max())
    u = uniform(seed, members, Stream.SEGMENT, first + longest + 1)[:, first:]
    letters_BL = np.empty((len(members), longest), dtype=np.uint8)
    _sample(u, lengths_B.astype(np.int64), *_tables(), letters_BL)
    return letters_BL


@cache
def _tables() -> tuple[np.ndarray, ...]:
    """What `_sample` takes: row 5 is the coil that begins a chain.

    The chance that a segment ends at each length (6, LONGEST), cumulative shares of what follows (6, 5) and
    of the lengths of the coil that ends a chain (LONGEST,), the shortest segments, letters.
    """
    table = json.loads(Path(__file__).with_name("segments.json").read_text())
    states = [table[kind] for kind in (*KINDS, "start")]
    counts = np.array([state["lengths"] for state in states], dtype=np.float64)
    as_long = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    ends = np.divide(counts, as_long, out=np.ones_like(counts), where=as_long > 0)
    follows = np.cumsum([state["next"] for state in states], axis=1, dtype=np.float64)
    tail = np.cumsum(table["end"]["lengths"], dtype=np.float64)
    letters = np.frombuffer(f"{KINDS}C".encode(), dtype=np.uint8)
    return ends, follows / follows[:, -1:], tail / tail[-1], _SHORTEST, letters


@njit(cache=True)
def _sample(
    u_BL: np.ndarray,
    lengths_B: np.ndarray,
    ends: np.ndarray,
    follows: np.ndarray,
    tail: np.ndarray,
    shortest: np.ndarray,
    letters: np.ndarray,
    out_BL: np.ndarray,
) -> None:
    """One number a residue says whether its segment ends here, and if so what follows."""
    coil = len(shortest) - 1
    for b in range(len(u_BL)):
        length = lengths_B[b] - 1 - np.searchsorted(tail, u_BL[b, 0])
        state, age = coil + 1, 0
        for i in range(out_BL.shape[1]):
            out_BL[b, i] = letters[state if i < length else coil]
            age += 1
            end, u = ends[state, age - 1], u_BL[b, i + 1]
            if i + 1 == length and state < coil and age < shortest[state]:
                out_BL[b, i + 1 - age : i + 1] = letters[coil]
            if u < end:
                state, age = np.searchsorted(follows[state], u / end), 0


#: Residues of a segment, least and most: typical of globular proteins.
SEGMENT_LENGTHS = {"H": (8, 18), "E": (4, 8), "C": (2, 6)}

#: Letters each kind of segment favours.
RESIDUES = {"H": "AELKMQR", "E": "VIYFTWC", "C": "GPNDSHK"}


def sample_labels(length: int, rng: np.random.Generator) -> str:
    """A string of H (helix), E (strand) and C (coil), one letter a residue; coils part the others."""
    labels = ""
    while len(labels) < length:
        for kind in ("C", "H" if rng.random() < 0.6 else "E"):
            low, high = SEGMENT_LENGTHS[kind]
            labels += kind * int(rng.integers(low, high + 1))
    return labels[:length]


def sample_sequence(labels: str, rng: np.random.Generator) -> str:
    """One-letter sequence that suits the labels."""
    return "".join(RESIDUES[kind][rng.integers(len(RESIDUES[kind]))] for kind in labels)
