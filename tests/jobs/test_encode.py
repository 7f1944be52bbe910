import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from foldpix.dataset.tokens import TokenTable
from foldpix.image import encode, to_pixels
from foldpix.jobs import chain_codes
from foldpix.jobs import encode as job
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.structure import Backbone, read_structure, write_structure
from foldpix.training.checkpoint import load_model
from tests.evaluation.conftest import random_chain
from tests.training.tiny import REPO, finish, start

LENGTHS = {"a": 41, "b": 48, "c": 2, "d": 49, "e": 41}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    root = tmp_path_factory.mktemp("good")
    (root / "deeper").mkdir()
    for seed, (name, length) in enumerate(LENGTHS.items()):
        folder, suffix = (root / "deeper", "cif.gz") if name == "d" else (root, "pdb")
        backbone = Backbone(random_chain(length, seed), "AG" * (length // 2) + "W" * (length % 2), name, "B")
        write_structure(folder / f"{name}.{suffix}", backbone)
    return root


@pytest.fixture
def mixed(good, tmp_path):
    root = shutil.copytree(good, tmp_path / "mixed")
    shutil.copy(root / "a.pdb", root / "deeper" / "a.ent")
    write_structure(root / "one.pdb", Backbone(random_chain(1, 0), "A"))
    (root / "empty.cif").touch()
    (root / "torn.bcif.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (root / "notes.txt").write_text("no structure")
    lines = (root / "b.pdb").read_text().replace(" B ", " X ").splitlines()[:-2]
    (root / "two.pdb").write_text("\n".join([*lines, "TER", (root / "b.pdb").read_text()]))
    return root


def config(source, checkpoint, out, **options):
    return EncodeConfig(str(source), str(out), checkpoint, **{"workers": 1, **options})


def test_tokens_are_those_of_the_model(good, checkpoint, tmp_path, capsys):
    summary = job.run(config(good, checkpoint, tmp_path / "deep" / "t.parquet", d_max=60.0))
    table = TokenTable(tmp_path / "deep" / "t.parquet")
    assert table.header.strides == (4, 8) and table.header.codebook_size == 16
    model, num_tokens, bits = load_model(checkpoint), 0, []
    for tokens in table:
        length = LENGTHS[tokens.name]
        (backbone,) = read_structure(next(good.rglob(f"{tokens.name}.*")))
        assert (tokens.chain, tokens.sequence, tokens.d_max) == ("B", backbone.sequence, 60.0)
        padded = -(-length // 8) * 8
        image = torch.zeros(1, 3, padded, padded)
        pixels = torch.from_numpy(to_pixels(encode(backbone.coords, 60.0)))
        image[0, :, :length, :length] = pixels.permute(2, 0, 1) / 127.5 - 1
        codes = model.encode(image, torch.arange(padded)[None] < length)
        for found, grid, stride in zip(tokens.levels, codes, (4, 8), strict=True):
            side = -(-length // stride)
            assert np.array_equal(found, grid[0, :side, :side].numpy())
        here = sum((-(-length // stride)) ** 2 for stride in (4, 8))
        num_tokens, bits = num_tokens + here, [*bits, here * 4 / length]
    assert (summary["chains"], summary["tokens"], summary["skipped"]) == (5, num_tokens, 0)
    assert summary["bits_per_residue"] == pytest.approx(np.mean(bits))
    captured = capsys.readouterr()
    assert captured.err == "" and f"{num_tokens:,}" in captured.out
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["t.parquet"]


def test_nothing_is_lost_silently(mixed, checkpoint, tmp_path):
    out = tmp_path / "t.parquet"
    assert job.run(config(mixed, checkpoint, out))["skipped"] == 4
    names = [tokens.name for tokens in TokenTable(out)]
    assert names == ["a", "b", "c", "d", "e", "two_X", "two_B"]
    skipped = tmp_path / "t.parquet.skipped.csv"
    rows = {row["source"]: row for row in csv.DictReader(skipped.read_text().splitlines())}
    assert rows[str(mixed / "one.pdb")]["reason"] == "1 residues, fewer than 2"
    assert rows[str(mixed / "empty.cif")]["reason"] == "the file is empty"
    assert rows[str(mixed / "deeper" / "a.ent")]["reason"] == f"duplicate id a, also {mixed / 'a.pdb'}"
    assert rows.keys() == {
        str(mixed / name) for name in ("one.pdb", "empty.cif", "torn.bcif.gz", "deeper/a.ent")
    }
    assert rows[str(mixed / "torn.bcif.gz")]["id"] == "torn"
    job.run(config(mixed / "a.pdb", checkpoint, out))
    assert not skipped.exists()


def test_neither_batches_nor_processes_nor_row_groups_change_a_token(
    mixed, checkpoint, tmp_path, monkeypatch
):
    def table(name, **options):
        job.run(config(mixed, checkpoint, tmp_path / name, **options))
        return pq.read_table(tmp_path / name)

    expected = table("1.parquet", batch_size=1)
    assert table("2.parquet", batch_size=8, workers=2).equals(expected)
    monkeypatch.setattr(job, "PIXELS_A_GROUP", 3000)
    assert table("3.parquet").equals(expected)
    assert pq.ParquetFile(tmp_path / "1.parquet").num_row_groups == 1
    assert pq.ParquetFile(tmp_path / "3.parquet").num_row_groups > 2


def interrupt_at(number, monkeypatch):
    """Makes the next run end when it reads its file of this number, from 0."""
    read, seen = chain_codes.structure_chains, []

    def structure_chains(files, d_max, **limits):
        seen.append(files)
        if len(seen) > number:
            raise KeyboardInterrupt
        return read(files, d_max, **limits)

    monkeypatch.setattr(chain_codes, "structure_chains", structure_chains)
    return seen


@pytest.mark.parametrize("number", [0, 1, 4, 8])
def test_an_interrupted_run_goes_on(mixed, tmp_path, monkeypatch, number, capsys):
    whole, cut = tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    monkeypatch.setattr(job, "FILES_A_PART", 2)
    expected = job.run(config(mixed, None, whole))
    with monkeypatch.context() as until:
        interrupt_at(number, until)
        with pytest.raises(KeyboardInterrupt):
            job.run(config(mixed, None, cut))
    assert not cut.exists()
    rest = interrupt_at(100, monkeypatch)
    summary = job.run(config(mixed, None, cut))
    assert len(rest) == 10 - number // 2 * 2  # what was in parts that ended is not read again
    for name in ("chains", "tokens", "bits_per_residue", "skipped", "deviation"):
        assert summary[name] == expected[name]
    assert cut.read_bytes() == whole.read_bytes()
    skipped = [Path(f"{path}.skipped.csv").read_text() for path in (whole, cut)]
    assert skipped[0] == skipped[1]
    assert ("by an earlier run" in capsys.readouterr().out) is (number >= 2)
    assert not list(tmp_path.glob(".*"))


def test_files_that_changed_meanwhile_are_read_anew(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "FILES_A_PART", 2)
    with monkeypatch.context() as until:
        interrupt_at(5, until)
        with pytest.raises(KeyboardInterrupt):
            job.run(config(mixed, None, tmp_path / "t.parquet"))
    shutil.copy(mixed / "b.pdb", mixed / "a.pdb")
    job.run(config(mixed, None, tmp_path / "t.parquet"))
    rows = {row.name: row for row in TokenTable(tmp_path / "t.parquet")}
    assert np.array_equal(rows["a"].levels[0], rows["b"].levels[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "nowhere"}, "source=nowhere does not exist; give a folder or file of structures"),
        ({"out": "tokens.csv"}, r"out=tokens\.csv must end in \.parquet"),
        ({"d_max": 0.0}, r"d_max=0\.0 must be a positive number of angstrom"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"workers": 0}, "workers=0 must be at least 1, or null for every core"),
    ],
)
def test_mistakes_come_before_any_work(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        job.run(EncodeConfig(**{"source": ".", "ckpt": "none.ckpt", "out": "out/t.parquet", **options}))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_no_chain(tmp_path, checkpoint):
    out = tmp_path / "t.parquet"
    with pytest.raises(ValueError, match="no structure file"):
        job.run(config(tmp_path, checkpoint, out))
    (tmp_path / "empty.pdb").touch()
    with pytest.raises(ValueError, match=r"1 skipped, such as .*empty\.pdb \(the file is empty\)$"):
        job.run(config(tmp_path, checkpoint, out))
    assert [path.name for path in tmp_path.iterdir()] == ["empty.pdb"]


def test_no_checkpoint(good, tmp_path):
    with pytest.raises(FileNotFoundError):
        job.run(config(good, str(tmp_path / "none.ckpt"), tmp_path / "t.parquet"))
    (tmp_path / "bad.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="no readable checkpoint"):
        job.run(config(good, str(tmp_path / "bad.ckpt"), tmp_path / "t.parquet"))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ckpt"]


def test_the_command(good, checkpoint, tmp_path):
    done = finish(
        start(
            REPO / "encode.py",
            f"source={good}",
            f"ckpt={checkpoint}",
            "out=t.parquet",
            "workers=1",
            cwd=tmp_path,
        )
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "bits per residue" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
