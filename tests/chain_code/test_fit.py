import numpy as np
import pytest

from foldpix.chain_code import ChainCode, ChainCoder, Codebook, fit
from foldpix.chain_code.fit import fit_codebook, steps_of
from foldpix.geometry import build_backbone
from foldpix.structure import Backbone
from tests.evaluation.conftest import random_chain


def chains(num, length=60):
    return [Backbone(random_chain(length, seed), "A" * length) for seed in range(num)]


def test_steps_that_are_few_are_found():
    """Chains made of eight steps with some noise: each of the eight is among the codes."""
    steps = steps_of(Backbone(build_backbone(np.random.default_rng(1).uniform(-3, 3, (9, 3))), "A" * 9))
    maker, rng = ChainCoder(Codebook(steps, np.ones(8, dtype=np.int64))), np.random.default_rng(0)
    made = [
        maker.decode(ChainCode(rng.integers(8, size=50), "A" * 50)).coords + rng.normal(0, 0.01, (50, 3, 3))
        for _ in range(30)
    ]
    found = fit_codebook([Backbone(coords, "A" * 50) for coords in made], 32, seed=2)
    distance = np.linalg.norm((found.steps[:, None] - steps[None]).reshape(32, 8, 9), axis=-1)
    assert distance.min(axis=0).max() < 0.1


def test_rounds_of_coding_help_and_a_seed_says_all():
    some, told = chains(40), []
    codebook = fit_codebook(some, 32, seed=1, report=lambda *each: told.append(each))
    assert [number for number, *_ in told] == list(range(1, 14)) and told[0][1] == 13
    assert told[-1][2] < 0.7 * told[0][2]
    assert codebook.counts.sum() == 40 * 59
    again = fit_codebook(some, 32, seed=1)
    assert np.array_equal(again.steps, codebook.steps) and np.array_equal(again.counts, codebook.counts)
    assert not np.array_equal(fit_codebook(some, 32, seed=2).steps, codebook.steps)


def test_breaks_are_no_steps():
    chain = chains(1)[0]
    coords = chain.coords.copy()
    coords[20:] += 30.0
    assert len(steps_of(chain)) == 59 and len(steps_of(Backbone(coords, chain.sequence))) == 58


def test_codes_that_nothing_used_go_where_much_is():
    points = np.zeros((100, 9), dtype=np.float32)
    centres = np.stack([np.full(9, value, dtype=np.float32) for value in (0.0, 50.0, 90.0)])
    moved = fit._means(points, np.zeros(100, dtype=np.int64), centres, np.random.default_rng(0))
    assert np.abs(moved).max() < 0.1


@pytest.mark.parametrize(
    ("size", "message"),
    [(60, "59 steps in 1 chains are too few for 60 codes"), (1, "codebook_size=1 must be 2 to 65,536")],
)
def test_sizes_that_cannot_be(size, message):
    with pytest.raises(ValueError, match=message):
        fit_codebook(chains(1), size)
