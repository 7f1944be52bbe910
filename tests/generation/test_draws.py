"""Counter-based random numbers: known answers, independence of how they are asked for, their distribution."""

import numpy as np
import pytest

from foldpix.generation.draws import Stream, bits, normal, uniform


def test_known_answers():
    """Random123's published test vectors of Philox4x32-10 (all zeros, and the counters that can be set)."""
    first = bits(0, np.array([0]), Stream.TORSION, 4)[0]
    assert [f"{word:08x}" for word in first] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


def philox(key, counter):
    """The paper's rounds in Python's integers."""
    (k0, k1), (c0, c1, c2, c3), mask = key, counter, 2**32 - 1
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & mask, (p0 >> 32) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return [c0, c1, c2, c3]


def test_python_integers_agree_with_the_published_vector_of_pi():
    """Random123's third vector: digits of pi as counter and key."""
    found = philox((0xA4093822, 0x299F31D0), (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344))
    assert [f"{word:08x}" for word in found] == ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"]


@pytest.mark.parametrize("seed", [1, 2**32 + 5, 2**64 - 1])
@pytest.mark.parametrize("member", [0, 7, 2**33 + 1])
def test_every_word_is_that_of_its_counter(seed, member):
    found = bits(seed, np.array([member]), Stream.FOLD, 10)[0].tolist()
    key, own = (seed % 2**32, seed >> 32), (member % 2**32, member >> 32)
    words = [word for block in range(3) for word in philox(key, (block, Stream.FOLD, *own))]
    assert found == words[:10]


@pytest.mark.parametrize("draw", [bits, uniform, normal])
def test_a_member_depends_on_nothing_but_seed_number_and_stream(draw):
    members = np.arange(5, 305)
    whole = draw(3, members, Stream.SEGMENT, 17)
    assert whole.shape == (300, 17)
    order = np.random.default_rng(0).permutation(300)
    assert np.array_equal(draw(3, members[order], Stream.SEGMENT, 17), whole[order])
    assert np.array_equal(draw(3, members[123:124], Stream.SEGMENT, 6), whole[123:124, :6])
    assert not np.array_equal(draw(3, members, Stream.ROTAMER, 17), whole)
    assert not np.array_equal(draw(4, members, Stream.SEGMENT, 17), whole)


def test_uniform_fills_the_open_interval():
    numbers = uniform(1, np.arange(1000), Stream.LENGTH, 500)
    assert numbers.dtype == np.float32 and 0 < numbers.min() < 1e-5 and 1 - 1e-5 < numbers.max() < 1
    counts = np.histogram(numbers, bins=50, range=(0, 1))[0]
    chi_squared = np.square(counts - 10_000).sum() / 10_000
    assert chi_squared < 90  # 49 degrees of freedom: one in 3,000


def test_normal_has_the_moments_of_the_normal_distribution():
    numbers = normal(1, np.arange(1000), Stream.TORSION, 500).astype(np.float64)
    moments = [np.mean(numbers**power) for power in (1, 2, 3, 4)]
    deviations = np.sqrt(np.array([1, 2, 15, 96]) / numbers.size)  # of the moments of a normal sample
    assert (np.abs(np.array(moments) - [0, 1, 0, 3]) < 4 * deviations).all()
    assert abs(np.corrcoef(numbers[:, 0::2].ravel(), numbers[:, 1::2].ravel())[0, 1]) < 4 / 500
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 4 / 700


def test_nothing_is_drawn_for_nobody():
    assert bits(0, np.array([], dtype=int), Stream.FOLD, 3).shape == (0, 3)
    assert normal(0, np.arange(2), Stream.FOLD, 0).shape == (2, 0)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, None, "1"])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="no whole number from 0 to"):
        bits(seed, np.arange(2), Stream.FOLD, 1)


def test_bad_members():
    with pytest.raises(ValueError, match="member -2 is negative"):
        bits(0, np.array([1, -2]), Stream.FOLD, 1)
