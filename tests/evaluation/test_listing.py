import shutil

import numpy as np
import pytest

from foldpix.dataset.bins import bin_name
from foldpix.dataset.index import read_index
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.shards import write_shards
from foldpix.evaluation.chains import Skipped
from foldpix.evaluation.listing import dataset_chains, structure_chains, take
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.image import picture_of, write_png
from foldpix.structure import Backbone, write_structure
from tests.evaluation.conftest import random_chain


def backbone(length, seed=0, name="x"):
    return Backbone(random_chain(length, seed), "A" * length, name, "A")


@pytest.fixture
def dataset(tmp_path):
    """Three converted chains of split val, one of train, one skipped; the source of c is gone."""
    rows = [ManifestRow(Status.SKIPPED, "3 residues, fewer than 40", source="z.pdb")]
    for name, split in [("c", "val"), ("a", "val"), ("b", "val"), ("d", "train")]:
        chain, source = backbone(50, ord(name), name), tmp_path / f"{name}.pdb"
        if name != "c":
            write_structure(source, chain)
        folder = tmp_path / bin_name(50)
        folder.mkdir(exist_ok=True)
        write_png(folder / f"{name}.png", picture_of(chain, d_max=70.0))
        rows.append(ManifestRow(Status.CONVERTED, "", name, "A", 50, folder.name, split, str(source)))
    write_manifest(tmp_path, rows)
    return tmp_path


def test_files_with_their_faults(tmp_path):
    for name, length in [("ok", 40), ("short", 39), ("long", 1025)]:
        write_structure(tmp_path / f"{name}.cif", backbone(length))
    (tmp_path / "empty.pdb").touch()
    (tmp_path / "torn.pdb.gz").write_bytes(b"\x1f\x8b\x08")
    names = ["empty.pdb", "long.cif", "missing.pdb", "ok.cif", "short.cif", "torn.pdb.gz"]
    found = list(structure_chains([str(tmp_path / name) for name in names], 80.0))
    reasons = {each.id: each.reason for each in found if isinstance(each, Skipped)}
    assert set(reasons) == {"empty", "long", "missing", "short", "torn"}
    assert all(reasons.values())
    assert reasons["short"] == "39 residues, fewer than 40"
    assert reasons["long"] == "1025 residues, more than 1024"
    (chain,) = (each for each in found if not isinstance(each, Skipped))
    assert (chain.id, chain.length) == ("ok", 40)
    assert np.allclose(chain.load().truth, random_chain(40, 0), atol=2e-3)


def test_every_chain_of_a_file_is_one(tmp_path):
    lines = []
    for chain in "AB":
        write_structure(tmp_path / "one.pdb", Backbone(random_chain(44, ord(chain)), "G" * 44, "one", chain))
        lines += [line for line in (tmp_path / "one.pdb").read_text().splitlines() if line.startswith("ATOM")]
    (tmp_path / "two.pdb").write_text("\n".join([*lines, "END"]) + "\n")
    chains = list(structure_chains([str(tmp_path / "two.pdb")], 80.0))
    assert [chain.id for chain in chains] == ["two_A", "two_B"]
    for chain, letter in zip(chains, "AB", strict=True):
        assert np.allclose(chain.load().truth, random_chain(44, ord(letter)), atol=2e-3)


def test_a_split_of_a_dataset(dataset):
    chains = dataset_chains(dataset, "val")
    assert [chain.id for chain in chains] == ["a", "b", "c"]
    samples = [chain.load() for chain in chains]
    assert [sample.from_image for sample in samples] == [False, False, True]
    for sample in samples:
        # From the PDB file to its last digit, from the image to a tenth of an angstrom.
        tolerance = 0.3 if sample.from_image else 1e-3
        assert backbone_rmsd(sample.truth, random_chain(50, ord(sample.id))) < tolerance
        assert sample.d_max == 70.0
        assert np.array_equal(sample.pixels, picture_of(backbone(50, ord(sample.id)), 70.0).pixels)


def test_a_source_that_holds_another_chain_by_now_is_no_truth(dataset):
    write_structure(dataset / "a.pdb", Backbone(random_chain(50, 5), "G" * 50, "a", "A"))
    write_structure(dataset / "b.pdb", Backbone(random_chain(50, 5), "A" * 50, "b", "Z"))
    assert [chain.load().from_image for chain in dataset_chains(dataset, "val")] == [True, True, True]


def test_a_damaged_png_says_so(dataset):
    (dataset / bin_name(50) / "a.png").write_bytes(b"no picture")
    chain, *_ = dataset_chains(dataset, "val")
    with pytest.raises(ValueError, match=r"a\.png: .*no readable PNG"):
        chain.load()


def test_an_unknown_split_names_those_there_are(dataset):
    with pytest.raises(ValueError, match=r"no chain of split=test in .*; there: train, val$"):
        dataset_chains(dataset, "test")


@pytest.fixture
def sharded(dataset):
    """The dataset with shards and without loose PNGs."""
    write_shards(dataset, shard_size=2)
    shutil.rmtree(dataset / bin_name(50))
    return dataset


def test_shards_give_what_loose_pngs_give(dataset):
    loose = [chain.load() for chain in dataset_chains(dataset, "val")]
    write_shards(dataset, shard_size=2)
    shutil.rmtree(dataset / bin_name(50))
    chains = dataset_chains(dataset, "val")
    assert [(chain.id, chain.length) for chain in chains] == [("a", 50), ("b", 50), ("c", 50)]
    for chain, other in zip(chains, loose, strict=True):
        sample = chain.load()
        assert np.array_equal(sample.pixels, other.pixels) and np.array_equal(sample.truth, other.truth)
        assert (sample.d_max, sample.from_image) == (other.d_max, other.from_image)


def test_shards_alone_have_their_pictures_for_a_truth(sharded):
    (sharded / "manifest.csv").unlink()
    samples = [chain.load() for chain in dataset_chains(sharded, "val")]
    assert [(sample.id, sample.from_image) for sample in samples] == [("a", True), ("b", True), ("c", True)]
    for sample in samples:
        assert backbone_rmsd(sample.truth, random_chain(50, ord(sample.id))) < 0.3
    with pytest.raises(ValueError, match=r"no chain of split=test in .*; there: train, val$"):
        dataset_chains(sharded, "test")


def test_a_shard_cut_short_is_told(sharded):
    shard = sharded / "shards" / bin_name(50) / "val-000000.tar"
    offset = int(read_index(shard).offsets[1])
    shard.write_bytes(shard.read_bytes()[: offset + 100])
    chains, skipped = take(dataset_chains(sharded, "val"), None)
    assert [chain.id for chain in chains] == ["a", "c"]
    assert skipped == [(str(shard), "cut short, samples lost: at least 1")]


def test_a_damaged_sample_of_a_shard_says_where(sharded):
    shard = sharded / "shards" / bin_name(50) / "val-000000.tar"
    offset, data = int(read_index(shard).offsets[0]), bytearray(shard.read_bytes())
    data[offset : offset + 40] = bytes(40)
    shard.write_bytes(data)
    first, second, _ = dataset_chains(sharded, "val")
    with pytest.raises(ValueError, match=r"val-000000\.tar: .*no readable PNG"):
        first.load()
    assert second.load().id == "b"


def test_no_dataset(tmp_path):
    with pytest.raises(ValueError, match=r"holds no chain, as PNG or in shards; python preprocess\.py"):
        dataset_chains(tmp_path, "val")


def test_take_stops_at_the_limit(dataset):
    def candidates():
        yield Skipped("x", "why")
        yield from dataset_chains(dataset, "val")[:2]
        raise AssertionError("read on beyond the limit")

    chains, skipped = take(candidates(), 2)
    assert [chain.id for chain in chains] == ["a", "b"]
    assert skipped == [("x", "why")]


def test_of_equal_ids_the_first_counts(dataset):
    first, second, _ = dataset_chains(dataset, "val")
    chains, skipped = take([first, second, first], None)
    assert chains == [first, second]
    assert skipped == [("a", "another chain has this id")]
