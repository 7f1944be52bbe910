"""Dihedrals of side chains, drawn from the rotamers of experimental chains whatever the backbone.

`scripts/generation/fit_rotamers.py` counted them. The shares are those of Lovell et al. (Proteins 2000, "The
penultimate rotamer library") within a few per cent: valine is trans in 74 % here and in 73 % there.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from foldpix.generation.draws import Stream, normal, uniform
from foldpix.generation.sequence import is_d, l_form
from foldpix.generation.sidechains import NUM_CHI

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
        Of each dihedral, radian; NaN where the residue has none.
    """

    cumulative_K: np.ndarray
    mean_K4: np.ndarray
    spread_K4: np.ndarray


def draw_chi(names: tuple[str, ...], seed: int, members: np.ndarray) -> np.ndarray:
    """Side-chain dihedrals; those of a residue depend on (seed, member, its name and place) alone.

    Parameters
    ----------
    names : tuple of str
        Residue names, all chains one after the other; a D-residue has the rotamers of the L-residue with the
        other sign.
    seed : int
    members : ndarray, dtype=int64, shape=(B,)
        Their numbers in the stream of the seed.

    Returns
    -------
    ndarray, dtype=float64, shape=(B, L, 4)
        Radian, in L- and D-residues by the same definition; NaN where the residue has none. Proline's are one
        of two puckers with a closed ring.
    """
    shape = (len(members), len(names), _WORDS)
    num_words = len(names) * _WORDS
    choice_BL = uniform(seed, members, Stream.ROTAMER, num_words).reshape(shape)[..., _CHOICE]
    noise_BL4 = normal(seed, members, Stream.ROTAMER, num_words).reshape(shape)[..., :NUM_CHI]
    chi_BL4 = np.full((*shape[:2], NUM_CHI), np.nan)
    kinds = np.array([l_form(name) for name in names])
    for kind in np.unique(kinds):
        table, where = rotamers(str(kind)), np.flatnonzero(kinds == kind)
        if table is not None:
            chosen = np.searchsorted(table.cumulative_K, choice_BL[:, where])
            chi_BL4[:, where] = table.mean_K4[chosen] + table.spread_K4[chosen] * noise_BL4[:, where]
    chi_BL4[:, [is_d(name) for name in names]] *= -1.0
    return chi_BL4


def rotamers(name: str) -> Rotamers | None:
    """The rotamers of an L-residue; None if its side chain has no dihedral."""
    return _tables().get(_COUNTED_AS.get(name, name))


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
