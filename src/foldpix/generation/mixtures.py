"""Ramachandran plots by class of residue and by secondary structure, as mixtures of normal distributions.

Fitted on the 292,889 residues of 1,381 experimental chains by ``scripts/generation/fit_mixtures.py``; the
letters of their residues come from hydrogen bonds (Kabsch & Sander, 1983). The classes are those of Lovell et
al. (2003), general, glycine and proline, each apart where it precedes proline.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foldpix.generation.conformations import LETTERS

#: Classes of residues, in order; the code of a residue is twice its place here, and 1 for D-residues.
CLASSES = ("A", "G", "P", "AP", "GP", "PP")
NUM_CODES = 2 * len(CLASSES)

#: Codes of residues before proline, and of prolines.
BEFORE_PROLINE = np.array([len(kind) == 2 for kind in CLASSES]).repeat(2)
IS_PROLINE = np.array([kind.startswith("P") for kind in CLASSES]).repeat(2)

NUM_COMPONENTS = 6

# Whose law a letter has for a class of residue with which it hardly occurs; without one, that of coil.
_STAND_IN = {"G": "H", "I": "H"}
_OWN = {"GLY": 1, "PRO": 2}
_NO_LAW: dict = {"omega": [0.0, 0.0], "components": []}


class Mixtures(NamedTuple):
    """Weights (..., K) and, in radian, means (..., K, 3) and spreads (..., K, 4) as in ``TorsionLaws``."""

    weight: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


@cache
def trans_mixtures() -> Mixtures:
    """The laws of each letter (in the order of LETTERS) for each code of a residue: (8, 12, 6, ...)."""
    table = _table()
    laws = [_mixture(_entry(table, letter, kind), hand) for letter in LETTERS for kind, hand in _codes()]
    return Mixtures(
        *(np.reshape(parts, (len(LETTERS), NUM_CODES, *parts[0].shape)) for parts in zip(*laws, strict=True))
    )


@cache
def cis_mixtures() -> Mixtures:
    """The law of each code of a residue that a cis bond joins to proline: (12, 1, ...)."""
    table = _table()
    laws = [_mixture(table.get(f"cis {kind}", _NO_LAW), hand) for kind, hand in _codes()]
    return Mixtures(*(np.stack(parts)[:, :1] for parts in zip(*laws, strict=True)))


def residue_codes(chains: Sequence[Sequence[str]]) -> np.ndarray:
    """Code of each residue of all chains, from their names: dtype=int32, shape=(L,)."""
    codes = []
    for chain in chains:
        own = [_OWN.get(name.removeprefix("D-"), 0) for name in chain]
        before = [3 * (kind == 2) for kind in own[1:]] + [0]
        codes += [2 * (a + b) + name.startswith("D-") for a, b, name in zip(own, before, chain, strict=True)]
    return np.array(codes, dtype=np.int32)


def letter_codes(sequences_BL: np.ndarray) -> np.ndarray:
    """Code of each residue, dtype=int32, from one-letter sequences in ASCII, dtype=uint8."""
    proline = sequences_BL == ord("P")
    codes = np.int32(2) * (sequences_BL == ord("G")) + np.int32(4) * proline
    codes[:, :-1] += np.int32(6) * proline[:, 1:]
    return codes


def _table() -> dict:
    return json.loads(Path(__file__).with_name("mixtures.json").read_text())


def _codes() -> list[tuple[str, int]]:
    return [(kind, hand) for kind in CLASSES for hand in (1, -1)]


def _entry(table: dict, letter: str, kind: str) -> dict:
    while f"{letter} {kind}" not in table:
        letter = _STAND_IN.get(letter, "C")
    return table[f"{letter} {kind}"]


def _mixture(entry: dict, hand: int) -> Mixtures:
    """A law of the table, padded with components of no weight; its mirror image for hand -1."""
    rows = np.zeros((NUM_COMPONENTS, 6))
    rows[: len(entry["components"])] = np.reshape(entry["components"], (-1, 6))
    omega, omega_spread = np.broadcast_to(np.array(entry["omega"])[:, None], (2, NUM_COMPONENTS))
    mean = np.column_stack([hand * rows[:, 1:3], omega])
    return Mixtures(rows[:, 0], np.radians(mean), np.radians(np.column_stack([rows[:, 3:], omega_spread])))
