"""Benchmarks run, and their independent implementations agree with ours."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.batch import bench_batch, bench_ring
from benchmarks.chain_code import bench_chain_code
from benchmarks.dataset import bench_convert, bench_reader
from benchmarks.generation import bench_generate
from benchmarks.image import bench_decode, bench_encode
from benchmarks.model import bench_model
from benchmarks.reference import conversion, mds, orientation, ragged_batch, reader
from benchmarks.run import MODULES, chosen, table, versions
from benchmarks.samples import chain
from benchmarks.timing import Row
from foldpix.batch import AtomicData, Batch
from foldpix.dataset.config import DataConfig
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.generation import sample_backbones
from foldpix.geometry import rmsd, virtual_cb
from foldpix.image import decode, encode, picture_of, read_png
from foldpix.structure import read_structure, write_structure


@pytest.fixture(params=range(4))
def coords(request) -> np.ndarray:
    return next(sample_backbones(1, 40, 90, seed=request.param)).coords


def test_encode_agrees_with_angles_pair_by_pair(coords):
    ours, reference = encode(coords), orientation.encode(coords.astype(np.float64))
    off = ~np.eye(len(coords), dtype=bool)
    dihedral = np.array([np.triu(off), off, np.zeros_like(off)])
    turn = np.where(dihedral, np.abs(np.angle(np.exp(1j * np.pi * (ours - reference)))) / np.pi, 0)
    assert turn.max() < 1e-4
    assert np.abs(ours - reference)[~dihedral].max() < 1e-4


def test_decoded_cb_agree_with_scaling_of_distances(coords):
    image = encode(coords)
    ours, reference = virtual_cb(decode(image).coords), mds.decode_cb(image)
    best = min(rmsd(reference * hand, ours.astype(np.float64)) for hand in (1, -1))
    assert best < 0.05


def test_conversion_agrees_within_what_truncation_costs(tmp_path):
    backbone = chain(60)
    write_structure(tmp_path / "x.pdb", backbone)
    conversion.convert(tmp_path / "x.pdb", tmp_path / "x.png", tmp_path / "x.fasta")
    ours = picture_of(read_structure(tmp_path / "x.pdb")[0]).pixels.astype(int)
    with pytest.raises(ValueError, match="not a foldpix image"):
        read_png(tmp_path / "x.png")
    reference = np.array(Image.open(tmp_path / "x.png")).astype(int)
    difference = (ours - reference) % 256
    assert np.isin(difference, (0, 1, 2)).mean() > 0.999
    assert (tmp_path / "x.fasta").read_text() == f">x\n{backbone.sequence}\n"


def test_readers_agree(tmp_path):
    bench_reader.write_data(tmp_path, 50, 5, None)
    loader = DistogramDataModule(
        DataConfig(root=str(tmp_path), batch_size=2, num_workers=0), 16, 0
    ).val_dataloader()
    ours = np.concatenate([batch.image.numpy() for batch in loader])
    reference = np.concatenate([batch.numpy() for batch in reader.batches(tmp_path, 2, 16)])
    assert ours.shape == (5, 3, 64, 64)
    assert ours == pytest.approx(reference, abs=1e-6)


def test_plain_batches_agree_with_ours():
    items = ragged_batch.graphs(12, 10, 3.0)
    batch = Batch.from_data_list([AtomicData(schema=bench_batch.SCHEMA, **item) for item in items])
    lengths = ragged_batch.lengths_of(items)
    assert_equal(ragged_batch.collate(items, lengths), batch)
    chosen = [1, 2, 3, 7, 11, 0]
    assert_equal(ragged_batch.select(dict(iter(batch)), lengths, chosen), batch.index_select(chosen))
    joined = batch.clone()
    joined.append(batch)
    assert_equal(ragged_batch.append(dict(iter(batch)), dict(iter(batch)), batch.num_nodes), joined)
    offsets = {level: ragged_batch.ptr(rows) for level, rows in lengths.items()}
    assert_equal(ragged_batch.get(dict(iter(batch)), offsets, 5), items[5].items())


def assert_equal(plain, ours):
    for key, rows in ours:
        assert torch.equal(plain[key], rows), key


@pytest.mark.parametrize(
    ("module", "options", "num_rows"),
    [
        (bench_encode, {"lengths": (40,)}, 2),
        (bench_decode, {"lengths": (40,), "batches": {40: 2}}, 4),
        (bench_convert, {"lengths": (40,)}, 1),
        (bench_reader, {"lengths": (40,), "num_images": 2}, 1),
        (bench_generate, {"num": 3, "lengths": (8,), "num_maps": 3, "ensemble_length": 8}, 6),
        (bench_batch, {"num_graphs": 8, "mean_nodes": 10}, 8),
        pytest.param(bench_ring, {"num_batches": 10, "batch_size": 2}, 1, marks=pytest.mark.slow),
        (bench_chain_code, {"lengths": (40,), "sizes": (16,)}, 2),
        (bench_model, {"models": ("hvqvae_small",), "lengths": (48,)}, 3),
    ],
)
def test_every_benchmark_runs(module, options, num_rows, monkeypatch):
    monkeypatch.setattr("benchmarks.timing.SECONDS", 0.0)
    rows = list(module.bench(**options))
    assert len(rows) == num_rows
    assert all(row.ours > 0 and row.limit > 0 for row in rows)
    assert table(rows).row_count == num_rows


def test_one_benchmark_can_be_chosen():
    assert chosen("decode") == [bench_decode]
    assert chosen("") == list(MODULES)
    with pytest.raises(ValueError, match="no benchmark x; there are encode, decode"):
        chosen("x")


def test_flops_of_attention_are_counted():
    q = torch.randn(1, 3, 32, 8, requires_grad=True)
    attend = torch.nn.functional.scaled_dot_product_attention
    forward = 2 * (2 * 3 * 32 * 32 * 8)  # scores, and their product with the values
    assert bench_model.count_flops(lambda: attend(q, q, q)) == forward
    assert bench_model.count_flops(lambda: attend(q, q, q).sum().backward()) == 3.5 * forward


def test_table_leaves_out_what_there_is_not():
    columns = table([Row("x", "L 1", 2.0, math.nan, "", 1.0, "y")]).columns
    cells = [next(iter(column.cells)) for column in columns]
    assert cells == ["x", "L 1", "2.00", "-", "-", "1.00", "2.00", "y"]
    assert "NumPy" in versions()


def test_real_chains_are_cut_to_length(tmp_path):
    write_structure(tmp_path / "a.pdb", chain(45))
    write_structure(tmp_path / "b.pdb", chain(60))
    assert chain(50, tmp_path).name == "b"
    assert len(chain(50, tmp_path)) == 50
    with pytest.raises(ValueError, match="no chain of 70 residues"):
        chain(70, tmp_path)
