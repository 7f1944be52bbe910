import hashlib
import json
import tarfile
import warnings

import numpy as np
import pytest

from foldpix.dataset import index
from foldpix.dataset.index import read_index, scan_shard
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.reader import ShardSource
from foldpix.dataset.shards import ShardCount, write_shards
from foldpix.image import Picture, png_bytes, read_png


def add(root, key, length=40, split="train", bin="bin_40_64", d_max=80.0) -> ManifestRow:
    """A chain as a conversion leaves it: PNG and row."""
    pixels = np.random.default_rng(list(key.encode())).integers(0, 256, (length, length, 3), dtype=np.uint8)
    path = root / bin / f"{key}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(png_bytes(Picture(pixels, key.split("_")[0], "B", "ACDEFGHIKLX"[:1] * length, d_max)))
    checksum = hashlib.md5(pixels).hexdigest()
    return ManifestRow(Status.CONVERTED, "", key, "B", length, bin, split, f"/d/{key}.pdb", checksum)


@pytest.fixture
def data(tmp_path):
    rows = [add(tmp_path, f"{i}x_B", 40 + i) for i in (3, 1, 4, 0, 2)]
    rows += [add(tmp_path, "long", 70, "val", "bin_65_128"), add(tmp_path, "held", split="test")]
    rows.append(ManifestRow(Status.FAILED, "the file is empty", "empty", source="/d/empty.pdb"))
    rows.append(
        ManifestRow(Status.SKIPPED, "3 residues, fewer than 40", "tiny", "A", 3, source="/d/tiny.pdb")
    )
    write_manifest(tmp_path, rows)
    return tmp_path, rows


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted((root / "shards").rglob("*.*"))}


def stamps(root):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (root / "shards").rglob("*.*")}


def members(shard):
    with tarfile.open(shard) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_samples_of_each_shard(data):
    root, _ = data
    assert write_shards(root, shard_size=2) == ShardCount(5, 0, 0)
    keys = {
        str(path.relative_to(root / "shards")): [name for name in members(path) if name.endswith("png")]
        for path in (root / "shards").rglob("*.tar")
    }
    assert keys == {
        "bin_40_64/train-000000.tar": ["0x_B.png", "1x_B.png"],
        "bin_40_64/train-000001.tar": ["2x_B.png", "3x_B.png"],
        "bin_40_64/train-000002.tar": ["4x_B.png"],
        "bin_40_64/test-000000.tar": ["held.png"],
        "bin_65_128/val-000000.tar": ["long.png"],
    }
    sample = members(root / "shards/bin_40_64/train-000001.tar")
    assert list(sample) == ["2x_B.png", "2x_B.json", "3x_B.png", "3x_B.json"]
    assert sample["3x_B.png"] == (root / "bin_40_64/3x_B.png").read_bytes()
    about = {"name": "3x", "chain": "B", "length": 43, "sequence": "A" * 43, "d_max": 80.0}
    assert json.loads(sample["3x_B.json"]) == about


def test_index_beside_each_shard(data):
    root, _ = data
    write_shards(root, shard_size=3)
    shard = root / "shards/bin_40_64/train-000000.tar"
    assert shard.with_suffix(".idx").exists()
    found = read_index(shard)
    raw = shard.read_bytes()
    for key, offset, size in zip(found.keys, found.offsets, found.sizes, strict=True):
        assert raw[offset : offset + size] == (root / f"bin_40_64/{key}.png").read_bytes()
    assert found.keys == ["0x_B", "1x_B", "2x_B"]


def test_same_bytes_on_every_run(data, tmp_path_factory):
    root, rows = data
    write_shards(root, 2)
    other = tmp_path_factory.mktemp("other")
    for row in reversed(rows[:7]):
        add(other, row.id, row.length, row.split, row.bin)
    write_manifest(other, reversed(rows))
    write_shards(other, 2, workers=2)
    assert contents(other) == contents(root)
    with tarfile.open(root / "shards/bin_65_128/val-000000.tar") as archive:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in archive} == {
            (0, 0, 0, "", "", 0o644)
        }


def test_unchanged_shards_are_left_alone(data):
    root, rows = data
    write_shards(root, 2)
    before = stamps(root)
    assert write_shards(root, 2) == ShardCount(0, 5, 0)
    assert stamps(root) == before
    write_manifest(root, [*rows, add(root, "9x_B")])
    assert write_shards(root, 2) == ShardCount(1, 4, 0)
    changed = {path.stem for path, stamp in stamps(root).items() if before.get(path) != stamp}
    assert changed == {"train-000002"}


@pytest.mark.parametrize("suffix", [".tar", ".idx", ".digest"])
def test_what_is_missing_is_written_again(data, suffix):
    root, _ = data
    write_shards(root, 2)
    before = contents(root)
    (root / f"shards/bin_40_64/train-000001{suffix}").unlink()
    assert write_shards(root, 2) == ShardCount(1, 4, 0)
    assert contents(root) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: b"?" * 600 + data[600:],
    ],
    ids=["empty", "half", "a byte short", "a byte more", "another beginning"],
)
def test_damaged_shard_is_written_again(data, damage):
    root, _ = data
    write_shards(root, 2)
    before = contents(root)
    path = root / "shards/bin_40_64/train-000001.tar"
    path.write_bytes(damage(path.read_bytes()))
    assert write_shards(root, 2) == ShardCount(1, 4, 0)
    assert contents(root) == before


def test_other_pixels_under_the_same_id(data):
    root, rows = data
    write_shards(root, 2)
    changed = add(root, "3x_B", 50)  # same key, another chain
    write_manifest(root, [changed if row.id == "3x_B" else row for row in rows])
    assert write_shards(root, 2).written == 1
    png = members(root / "shards/bin_40_64/train-000001.tar")["3x_B.png"]
    assert len(read_png(png).sequence) == 50


def test_stale_shards_are_removed(data):
    root, rows = data
    write_shards(root, 2)
    (root / "shards/bin_40_64/train-000007.tmp").write_bytes(b"half")
    write_manifest(root, [row for row in rows if row.id != "long"])
    assert write_shards(root, 5) == ShardCount(1, 1, 3)
    names = sorted(str(path.relative_to(root / "shards")) for path in (root / "shards").rglob("*"))
    stems = [f"bin_40_64/{split}-000000" for split in ("test", "train")]
    assert names == [
        "bin_40_64",
        *(stem + suffix for stem in stems for suffix in (".digest", ".idx", ".tar")),
    ]


def test_damaged_png_stops_with_its_name(data):
    root, _ = data
    path = root / "bin_40_64/2x_B.png"
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ValueError, match=r"bin_40_64/2x_B\.png is absent or damaged"):
        write_shards(root, 2)
    path.unlink()
    with pytest.raises(ValueError, match=r"bin_40_64/2x_B\.png is absent or damaged"):
        write_shards(root, 2)
    assert not list(root.rglob("*.tmp"))


def read_by_webdataset(shards):
    with warnings.catch_warnings():
        # webdataset looks at torch.distributed and at old type names while it is imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        from webdataset.tariterators import group_by_keys, tar_file_expander
    samples = []
    for path in sorted(shards):
        with path.open("rb") as stream:  # webdataset's own opener leaves its files open
            samples += group_by_keys(tar_file_expander([{"url": str(path), "stream": stream}]))
    return samples


def test_webdataset_reads_the_same_samples(data):
    root, rows = data
    write_shards(root, 2)
    samples = read_by_webdataset((root / "shards/bin_40_64").glob("train-*.tar"))
    train = sorted(row.id for row in rows if row.split == "train" and row.bin == "bin_40_64")
    assert [sample["__key__"] for sample in samples] == train
    for sample in samples:
        assert sample["png"] == (root / f"bin_40_64/{sample['__key__']}.png").read_bytes()
        assert json.loads(sample["json"])["length"] == len(read_png(sample["png"]).sequence)


@pytest.mark.parametrize(
    "keys",
    [["Ärger", "m", "ölig"], ["a" * 120, "b", "c" * 120], ["a" * 97, "b" * 99, "x" + "ü" * 60]],
    ids=["umlauts", "long", "cut inside the suffix or a letter"],
)
def test_keys_of_any_letters_and_length(tmp_path, monkeypatch, keys):
    keys = sorted(keys)
    write_manifest(tmp_path, [add(tmp_path, key) for key in keys])
    assert write_shards(tmp_path) == ShardCount(1, 0, 0)
    assert write_shards(tmp_path) == ShardCount(0, 1, 0)
    shard = tmp_path / "shards/bin_40_64/train-000000.tar"
    assert [sample["__key__"] for sample in read_by_webdataset([shard])] == keys
    assert scan_shard(shard).keys == keys
    monkeypatch.setattr(index, "scan_shard", lambda shard: pytest.fail("the index looks stale"))
    source = ShardSource(tmp_path, "train", ["bin_40_64"])
    assert [source.name(number) for number in range(3)] == keys
    assert [source.read(number) for number in range(3)] == [
        (tmp_path / f"bin_40_64/{key}.png").read_bytes() for key in keys
    ]


def test_nothing_converted(tmp_path):
    write_manifest(tmp_path, [])
    assert write_shards(tmp_path) == ShardCount(0, 0, 0)
