import json
import multiprocessing
import warnings
from itertools import chain, islice

import pytest
import torch

from foldpix.dataset.loader import DistogramLoader, cycle
from foldpix.dataset.order import EpochOrder, ResampledOrder
from foldpix.dataset.reader import DistogramDataset, ShardSource, SkippedSampleWarning

# On a machine with one core.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

BINS = ["bin_40_64", "bin_65_128", "bin_129_192"]


def make_loader(root, rank=0, world_size=1, seed=1, batch_size=4, buffer=100, resampled=False, **options):
    data = DistogramDataset(ShardSource(root, "train", BINS))
    if resampled:
        order = ResampledOrder(data.source.bins, batch_size, None, world_size, seed)
    else:
        order = EpochOrder(data.source.bins, batch_size, None, world_size, seed, buffer)
    return DistogramLoader(data, order, 16, rank, **options)


def names_of(batches):
    return [batch.names for batch in batches]


def flat_names(batches):
    return list(chain.from_iterable(names_of(batches)))


def assert_equal(batches, others):
    assert names_of(batches) == names_of(others)
    for batch, other in zip(batches, others, strict=True):
        assert torch.equal(batch.image, other.image) and torch.equal(batch.mask, other.mask)


def test_epoch_holds_each_sample_once_in_batches_of_one_bin(dataset):
    loader = make_loader(dataset.root)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert sorted(flat_names(batches)) == sorted(dataset.names())
    assert all(len({dataset.bins[name] for name in batch.names}) == 1 for batch in batches)
    for batch in batches:
        assert batch.lengths.tolist() == [len(dataset.pictures[name].sequence) for name in batch.names]


def test_order_differs_by_epoch_and_repeats_by_seed(dataset):
    loader = make_loader(dataset.root)
    first = names_of(loader)
    assert names_of(loader) == first == names_of(make_loader(dataset.root))
    loader.set_epoch(1)
    assert first != names_of(loader) == names_of(loader)
    assert first != names_of(make_loader(dataset.root, seed=2))


def test_cycle_gives_epoch_after_epoch(dataset):
    loader = make_loader(dataset.root)
    expected = []
    for epoch in range(3):
        loader.set_epoch(epoch)
        expected += names_of(loader)
    assert names_of(islice(cycle(loader), len(expected))) == expected


@pytest.mark.parametrize(("num_workers", "start_method"), [(1, "fork"), (2, "fork"), (1, "spawn")])
def test_workers_change_nothing(dataset, num_workers, start_method):
    expected = list(islice(cycle(make_loader(dataset.root)), 20))
    loader = make_loader(dataset.root, num_workers=num_workers, start_method=start_method)
    assert_equal(list(islice(cycle(loader), 20)), expected)


@pytest.mark.parametrize("resampled", [False, True])
def test_resume_at_every_batch_equals_no_interruption(dataset, resampled):
    loader = make_loader(dataset.root, resampled=resampled)
    expected = list(islice(cycle(loader), 23))
    assert_equal(list(islice(cycle(loader, 5), 18)), expected[5:])
    for start in range(21):
        assert names_of(islice(cycle(loader, start), 3)) == names_of(expected[start : start + 3])


def test_resume_reads_nothing_of_what_came_before(dataset, monkeypatch):
    loader = make_loader(dataset.root)
    expected = next(iter(loader.workers(range(7, 8))))
    read, original = [], DistogramDataset.__getitems__
    monkeypatch.setattr(
        DistogramDataset,
        "__getitems__",
        lambda self, numbers: read.append(numbers) or original(self, numbers),
    )
    assert next(cycle(loader, 7)).names == expected.names
    assert len(read) == 1


def test_stream_goes_on_when_iterated_again(dataset):
    loader = make_loader(dataset.root, num_workers=2, start_method="fork")
    expected = names_of(islice(cycle(loader), 9))
    stream = cycle(loader)
    assert [name for _ in range(3) for name in names_of(islice(iter(stream), 3))] == expected
    assert stream.position == 9


def test_global_random_state_is_left_alone(dataset):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for num_workers in (0, 1):
        next(
            cycle(
                make_loader(
                    dataset.root, num_workers=num_workers, start_method="fork" if num_workers else None
                )
            )
        )
    assert torch.equal(torch.get_rng_state(), before)


def _two_epochs_of_a_rank(root, rank, path):
    loader = make_loader(root, rank, world_size=2, batch_size=3, num_workers=2, start_method="fork")
    stream = cycle(loader)
    path.write_text(json.dumps([names_of(islice(stream, len(loader))) for _ in range(2)]))


def test_two_processes_with_two_workers_see_each_sample_once_an_epoch(dataset, tmp_path):
    paths = [tmp_path / f"rank{rank}.json" for rank in (0, 1)]
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_two_epochs_of_a_rank, args=(dataset.root, rank, path))
        for rank, path in enumerate(paths)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    ranks = [json.loads(path.read_text()) for path in paths]
    for epoch in range(2):
        first, second = (rank[epoch] for rank in ranks)
        assert len(first) == len(second)
        assert sorted(chain.from_iterable(first + second)) == sorted(dataset.names())
    assert ranks[0][0] != ranks[0][1]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_unreadable_samples_are_counted_and_warned_about_once(own_dataset, num_workers):
    shard = own_dataset.shard("bin_40_64", 0)
    data = shard.read_bytes()
    shard.write_bytes(data[:700] + b"damaged" + data[707:])  # inside the first PNG
    options = {"num_workers": num_workers, "start_method": "fork"} if num_workers else {}
    loader = make_loader(own_dataset.root, batch_size=2, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        epochs = [list(loader) for _ in range(3)]
    assert [w.category for w in caught] == [SkippedSampleWarning]
    assert str(caught[0].message).startswith("skipped train-40-0-000: ")
    assert loader.skipped == {"train-40-0-000": 3}
    assert loader.num_skipped == 1
    for epoch in epochs:
        assert sorted(flat_names(epoch)) == sorted(set(own_dataset.names()) - {"train-40-0-000"})


def test_resampled_has_no_length_and_no_end(dataset):
    loader = make_loader(dataset.root, resampled=True)
    with pytest.raises(TypeError, match="cycle"):
        len(loader)
    names = flat_names(islice(cycle(loader), 150))
    assert set(names) == set(dataset.names())
    assert names_of(islice(cycle(make_loader(dataset.root, resampled=True)), 150)) == names_of(
        islice(cycle(loader), 150)
    )
