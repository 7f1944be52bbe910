"""Random numbers by counting: what member k draws depends on (seed, k) and the purpose alone.

Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011) encrypts a counter, so any
number of any member is had without those before it: batches, threads and shards may be cut anywhere.
"""

from enum import IntEnum

import numpy as np
from numba import njit

from foldpix.generation.checks import whole_number
from foldpix.generation.turns import cos_sin


class Stream(IntEnum):
    """What numbers are for: those of different purposes have nothing to do with each other."""

    TORSION = 0
    MIXTURE = 1
    SEGMENT = 2
    SEQUENCE = 3
    LENGTH = 4
    ROTAMER = 5
    FOLD = 6
    SPLIT = 7


#: Members at a time: what is made of their numbers stays in the processor's cache.
TILE = 128


def bits(seed: int, members: np.ndarray, stream: Stream, count: int) -> np.ndarray:
    """Random bits.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    members : ndarray of int, shape=(B,)
        Their numbers, 0 or more.
    stream : Stream
    count : int
        How many for each member; the first of a longer row are the shorter row.

    Returns
    -------
    ndarray, dtype=uint32, shape=(B, count)
        Here and below the numbers of one rank lie side by side in memory: the transpose is contiguous.

    Raises
    ------
    ValueError
        If the seed or a member's number is out of range.
    """
    keys = _checked(seed, members)
    words_N4B = _words(seed, keys, stream, count).swapaxes(0, 1)
    return words_N4B.reshape(4 * len(words_N4B), len(keys))[:count].T


def uniform(seed: int, members: np.ndarray, stream: Stream, count: int) -> np.ndarray:
    """Numbers evenly between 0 and 1, neither of which occurs: float32 (B, count); see :func:`bits`."""
    return _to_uniform(bits(seed, members, stream, count).T).T


def normal(seed: int, members: np.ndarray, stream: Stream, count: int) -> np.ndarray:
    """Standard normal numbers, by Box and Muller: float32 (B, count); see :func:`bits`."""
    keys = _checked(seed, members)
    normals_N4B = np.empty((-(-count // 4), 4, len(keys)), dtype=np.float32)
    for first in range(0, len(keys), TILE):
        uniforms_4NB = _to_uniform(_words(seed, keys[first : first + TILE], stream, count))
        turns_N2B = np.empty((len(normals_N4B), 2, uniforms_4NB.shape[2]), dtype=np.float32)
        for pair in (0, 2):
            radii_NB = np.sqrt(np.float32(-2.0) * np.log(uniforms_4NB[pair]))
            cos_sin(np.float32(2.0 * np.pi) * uniforms_4NB[pair + 1], turns_N2B)
            _stretch(turns_N2B, radii_NB, normals_N4B[:, pair : pair + 2, first : first + TILE])
    return normals_N4B.reshape(4 * len(normals_N4B), len(keys))[:count].T


def check_seed(seed: int) -> None:
    """Raise ValueError unless `seed` is a whole number from 0 to 2**64 - 1."""
    whole_number("seed", seed, 0, 2**64 - 1)


def _checked(seed: int, members: np.ndarray) -> np.ndarray:
    check_seed(seed)
    numbers = np.asarray(members)
    if numbers.size and numbers.dtype.kind not in "iu":
        raise ValueError(f"members are {numbers.dtype}; their numbers are whole")
    if (numbers < 0).any():
        raise ValueError(f"member {numbers.min()} is negative; members are numbered from 0")
    return numbers.astype(np.uint64)


def _words(seed: int, keys: np.ndarray, stream: Stream, count: int) -> np.ndarray:
    """Number 4 n + i of each member at [i, n]: uint32 (4, N, B), N enough for `count`."""
    words_4NB = np.empty((4, -(-count // 4), len(keys)), dtype=np.uint32)
    _philox(np.uint64(seed), keys, np.uint64(stream), *words_4NB)
    return words_4NB


def _to_uniform(words: np.ndarray) -> np.ndarray:
    """The upper 23 bits as the middle of their interval: exact in float32."""
    numbers = np.empty(words.shape, dtype=np.float32)
    _scale(words.reshape(-1), numbers.reshape(-1))
    return numbers


@njit(cache=True)
def _scale(words: np.ndarray, out: np.ndarray) -> None:
    for k in range(len(out)):
        out[k] = (np.float32(words[k] >> np.uint32(9)) + np.float32(0.5)) * np.float32(2.0**-23)


@njit(cache=True)
def _stretch(turns_N2B: np.ndarray, radii_NB: np.ndarray, out_N2B: np.ndarray) -> None:
    for n in range(out_N2B.shape[0]):
        for part in range(2):
            for b in range(out_N2B.shape[2]):
                out_N2B[n, part, b] = radii_NB[n, b] * turns_N2B[n, part, b]


@njit(cache=True)
def _philox(
    key: np.uint64,
    members: np.ndarray,
    stream: np.uint64,
    out_0: np.ndarray,
    out_1: np.ndarray,
    out_2: np.ndarray,
    out_3: np.ndarray,
) -> None:
    """Ten rounds on the counters (block, stream, member's low and high half); constants of the paper.

    Outputs are (blocks, members). Variables hold 32 bits in 64, as the products need them.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    multiplier_0, multiplier_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    weyl_0, weyl_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
    for block in range(out_0.shape[0]):
        for member in range(out_0.shape[1]):
            number = members[member]
            c0, c1, c2, c3 = np.uint64(block), stream, number & low, number >> half
            k0, k1 = key & low, key >> half
            for _ in range(10):
                product_0, product_1 = c0 * multiplier_0, c2 * multiplier_1
                c0, c1 = (product_1 >> half) ^ c1 ^ k0, product_1 & low
                c2, c3 = (product_0 >> half) ^ c3 ^ k1, product_0 & low
                k0, k1 = (k0 + weyl_0) & low, (k1 + weyl_1) & low
            out_0[block, member], out_1[block, member] = c0, c1
            out_2[block, member], out_3[block, member] = c2, c3
