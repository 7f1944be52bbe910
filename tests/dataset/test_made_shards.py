import hashlib
import json
import tarfile

import numpy as np
import pytest

from foldpix.dataset import made, made_shards
from foldpix.dataset.config import DataConfig
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.dataset.made import ChainOptions, Stopped, build
from foldpix.dataset.made_shards import MadeShards
from foldpix.dataset.manifest import Status, read_manifest, write_manifest
from foldpix.dataset.shards import MADE, write_shards
from foldpix.image import picture_of, png_bytes

NUM = 90


def filled(root):
    shards = MadeShards(root, ChainOptions(1, 5, 40, 80, True, 0.2), d_max=60.0, shard_size=20)
    left_out = sum(shards.write(unit, lambda: False) for unit in shards.units(NUM))
    shards.finish(lambda: False)
    return shards, left_out


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    shards, left_out = filled(tmp_path_factory.mktemp("made"))
    assert left_out == 0
    return shards


def samples(root):
    found = {}
    for shard in sorted(root.glob("shards/bin_*/*.tar")):
        with tarfile.open(shard) as archive:
            found |= {member.name: (archive.extractfile(member).read(), shard) for member in archive}
    return found


def test_shards_hold_picture_and_labels_of_each_chain(data):
    found = samples(data.root)
    assert len(found) == 2 * NUM
    for chain in build(np.arange(5, 5 + NUM), data.chains, lambda: False):
        backbone = chain.backbone
        assert found[f"{backbone.name}.png"][0] == png_bytes(picture_of(backbone, 60.0))
        assert json.loads(found[f"{backbone.name}.json"][0]) == {
            "name": backbone.name,
            "chain": "A",
            "length": len(backbone),
            "sequence": backbone.sequence,
            "d_max": 60.0,
            "labels": chain.labels,
        }


def test_manifest_has_a_row_for_each_chain_in_order(data):
    rows, found = read_manifest(data.root), samples(data.root)
    assert [row.id for row in rows] == [f"chain_{number:06d}" for number in range(5, 5 + NUM)]
    for row in rows:
        _, shard = found[f"{row.id}.png"]
        assert (row.status, row.reason, row.chain, row.dropped) == (Status.CONVERTED, "", "A", 0)
        assert (shard.parent.name, shard.name.partition("-")[0]) == (row.bin, row.split)
        assert row.source == f"generated:seed=1:number={int(row.id[6:]):09d}"
    chains = build(np.arange(5, 8), data.chains, lambda: False)
    for row, chain in zip(rows[:3], chains, strict=True):
        pixels = picture_of(chain.backbone, 60.0).pixels
        assert (row.length, row.checksum) == (len(chain.backbone), hashlib.md5(pixels).hexdigest())


def test_manifest_is_sorted_as_every_manifest(data, tmp_path):
    write_manifest(tmp_path, reversed(read_manifest(data.root)))
    assert (tmp_path / "manifest.csv").read_bytes() == (data.root / "manifest.csv").read_bytes()


def test_no_sequence_is_in_two_splits(data):
    rows, found = read_manifest(data.root), samples(data.root)
    sequences = {row.id: json.loads(found[f"{row.id}.json"][0])["sequence"] for row in rows}
    assert len(set(sequences.values())) == NUM
    assert {row.split for row in rows} == {"train", "val"}


def test_the_data_module_reads_them(data):
    config = DataConfig(root=str(data.root), batch_size=7, num_workers=0)
    module = DistogramDataModule(config, stride=8, seed=0)
    rows = read_manifest(data.root)
    stream = module.train_dataloader()
    names = {
        "train": [name for _ in range(len(module._loaders["train"])) for name in next(stream).names],
        "val": [name for batch in module.val_dataloader() for name in batch.names],
    }
    for split, found in names.items():
        assert sorted(found) == [row.id for row in rows if row.split == split]
    assert module.num_skipped == 0


def test_chains_that_clash_are_left_out_and_listed(tmp_path, monkeypatch):
    real = made.sample_chains

    def clashing(*args, **options):
        for chain in real(*args, **options):
            yield chain._replace(num_clashes=3 if chain.number % 10 == 0 else 0)

    monkeypatch.setattr(made, "sample_chains", clashing)
    shards, left_out = filled(tmp_path)
    bad = {f"chain_{number:06d}" for number in range(10, 5 + NUM, 10)}
    assert left_out == len(bad) == 9
    rows = read_manifest(tmp_path)
    assert len(rows) == NUM
    assert {(row.id, row.status, row.reason, row.bin) for row in rows if row.id in bad} == {
        (id, Status.SKIPPED, "3 clashes", "") for id in bad
    }
    assert {name[:-4] for name in samples(tmp_path) if name.endswith(".png")} == {
        row.id for row in rows if row.id not in bad
    }
    assert all(shards.is_done(unit) for unit in shards.units(NUM))


@pytest.mark.parametrize("suffix", [".tar", ".idx", ".csv", ".digest"])
def test_what_is_missing_is_not_done(tmp_path, suffix):
    shards = MadeShards(tmp_path, ChainOptions(1, 0, 40, 44, True, 0.0), d_max=60.0, shard_size=2)
    (unit,) = shards.units(2)
    assert not shards.is_done(unit)
    shards.write(unit, lambda: False)
    assert shards.is_done(unit)
    unit.rows.with_suffix(suffix).unlink()
    assert not shards.is_done(unit)


def test_files_of_others_among_the_shards_are_passed_over(tmp_path):
    shards = MadeShards(tmp_path, ChainOptions(1, 0, 40, 44, True, 0.0), d_max=60.0, shard_size=2)
    for unit in shards.units(3):
        shards.write(unit, lambda: False)
    shards.finish(lambda: False)
    before = (tmp_path / "manifest.csv").read_bytes()
    rows = next(shards.units(3)).rows
    for name in ("notes.csv", "train-1.csv", "train-999999.csv"):
        (rows.parent / name).write_text("a,b\n")
    rows.with_stem("val-000007").write_bytes(rows.read_bytes())
    shards.finish(lambda: False)
    assert (tmp_path / "manifest.csv").read_bytes() == before
    assert not shards.has_more_than(3) and shards.has_more_than(2)


def test_a_stopped_manifest_is_as_it_was(data):
    before = (data.root / "manifest.csv").read_bytes()
    with pytest.raises(Stopped):
        data.finish(lambda: True)
    assert (data.root / "manifest.csv").read_bytes() == before
    assert not list(data.root.glob("*.tmp"))


@pytest.mark.parametrize("there", [35, 40])
def test_more_than_was_asked_for(there, tmp_path, monkeypatch):
    """Of all shards, only those of the last block are opened."""
    monkeypatch.setattr(made_shards, "BLOCK", 20)
    shards = MadeShards(tmp_path, ChainOptions(1, 5, 40, 80, True, 0.2), d_max=60.0, shard_size=3)
    for unit in shards.units(there):
        unit.rows.parent.mkdir(parents=True, exist_ok=True)
        unit.rows.write_text("".join(f"generated:seed=1:number={number:09d}\n" for number in unit.numbers))
    assert [shards.has_more_than(num) for num in range(1, 50)] == [num < there for num in range(1, 50)]
    real, opened = made_shards._listed, []
    monkeypatch.setattr(made_shards, "_listed", lambda rows: opened.append(rows) or real(rows))
    assert not shards.has_more_than(there)
    first_of_block = (5 + there) // 20 * 20
    assert set(opened) == {unit.rows for unit in shards.units(there) if unit.numbers[-1] >= first_of_block}


def test_shards_of_pictures_do_not_go_over_made_ones(tmp_path):
    (tmp_path / MADE).write_text("{}")
    write_manifest(tmp_path, [])
    shard = tmp_path / "shards" / "bin_40_64" / "train-000000.tar"
    shard.parent.mkdir(parents=True)
    shard.touch()
    with pytest.raises(ValueError, match=r"holds made-up chains \(made.json\); choose another out"):
        write_shards(tmp_path)
    assert shard.exists()
