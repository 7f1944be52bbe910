"""Dihedrals of side chains, drawn from the rotamers of experimental chains whatever the backbone.

`scripts/generation/fit_rotamers.py` counted them. The shares are those of Lovell et al. (Proteins 2000, "The
penultimate rotamer library") within a few per cent: valine is trans in 74 % here and in 73 % there.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from foldpix.generation.draws import Stream, normal, uniform
from foldpix.generation.sequence import is_d, l_form
from foldpix.generation.sidechains import NUM_CHI
from foldpix.generation.templates import chi_offsets

#: Random words that each residue has for itself: four for its angles, then one for its rotamer.
_WORDS, _CHOICE = 8, 4
#: Nobody has counted enough selenocysteines.
_COUNTED_AS = {"SEC": "CYS"}


class Rotamers(NamedTuple):
    """The K rotamers of a residue.

    Attributes
    ----------
    cumulative_K : ndarray, dtype=float64, shape=(K,)
        Cumulative shares, the last one 1.
    mean_K4, spread_K4 : ndarray, dtype=float64, shape=(K, 4)
        Of each dihedral, radian; NaN where the residue has none. A D-residue has the mirror image's.
    """

    cumulative_K: np.ndarray
    mean_K4: np.ndarray
    spread_K4: np.ndarray


class RotamerDraws(NamedTuple):
    """Random numbers for the side chains of B members.

    Attributes
    ----------
    choice_BL : ndarray, dtype=float32, shape=(B, L)
        Even between 0 and 1: which rotamer.
    noise_BL4 : ndarray, dtype=float32, shape=(B, L, 4)
        Standard normal: how far each dihedral is from its mean, in spreads.
    """

    choice_BL: np.ndarray
    noise_BL4: np.ndarray


def draw_rotamers(length: int, seed: int, members: np.ndarray) -> RotamerDraws:
    """Random numbers for `length` residues, which depend on (seed, member, place of the residue) alone."""
    shape, num_words = (len(members), length, _WORDS), length * _WORDS
    choice = uniform(seed, members, Stream.ROTAMER, num_words).reshape(shape)
    noise = normal(seed, members, Stream.ROTAMER, num_words).reshape(shape)
    return RotamerDraws(choice[..., _CHOICE], noise[..., :NUM_CHI])


def draw_chi(names: Sequence[str], seed: int, members: np.ndarray) -> np.ndarray:
    """Side-chain dihedrals; those of a residue depend on (seed, member, its name and place) alone.

    Parameters
    ----------
    names : sequence of str
        L residue names, all chains one after the other; a D-residue has the L-residue's rotamers mirrored.
    seed : int
    members : ndarray, dtype=int64, shape=(B,)
        Their numbers in the stream of the seed.

    Returns
    -------
    ndarray, dtype=float64, shape=(B, L, 4)
        Radian, in L- and D-residues by the same definition; NaN where the residue has none. Proline's are one
        of two puckers with a closed ring.
    """
    return chi_of(names, draw_rotamers(len(names), seed, members))


def chi_of(names: Sequence[str], draws: RotamerDraws) -> np.ndarray:
    """The dihedrals (B, L, 4) that the draws stand for, see :func:`draw_chi`."""
    chi_BL4 = np.full(draws.noise_BL4.shape, np.nan)
    for name in set(names):
        table, where = rotamers(name), [place for place, other in enumerate(names) if other == name]
        if table is not None:
            chosen = np.searchsorted(table.cumulative_K, draws.choice_BL[:, where])
            spread = table.spread_K4[chosen] * draws.noise_BL4[:, where]
            chi_BL4[:, where] = table.mean_K4[chosen] + spread
    return chi_BL4


@cache
def rotamers(name: str) -> Rotamers | None:
    """The rotamers of a residue, the most frequent first; None if its side chain has no dihedral."""
    table = _tables().get(_COUNTED_AS.get(name, l_form(name)))
    if table is None or not is_d(name):
        return table
    offset_4 = np.zeros(NUM_CHI)
    for chi, offset in chi_offsets(l_form(name)).items():
        offset_4[chi] = math.radians(offset)
    return Rotamers(table.cumulative_K, -table.mean_K4 - offset_4, -table.spread_K4)


@cache
def _tables() -> dict[str, Rotamers]:
    table = json.loads((files("foldpix.generation") / "rotamers.json").read_text())
    del table["source"]
    return {name: _rotamers(rows) for name, rows in table.items()}


def _rotamers(rows: list[tuple[float, list[float], list[float]]]) -> Rotamers:
    shares, means, spreads = zip(*rows, strict=True)
    cumulative = np.cumsum(shares) / np.sum(shares)
    cumulative[-1] = 1.0
    missing = np.full((len(rows), NUM_CHI - len(means[0])), np.nan)
    mean_K4, spread_K4 = (np.hstack([np.radians(values), missing]) for values in (means, spreads))
    return Rotamers(cumulative, mean_K4, spread_K4)
