"""Amino acids of made-up chains: as frequent as in real ones at each place of each kind of segment.

The shares are those of 1,381 experimental chains (``scripts/generation/fit_segments.py``).
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from foldpix.generation.draws import Stream, uniform
from foldpix.generation.segments import KINDS

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

#: Places in a run of one letter: first, second, third, later, and first behind a helix or turn; each apart
#: where it is the last. Behind a helix or turn N-H is bonded to it: proline, which has none, hardly ever
#: stands there (36 of 27,594 residues), but is frequent at other starts.
NUM_PLACES = 10

#: Letters of helices and turns.
BONDED = b"HGT"


def places(labels: str) -> np.ndarray:
    """Place of each residue in its run of one letter: ndarray of int, shape=(L,)."""
    letters = np.frombuffer(labels.encode("ascii"), dtype=np.uint8)[None]
    return _places(letters)[0]


def sample_sequences(labels: Sequence[str], seed: int, members: np.ndarray) -> list[str]:
    """Sequences that suit secondary structure; that of member k depends on (seed, k) and its labels alone.

    Parameters
    ----------
    labels : sequence of B str
        As ``sample_segments`` draws them, H G E T C.
    seed : int
    members : ndarray of int, shape=(B,)

    Returns
    -------
    list of str
        One-letter codes.
    """
    longest = max(map(len, labels))
    padded = "".join(text.ljust(longest) for text in labels).encode("ascii")
    letters_BL = np.frombuffer(padded, dtype=np.uint8).reshape(len(labels), longest)
    slot_BL = (1000.0 * uniform(seed, members, Stream.SEQUENCE, longest)).astype(np.int32)
    row_BL = _KIND_OF_LETTER[letters_BL] * NUM_PLACES + _places(letters_BL)
    text = _slots()[row_BL * 1000 + slot_BL].tobytes().decode("ascii")
    return [text[k * longest : k * longest + len(label)] for k, label in enumerate(labels)]


_KIND_OF_LETTER = np.zeros(256, dtype=np.int32)
_KIND_OF_LETTER[[ord(kind) for kind in KINDS]] = np.arange(len(KINDS))
_IS_BONDED = np.zeros(256, dtype=bool)
_IS_BONDED[list(BONDED)] = True


def _places(letters_BL: np.ndarray) -> np.ndarray:
    same = letters_BL[:, 1:] == letters_BL[:, :-1]
    place = np.zeros(letters_BL.shape, dtype=np.int32)
    place[:, 1:] = (NUM_PLACES // 2 - 1) * (_IS_BONDED[letters_BL[:, :-1]] & ~same)
    for back in range(1, NUM_PLACES // 2 - 1):
        # A run of `back` equal neighbours ends here: one place further on.
        run = same[:, back - 1 :].copy()
        for earlier in range(1, back):
            run &= same[:, back - 1 - earlier : same.shape[1] - earlier]
        place[:, back:] += run
    place[:, :-1] += (NUM_PLACES // 2) * ~same
    place[:, -1] += NUM_PLACES // 2
    return place


@cache
def _slots() -> np.ndarray:
    """A thousand letters (ASCII) for each place of each kind, in proportion to the shares; flat."""
    table = json.loads(Path(__file__).with_name("composition.json").read_text())
    letters = np.frombuffer(AMINO_ACIDS.encode("ascii"), dtype=np.uint8)
    return np.concatenate([np.repeat(letters, row) for kind in KINDS for row in table[kind]])
