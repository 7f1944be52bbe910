"""The beam search against brute force, and against what it must obey."""

import itertools

import numpy as np
import pytest

from benchmarks.reference import beam_search
from foldpix.chain_code import ChainCode, ChainCoder, Codebook
from foldpix.chain_code.fit import steps_of
from foldpix.chain_code.frames import carbonyl_frames
from foldpix.geometry import build_backbone
from foldpix.structure import Backbone


def backbone(length, seed=0):
    """Torsions all at random: no step comes twice."""
    torsions = np.random.default_rng(seed).uniform(-np.pi, np.pi, (length, 3))
    torsions[:, 2] = np.pi
    return Backbone(build_backbone(torsions), "A" * length)


def codebook_of(chain, size):
    return Codebook(steps_of(chain)[:size], np.ones(size, dtype=np.int64))


def placed(coder, codes, chain):
    """N, CA, C of codes, the first residue's frame on the true one."""
    origin, axes = carbonyl_frames(chain.coords[0])
    return coder.decode_from(ChainCode(np.asarray(codes), "A" * len(codes)), (origin, axes))


def deviation(coder, codes, chain):
    squared = np.sum((placed(coder, codes, chain) - chain.coords[: len(codes)]) ** 2, axis=-1)
    return np.sqrt(np.mean(squared))


@pytest.mark.parametrize("seed", range(3))
def test_enough_beams_find_what_brute_force_finds(seed):
    chain = backbone(5, seed)
    coder = ChainCoder(codebook_of(backbone(40, seed + 9), 6), num_beams=6**4)
    found = coder.encode(chain)
    alternatives = (
        deviation(coder, [found.codes[0], *rest], chain) for rest in itertools.product(range(6), repeat=4)
    )
    assert found.deviation == pytest.approx(min(alternatives), abs=1e-4)


def test_one_beam_is_greedy():
    chain = backbone(12)
    coder = ChainCoder(codebook_of(backbone(60, 5), 20), num_beams=1)
    codes = coder.encode(chain).codes.tolist()
    for i in range(1, len(chain)):
        assert codes[i] == min(range(20), key=lambda k: deviation(coder, [*codes[:i], k], chain))


def test_the_deviation_is_that_of_the_decoded_chain():
    chain = backbone(80, 1)
    coder = ChainCoder(codebook_of(backbone(300, 2), 64), num_beams=8)
    code = coder.encode(chain)
    assert code.deviation == pytest.approx(deviation(coder, code.codes, chain), abs=1e-4)


def test_more_beams_help():
    chain = backbone(100, 3)
    codebook = codebook_of(backbone(300, 4), 64)
    deviations = [ChainCoder(codebook, beams).encode(chain).deviation for beams in (1, 8, 64)]
    assert deviations[0] > 1.2 * deviations[1] > 1.2**2 * deviations[2]


def test_errors_do_not_add_up():
    """Of a long chain the last residues are as close as the first ones."""
    chain = backbone(600, 6)
    coder = ChainCoder(codebook_of(backbone(400, 7), 256), num_beams=16)
    off = np.linalg.norm(placed(coder, coder.encode(chain).codes, chain) - chain.coords, axis=-1).mean(axis=1)
    assert off[-100:].mean() < 1.5 * off[50:150].mean()


def test_a_chain_of_codebook_steps_comes_back_exactly():
    coder = ChainCoder(codebook_of(backbone(300, 8), 50), num_beams=4)
    codes = np.random.default_rng(0).integers(50, size=70)
    again = coder.encode(coder.decode(ChainCode(codes, "A" * 70)))
    assert np.array_equal(again.codes[1:], codes[1:])
    assert again.deviation < 1e-3


@pytest.mark.parametrize("num_beams", [1, 5, 32])
def test_the_codes_are_those_of_the_plain_search(num_beams):
    chain = backbone(40, 11)
    coder = ChainCoder(codebook_of(backbone(300, 12), 100), num_beams)
    expected = beam_search.encode(chain.coords, coder.codebook, num_beams)
    # The first residue's code says a shape, and made-up residues have all the same.
    assert np.array_equal(coder.encode(chain).codes[1:], expected[1:])
    codes = np.random.default_rng(0).integers(100, size=40)
    ours = coder.decode(ChainCode(codes, "A" * 40)).coords
    assert np.allclose(ours, beam_search.decode(codes, coder.codebook), atol=1e-4)
