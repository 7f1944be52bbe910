"""Codebooks from chains: k-means of the steps, then rounds of coding that move codes to what they are for.

Steps that the search asks for are not those of the chain: they also make up for the errors before. So the
codebook is fitted to the steps as seen from decoded residues (closed-loop design of predictive quantisers,
Cuperman & Gersho 1985).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from foldpix.chain_code.codebook import Codebook
from foldpix.chain_code.coder import ChainCoder
from foldpix.chain_code.frames import carbonyl_frames
from foldpix.chain_code.search import squared_distances
from foldpix.structure import Backbone

_KMEANS_ROUNDS = 12
_CODING_ROUNDS = 10
_FULL_ROUNDS = 2
_NUM_BEAMS = 8
# Steps and chains of a round: the more codes, the more it takes to see them all.
_LEAST_STEPS, _STEPS_A_CODE = 100_000, 40
_RESIDUES_A_CODE, _LEAST_RESIDUES = 40, 100_000

#: Called after each round with its number, the number of rounds and the deviation in angstrom.
Report = Callable[[int, int, float], None]


def fit_codebook(
    chains: Sequence[Backbone], size: int, seed: int = 0, report: Report = lambda *_: None
) -> Codebook:
    """A codebook of ``size`` steps for chains like these; the same for a seed.

    Raises
    ------
    ValueError
        If there are fewer steps in the chains than codes are wanted.
    """
    rng = np.random.default_rng(seed)
    steps_N9 = np.concatenate([steps_of(chain) for chain in chains]).reshape(-1, 9)
    if not 2 <= size <= 2**16:
        raise ValueError(f"codebook_size={size} must be 2 to 65,536")
    if len(steps_N9) < size:
        raise ValueError(
            f"{len(steps_N9)} steps in {len(chains)} chains are too few for {size} codes; give more chains"
        )
    codebook = Codebook(_kmeans(steps_N9, size, rng).reshape(-1, 3, 3), np.zeros(size, dtype=np.int64))
    num_rounds = _CODING_ROUNDS + _FULL_ROUNDS + 1
    for number in range(num_rounds):
        some = chains if number >= _CODING_ROUNDS else _sample(chains, size, rng)
        last = number == num_rounds - 1
        coder = ChainCoder(codebook) if last else ChainCoder(codebook, _NUM_BEAMS)
        codebook, deviation = _coding_round(coder, some, rng, move=not last)
        report(number + 1, num_rounds, deviation)
    return codebook


def steps_of(chain: Backbone) -> np.ndarray:
    """N, CA, C of each residue in the frame of the one it is bonded to: float32, shape (n, 3, 3)."""
    origins, axes = carbonyl_frames(chain.coords)
    steps = np.einsum("lij,laj->lai", axes[:-1], chain.coords[1:] - origins[:-1, None])
    return np.delete(steps, chain.chain_breaks, axis=0).astype(np.float32)


def _kmeans(steps_N9: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    centres = steps_N9[rng.choice(len(steps_N9), size, replace=False)]
    num = min(len(steps_N9), max(_LEAST_STEPS, _STEPS_A_CODE * size))
    for _ in range(_KMEANS_ROUNDS):
        some = steps_N9[rng.choice(len(steps_N9), num, replace=False)]
        nearest = _nearest(some, np.ascontiguousarray(centres.T))
        centres = _means(some, nearest, centres, rng)
    return centres


@njit(cache=True, nogil=True)
def _nearest(points_N9: np.ndarray, table_9K: np.ndarray) -> np.ndarray:
    distances = np.empty(table_9K.shape[1], dtype=np.float32)
    nearest = np.empty(len(points_N9), dtype=np.int64)
    for i in range(len(points_N9)):
        squared_distances(table_9K, points_N9[i], distances)
        nearest[i] = np.argmin(distances)
    return nearest


def _means(
    points_N9: np.ndarray, codes_N: np.ndarray, centres_K9: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The mean of each code's points; a code without any goes where one of the most used ones is."""
    counts = np.bincount(codes_N, minlength=len(centres_K9))
    sums = np.stack([np.bincount(codes_N, column, len(centres_K9)) for column in points_N9.T], axis=1)
    means = sums / np.maximum(counts, 1)[:, None]
    unused = np.flatnonzero(counts == 0)
    crowded = np.argsort(-counts, kind="stable")[: len(unused)]
    means[unused] = means[crowded] + rng.normal(0.0, 0.01, (len(unused), 9))
    return means.astype(np.float32)


def _sample(chains: Sequence[Backbone], size: int, rng: np.random.Generator) -> list[Backbone]:
    """As many chains, drawn at random, as have the residues of a round."""
    wanted, some = max(_LEAST_RESIDUES, _RESIDUES_A_CODE * size), []
    for i in rng.permutation(len(chains)):
        if wanted <= 0:
            break
        some.append(chains[i])
        wanted -= len(chains[i])
    return some


def _coding_round(
    coder: ChainCoder, chains: Sequence[Backbone], rng: np.random.Generator, move: bool
) -> tuple[Codebook, float]:
    """Code all chains; the codebook with its counts, moved where that is wanted, and the deviation (A)."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the search leaves Python's lock alone
        found = list(pool.map(lambda chain: _asked(coder, chain), chains))
    asked, codes = (np.concatenate(each) for each in list(zip(*found, strict=True))[:2])
    squared = sum(each[2] for each in found) / sum(len(chain) for chain in chains)
    steps = coder.codebook.steps.reshape(-1, 9)
    moved = _means(asked, codes, steps, rng).reshape(-1, 3, 3) if move else coder.codebook.steps
    return Codebook(moved, np.bincount(codes, minlength=len(steps))), float(np.sqrt(squared))


def _asked(coder: ChainCoder, chain: Backbone) -> tuple[np.ndarray, np.ndarray, float]:
    """Of bonded residues: the true place seen from the decoded one before (n, 9), and the code (n,)."""
    code = coder.encode(chain)
    origin, axes = carbonyl_frames(chain.coords[:1])
    decoded = coder.decode_from(code, (origin[0], axes[0]))
    origins, frames = carbonyl_frames(decoded)
    asked = np.einsum("lij,laj->lai", frames[:-1], chain.coords[1:] - origins[:-1, None]).reshape(-1, 9)
    bonded = np.delete(np.arange(len(chain) - 1), chain.chain_breaks)
    return asked[bonded], code.codes[1:][bonded].astype(np.int64), code.deviation**2 * len(chain)
