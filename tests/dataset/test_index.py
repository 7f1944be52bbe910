import os
import shutil
import tarfile
import warnings

import numpy as np
import pytest

from foldpix.dataset import index as index_module
from foldpix.dataset.index import index_path, read_index, scan_shard, write_index
from foldpix.image import png_bytes, read_png
from tests.dataset.handmade import make_picture, write_tar

KEYS = ["1abc_A", "2 spaced", "3ümlaut", "4-d"]


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "train-000000.tar"
    write_tar(path, {key: png_bytes(make_picture(key, 40 + i)) for i, key in enumerate(KEYS)})
    return path


def spans(path):
    """What the standard library says about a whole tar."""
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.name.endswith(".png")]
    return [(m.name.removesuffix(".png"), m.offset_data, m.size) for m in members]


def rows(index):
    return list(zip(index.keys, index.offsets.tolist(), index.sizes.tolist(), strict=True))


def test_index_and_scan_agree_with_tarfile(shard):
    scanned = scan_shard(shard)
    write_index(shard)
    assert rows(read_index(shard)) == rows(scanned) == spans(shard)
    assert read_index(shard).num_lost == scanned.num_lost == 0


def test_offsets_lead_to_the_pngs(shard):
    index, data = read_index(shard), shard.read_bytes()
    for i, (key, offset, size) in enumerate(rows(index)):
        picture = read_png(data[offset : offset + size])
        assert picture.name == key
        np.testing.assert_array_equal(picture.pixels, make_picture(key, 40 + i).pixels)


def test_index_is_used_after_the_shard_was_copied(shard, tmp_path, monkeypatch):
    write_index(shard)
    copy = tmp_path / "copy" / shard.name
    copy.parent.mkdir()
    shutil.copyfile(shard, copy)
    shutil.copyfile(index_path(shard), index_path(copy))
    os.utime(copy, (1, 1))
    expected = spans(shard)
    monkeypatch.setattr(index_module, "scan_shard", lambda shard: pytest.fail("scanned"))
    assert rows(read_index(copy)) == expected


@pytest.mark.parametrize("part", [0.0, 0.05, 0.2, 0.33, 0.5, 0.66, 0.75, 0.9])
@pytest.mark.parametrize("with_index", [True, False])
def test_truncated_shard_gives_its_whole_samples(shard, part, with_index):
    everything = spans(shard)
    if with_index:
        write_index(shard)
    cut = int(part * shard.stat().st_size)
    os.truncate(shard, cut)
    index = read_index(shard)
    whole = [row for row in everything if row[1] + row[2] <= cut]
    assert rows(index) == whole
    num_lost = len(everything) - len(whole)
    assert index.num_lost == num_lost if with_index else index.num_lost >= bool(num_lost)


@pytest.mark.parametrize("shift", [-1, 0, 1, 512])
def test_truncation_at_the_edges_of_a_sample(shard, shift):
    everything = spans(shard)
    write_index(shard)
    os.truncate(shard, everything[2][1] + everything[2][2] + shift)
    index = read_index(shard)
    assert rows(index) == everything[: 2 if shift < 0 else 3]
    assert index.num_lost == (2 if shift < 0 else 1)
    index_path(shard).unlink()
    assert rows(read_index(shard)) == rows(index)


def test_broken_in_the_middle_the_index_still_reaches_the_rest(shard):
    everything = spans(shard)
    write_index(shard)
    with shard.open("r+b") as file:
        file.seek(everything[1][1] - 512)
        file.write(b"\xff" * 2000)
    assert rows(read_index(shard)) == everything  # the damaged PNG itself is found out when it is read
    assert rows(scan_shard(shard)) == everything[:1]
    assert scan_shard(shard).num_lost == 1


def test_index_of_another_tar_of_the_same_size_is_not_used(shard):
    write_index(shard)
    size = shard.stat().st_size
    write_tar(shard, {key: png_bytes(make_picture(key, 40 + i)) for i, key in enumerate(reversed(KEYS))})
    assert shard.stat().st_size == size  # tars are padded
    assert rows(read_index(shard)) == spans(shard)


@pytest.mark.parametrize(
    "damage", [b"", b"foldpix-index 2\t1\t0\n", b"\xff\xfe", b"foldpix-index 1\t9999999\t3\n1\t2\tx\n"]
)
def test_damaged_index_is_not_used(shard, damage):
    write_index(shard)
    index_path(shard).write_bytes(damage)
    assert rows(read_index(shard)) == spans(shard)


def test_shard_that_grew_is_scanned(shard):
    write_index(shard)
    write_tar(shard, {key: png_bytes(make_picture(key, 90)) for key in [*KEYS, "new"]})
    assert rows(read_index(shard)) == spans(shard)


def test_empty_shards(tmp_path):
    path = tmp_path / "train-000000.tar"
    write_tar(path, {})
    write_index(path)
    assert len(read_index(path)) == 0 and read_index(path).num_lost == 0
    path.write_bytes(b"")
    assert len(scan_shard(path)) == 0 and scan_shard(path).num_lost == 1


def test_write_index_refuses_a_cut_shard(shard):
    os.truncate(shard, 5000)
    with pytest.raises(ValueError, match="cut short after 0 samples"):
        write_index(shard)
    assert not index_path(shard).exists()


def test_shard_made_by_webdataset(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library's own imports
        from webdataset import TarWriter
    pictures = {key: png_bytes(make_picture(key, 50)) for key in ("a", "b")}
    with TarWriter(str(tmp_path / "w.tar")) as writer:
        for key, png in pictures.items():
            writer.write({"__key__": f"folder/{key}", "json": {"x": 1}, "png": png})
    index, data = read_index(tmp_path / "w.tar"), (tmp_path / "w.tar").read_bytes()
    assert {key: data[offset : offset + size] for key, offset, size in rows(index)} == pictures
