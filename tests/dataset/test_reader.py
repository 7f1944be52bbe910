import io
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foldpix.dataset import reader as reader_module
from foldpix.dataset.index import read_index, write_index
from foldpix.dataset.reader import (
    DistogramDataset,
    PngSource,
    Sample,
    ShardSource,
    Skipped,
    SkippedSampleWarning,
)
from foldpix.image import png_bytes
from tests.dataset.handmade import make_picture, write_tar

BINS = ["bin_40_64", "bin_65_128", "bin_129_192"]
SOURCES = [ShardSource, PngSource]


def read_all(source):
    """Every sample, asked for in one batch a bin."""
    data, first, samples = DistogramDataset(source), 0, []
    for bin in source.bins:
        if bin.num_samples:
            samples += data.__getitems__(list(range(first, first + bin.num_samples)))
        first += bin.num_samples
    return samples


def overwrite(shard, number, offset, data):
    """Change a PNG inside a shard."""
    with shard.open("r+b") as file:
        file.seek(read_index(shard).offsets[number] + offset)
        file.write(data)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("split", ["train", "val"])
def test_every_sample_with_its_pixels(dataset, kind, split):
    samples = read_all(kind(dataset.root, split, BINS))
    assert sorted(sample.name for sample in samples) == sorted(dataset.names(split))
    for sample in samples:
        np.testing.assert_array_equal(sample.pixels, dataset.pictures[sample.name].pixels)


@pytest.mark.parametrize("kind", SOURCES)
def test_only_the_bins_asked_for(dataset, kind):
    source = kind(dataset.root, "train", ["bin_129_192", "bin_40_64"])
    assert [bin.longest for bin in source.bins] == [192, 64]
    assert [bin.num_samples for bin in source.bins] == [1, 17]
    assert {sample.name for sample in read_all(source)} == {
        key for key in dataset.names() if dataset.bins[key] != "bin_65_128"
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_absent_split_is_empty(dataset, kind):
    assert len(DistogramDataset(kind(dataset.root, "test", BINS))) == 0


def test_counts_of_shards(dataset):
    source = ShardSource(dataset.root, "train", BINS)
    assert [bin.counts.tolist() for bin in source.bins] == [[7, 4, 6], [11], [1]]


def corrupt_bytes(own_dataset):
    overwrite(own_dataset.shard("bin_40_64", 0), 1, 100, b"\x00" * 50)


def foreign_png(own_dataset):
    """A PNG that was not written by foldpix."""
    shard = own_dataset.shard("bin_40_64", 0)
    keys = read_index(shard).keys
    buffer = io.BytesIO()
    Image.fromarray(own_dataset.pictures[keys[1]].pixels).save(buffer, "PNG")
    pngs = {key: png_bytes(own_dataset.pictures[key]) for key in keys}
    write_tar(shard, pngs | {keys[1]: buffer.getvalue()})


@pytest.mark.parametrize("damage", [corrupt_bytes, foreign_png])
def test_unreadable_sample_is_skipped_by_name(own_dataset, damage):
    damage(own_dataset)
    source = ShardSource(own_dataset.root, "train", BINS[:2])
    samples = read_all(source)
    (skipped,) = [sample for sample in samples if isinstance(sample, Skipped)]
    assert skipped.name == "train-40-0-001" and skipped.reason
    assert {s.name for s in samples} == set(own_dataset.names())


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_never_stops_reading(own_dataset, seed):
    rng = np.random.default_rng(seed)
    shard = own_dataset.shard("bin_40_64", 0)
    write_index(shard)
    index = read_index(shard)
    for _ in range(20):
        number = int(rng.integers(1, len(index)))
        # The file's length stands, and so do its first and last tar header.
        overwrite(shard, number, int(rng.integers(index.sizes[number])), rng.bytes(1))
    samples = read_all(ShardSource(own_dataset.root, "train", BINS[:2]))
    assert len(samples) == 10
    for sample in samples:
        if isinstance(sample, Sample):
            np.testing.assert_array_equal(sample.pixels, own_dataset.pictures[sample.name].pixels)


def test_damaged_tar_header_is_skipped_by_name(own_dataset):
    shard = own_dataset.shard("bin_40_64", 0)
    write_index(shard)
    overwrite(shard, 1, -512, b"\xff" * 600)
    samples = read_all(ShardSource(own_dataset.root, "train", BINS[:1]))
    assert [s.name for s in samples if isinstance(s, Skipped)] == ["train-40-0-001"]


def test_missing_png_is_skipped_by_name(own_dataset):
    (own_dataset.root / "bin_40_64" / "train-40-1-002.png").unlink()
    samples = read_all(PngSource(own_dataset.root, "train", BINS[:2]))
    assert [s.name for s in samples if isinstance(s, Skipped)] == ["train-40-1-002"]


@pytest.mark.parametrize("number", [0, 2])
def test_batch_without_readable_sample_takes_the_next_of_its_bin(own_dataset, number):
    shard = own_dataset.shard("bin_65_128", 0)
    overwrite(shard, number, 0, b"bad")
    data = DistogramDataset(ShardSource(own_dataset.root, "train", BINS[:2]))
    skipped, substitute = data.__getitems__([7 + number])
    assert isinstance(skipped, Skipped)
    assert substitute.name == f"train-65-0-{(number + 1) % 3:03d}"


def spoil(own_dataset, bin, number, num_samples):
    shard = own_dataset.shard(bin, number)
    for sample in range(num_samples):
        overwrite(shard, sample, 0, b"bad")


def test_bin_without_readable_sample_takes_one_of_the_nearest_bin(own_dataset):
    own_dataset.add_shard("bin_193_256", 0, 2)
    spoil(own_dataset, "bin_65_128", 0, 3)
    bins = ["bin_193_256", *BINS[:2]]  # in any order
    skipped, substitute = DistogramDataset(ShardSource(own_dataset.root, "train", bins)).__getitems__(
        [2 + 7 + 1]
    )
    assert skipped.name == "train-65-0-001"
    assert substitute.name == "train-40-0-000"


def test_split_without_readable_sample(own_dataset):
    for bin, number, num_samples in ((BINS[0], 0, 4), (BINS[0], 1, 3), (BINS[1], 0, 3)):
        spoil(own_dataset, bin, number, num_samples)
    data = DistogramDataset(ShardSource(own_dataset.root, "train", BINS[:2]))
    with pytest.raises(ValueError, match="none of 10 samples can be read"):
        data.__getitems__([8])


@pytest.mark.parametrize("kind", SOURCES)
def test_what_the_system_cannot_read_is_skipped_with_its_reason(own_dataset, kind, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    data = DistogramDataset(kind(own_dataset.root, "train", BINS[:2]))
    real, name = kind.read, data.source.name(1)
    monkeypatch.setattr(kind, "read", lambda self, number: fail() if number == 1 else real(self, number))
    skipped, sample = data.__getitems__([1, 2])
    assert skipped == Skipped(name, "[Errno 5] Input/output error")
    assert isinstance(sample, Sample)


def test_shard_that_vanishes_is_skipped(own_dataset):
    source = ShardSource(own_dataset.root, "train", BINS[:1])
    own_dataset.shard("bin_40_64", 1).unlink()
    assert [s.name for s in read_all(source) if isinstance(s, Skipped)] == [
        f"train-40-1-{i:03d}" for i in range(3)
    ]


@pytest.mark.parametrize("with_index", [True, False])
def test_truncated_shard_is_warned_about_once(own_dataset, with_index):
    shard = own_dataset.shard("bin_40_64", 0)
    if with_index:
        write_index(shard)
    os.truncate(shard, int(read_index(shard).offsets[2]) + 10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source = ShardSource(own_dataset.root, "train", BINS[:2])
        samples = read_all(source)
    lost = 2 if with_index else 1
    message = f"{shard} is cut short: 2 samples are whole, at least {lost} lost"
    assert [(w.category, str(w.message)) for w in caught] == [(SkippedSampleWarning, message)]
    assert source.num_lost == lost
    assert {s.name for s in samples} == set(own_dataset.names()) - {"train-40-0-002", "train-40-0-003"}


def test_empty_shard(own_dataset):
    write_tar(own_dataset.shard("bin_40_64", 2), {})
    source = ShardSource(own_dataset.root, "train", BINS[:1])
    assert source.bins[0].counts.tolist() == [4, 3, 0]
    assert len(read_all(source)) == 7


def test_shard_that_shrinks_while_read(own_dataset):
    source = ShardSource(own_dataset.root, "train", BINS[:1])
    os.truncate(own_dataset.shard("bin_40_64", 1), 700)
    assert sum(isinstance(sample, Skipped) for sample in read_all(source)) == 3


def num_open_files():
    return len(list(Path("/dev/fd").iterdir()))


def test_few_files_stay_open(own_dataset, monkeypatch):
    monkeypatch.setattr(reader_module, "MAX_OPEN_FILES", 2)
    before = num_open_files()
    source = ShardSource(own_dataset.root, "train", BINS[:2])
    assert len(read_all(source)) == len(read_all(source)) == 10
    assert num_open_files() == before + 2
    del source
    assert num_open_files() == before


def test_pickled_source_opens_its_own_files(own_dataset):
    source = ShardSource(own_dataset.root, "train", BINS[:2])
    names = [sample.name for sample in read_all(source)]
    copy = pickle.loads(pickle.dumps(source))
    del source
    assert [sample.name for sample in read_all(copy)] == names


def test_long_keys(tmp_path):
    key = "k" * 150
    write_tar(tmp_path / "shards/bin_40_64/train-000000.tar", {key: png_bytes(make_picture(key, 50))})
    (sample,) = read_all(ShardSource(tmp_path, "train", BINS[:1]))
    np.testing.assert_array_equal(sample.pixels, make_picture(key, 50).pixels)
