import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldpix.dataset.coordinates import StoredChain, read_chains, rounded, write_chains, write_coordinates
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.structure import Backbone, write_structure
from tests.evaluation.conftest import random_chain


@pytest.fixture
def backbones():
    return [Backbone(random_chain(n, n), "A" * n, f"chain_{n}") for n in (66, 40, 41)]


def test_coordinates_come_back_to_half_a_step(backbones, tmp_path):
    path = tmp_path / "train.parquet"
    assert write_chains(path, [rounded(b.name, b.coords) for b in backbones]) == 3
    chains = read_chains(path)
    assert chains.ids == sorted(b.name for b in backbones)
    assert [p.name for p in tmp_path.iterdir()] == ["train.parquet"]
    for backbone in backbones:
        number = chains.ids.index(backbone.name)
        centred = backbone.coords - backbone.coords.mean(axis=(0, 1))
        found = chains.coords(number)
        assert found.dtype == np.float32 and chains.lengths[number] == len(centred)
        assert np.abs(found - centred).max() < 0.0051
        assert np.array_equal(chains.coords(number, 5, 7), found[5:12])
        assert np.array_equal(chains.coords(number, len(centred) - 3, 9), found[-3:])


def test_a_very_long_chain_takes_wider_steps(tmp_path):
    coords = np.zeros((1000, 3, 3))
    coords[..., 0] = 1.5 * np.arange(1000)[:, None] + np.arange(3)
    write_chains(tmp_path / "x.parquet", [rounded("long", coords)])
    found = read_chains(tmp_path / "x.parquet")
    assert 0.01 < found.steps[0] < 0.03
    assert np.abs(found.coords(0) - (coords - coords.mean(axis=(0, 1)))).max() <= 0.51 * found.steps[0]


def test_the_sources_of_a_data_set_in_their_splits(backbones, tmp_path):
    rows = []
    for backbone, split in zip(backbones, ("train", "val", "train"), strict=True):
        path = tmp_path / f"{backbone.name}.cif"
        write_structure(path, Backbone(backbone.coords, backbone.sequence, backbone.name, "B"))
        rows.append(
            ManifestRow(Status.CONVERTED, "", backbone.name, "B", len(backbone), "", split, str(path))
        )
    gone = ManifestRow(Status.CONVERTED, "", "gone", "B", 50, "", "val", str(tmp_path / "gone.pdb"))
    failed = ManifestRow(Status.FAILED, "why", "bad", source=str(tmp_path / "bad.pdb"))
    write_manifest(tmp_path, [*rows, gone, failed])
    assert write_coordinates(tmp_path) == (3, 1)
    first = {path.name: path.read_bytes() for path in (tmp_path / "coordinates").iterdir()}
    assert first.keys() == {"train.parquet", "val.parquet"}
    (val,) = read_chains(tmp_path / "coordinates" / "val.parquet").ids
    assert val == backbones[1].name
    write_coordinates(tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "coordinates").iterdir()} == first


@pytest.mark.parametrize("kind", ["text", "other columns", "cut", "too few numbers"])
def test_files_that_are_none(kind, backbones, tmp_path):
    path = tmp_path / "train.parquet"
    write_chains(path, [rounded(b.name, b.coords) for b in backbones])
    if kind == "text":
        path.write_text("nothing")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif kind == "other columns":
        pq.write_table(pa.table({"id": ["a"]}), path)
    else:
        write_chains(path, [StoredChain("a", np.zeros(8, dtype=np.int16), 0.01)])
    with pytest.raises(ValueError, match=r"train\.parquet: no readable file of coordinates") as caught:
        read_chains(path)
    assert "\n" not in str(caught.value)
