import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldpix.dataset.order import BinSamples, EpochOrder, ResampledOrder, batch_size_of

LONGEST = (64, 128, 192, 256)


def make_bins(counts):
    return [BinSamples(high, np.array(c, dtype=np.int64)) for high, c in zip(LONGEST, counts, strict=False)]


def bin_of(bins, numbers):
    ends = np.cumsum([bin.num_samples for bin in bins])
    return set(np.searchsorted(ends, numbers, side="right").tolist())


def epoch_of(order, world_size, epoch=0):
    """batches[step][rank]"""
    numbers = range(epoch * order.steps, (epoch + 1) * order.steps)
    return [[order.batch(number, rank) for rank in range(world_size)] for number in numbers]


shard_counts = st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=4)


@settings(deadline=None, max_examples=300)
@given(
    shard_counts,
    st.integers(1, 5),
    st.integers(1, 7),
    st.sampled_from([None, 1, 3 * 64**2, 3 * 128**2]),
    st.sampled_from([0, 1, 4, 1000]),
    st.integers(0, 3),
)
def test_each_sample_once_and_as_many_batches_for_each_rank(counts, world_size, size, cap, buffer, epoch):
    bins = make_bins(counts)
    filled = [bin for bin in bins if bin.num_samples]
    total = sum(bin.num_samples for bin in bins)
    most = total // world_size * world_size  # the largest number of batches that the ranks can share
    if most < max(1, len(filled)):
        with pytest.raises(ValueError, match="start fewer"):
            EpochOrder(bins, size, cap, world_size)
        return
    order = EpochOrder(bins, size, cap, world_size, seed=7, shuffle_buffer=buffer)
    batches = [batch for step in epoch_of(order, world_size, epoch) for batch in step]
    assert sorted(np.concatenate(batches).tolist()) == list(range(total))
    assert all(len(batch) and len(bin_of(bins, batch)) == 1 for batch in batches)
    caps = [batch_size_of(bin.longest, size, cap) for bin in bins]
    if most >= sum(-(-bin.num_samples // cap) for bin, cap in zip(bins, caps, strict=True)):
        assert all(len(batch) <= caps[next(iter(bin_of(bins, batch)))] for batch in batches)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(8, 30), min_size=1, max_size=3), min_size=1), st.integers(2, 4))
def test_ranks_share_the_bin_and_nearly_the_batch_size(counts, world_size):
    bins = make_bins(counts)
    for step in epoch_of(EpochOrder(bins, 5, None, world_size, 0, 100), world_size):
        assert len(bin_of(bins, np.concatenate(step))) == 1
        sizes = [len(batch) for batch in step]
        assert max(sizes) - min(sizes) <= 1


def test_few_mixed_steps_for_bins_smaller_than_the_world():
    bins = make_bins([[1], [2], [40], [1]])
    steps = epoch_of(EpochOrder(bins, 4, None, 4), 4)
    assert sum(len(bin_of(bins, np.concatenate(step))) > 1 for step in steps) <= 2


def test_batches_grow_where_they_cannot_be_shared_otherwise():
    (step,) = epoch_of(EpochOrder(make_bins([[3]]), 1, None, 2), 2)
    assert sorted(map(len, step)) == [1, 2]


def test_steps_are_the_same_for_every_seed_and_epoch():
    bins = make_bins([[9, 4], [3], [17]])
    steps = {EpochOrder(bins, 4, None, 3, seed, 10).steps for seed in range(20)}
    assert len(steps) == 1
    order = EpochOrder(bins, 4, None, 3, 0, 10)
    for epoch in range(20):
        samples = np.concatenate([batch for step in epoch_of(order, 3, epoch) for batch in step])
        assert sorted(samples.tolist()) == list(range(33))


def flat(order, epoch):
    return np.concatenate([step[0] for step in epoch_of(order, 1, epoch)]).tolist()


def test_order_differs_by_epoch_and_seed_and_repeats():
    bins = make_bins([[20, 30], [25]])
    first, same, other = (EpochOrder(bins, 4, None, 1, seed, 1000) for seed in (1, 1, 2))
    orders = [flat(first, 0), flat(first, 1), flat(first, 2), flat(other, 0)]
    assert len(set(map(tuple, orders))) == 4
    assert [flat(same, epoch) for epoch in (2, 0, 1)] == [orders[2], orders[0], orders[1]]


def test_no_buffer_keeps_file_order():
    order = EpochOrder(make_bins([[5, 3], [0], [4]]), 3, None, 1, seed=5, shuffle_buffer=0)
    assert flat(order, 0) == flat(order, 3) == list(range(12))


def test_samples_move_less_than_the_buffer():
    moved = np.array(flat(EpochOrder(make_bins([[500]]), 8, None, 1, 0, 20), 0)) - np.arange(500)
    assert 5 < np.abs(moved).max() < 20
    assert (moved != 0).mean() > 0.8


def test_shards_are_shuffled_and_read_one_after_the_other():
    order = EpochOrder(make_bins([[50] * 40]), 10, None, 1, 0, 50)
    shards_of_epochs = [np.array(flat(order, epoch)) // 50 for epoch in range(3)]
    assert len({shards[0] for shards in shards_of_epochs}) > 1
    for shards in shards_of_epochs:
        assert max(len(np.unique(shards[i : i + 100])) for i in range(0, 1900)) <= 5


def test_bins_are_mixed():
    bins = make_bins([[100], [100]])
    steps = epoch_of(EpochOrder(bins, 10, None, 1, 0, 1000), 1)
    labels = [bin_of(bins, step[0]).pop() for step in steps]
    assert labels not in (sorted(labels), sorted(labels, reverse=True))


def test_every_place_is_as_likely_for_every_sample():
    order = EpochOrder(make_bins([[1] * 12]), 1, None, 1, 0, 1000)
    seen = np.zeros((12, 12))
    for epoch in range(1200):
        seen[flat(order, epoch), np.arange(12)] += 1
    assert np.abs(seen - 100).max() < 50  # five standard deviations


@pytest.mark.parametrize(
    ("longest", "cap", "size"), [(64, None, 32), (64, 3 * 64**2, 3), (128, 3 * 64**2, 1), (1024, 2**21, 2)]
)
def test_batch_size_of(longest, cap, size):
    assert batch_size_of(longest, 32, cap) == size


def test_fewer_samples_than_ranks():
    with pytest.raises(ValueError, match="2 samples in 1 bins cannot be shared by 3 processes"):
        EpochOrder(make_bins([[2]]), 4, None, 3)


def test_resampled_is_balanced_and_repeats():
    bins = make_bins([[30, 10], [], [3], [17]])
    order, same = (ResampledOrder(bins, 8, 16 * 64**2, 2, seed=3) for _ in range(2))
    seen = np.zeros(60)
    for number in range(6000):
        pair = [order.batch(number, rank) for rank in (0, 1)]
        assert len(bin_of(bins, np.concatenate(pair))) == 1
        np.add.at(seen, np.concatenate(pair), 1)
    # Samples of a bin come in bursts of a batch, which widens the spread between bins.
    assert np.abs(seen / seen.mean() - 1).max() < 0.25
    np.testing.assert_array_equal(order.batch(10**9, 1), same.batch(10**9, 1))
    assert order.batch(5, 0).tolist() != order.batch(5, 1).tolist()
    assert order.steps is None
