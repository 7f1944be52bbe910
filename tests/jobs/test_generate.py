import gzip

import numpy as np
import pytest

from foldpix.generation import sample_backbones
from foldpix.jobs import generate
from foldpix.jobs.schema.generate import GenerateConfig
from foldpix.structure import read_structure
from tests.training.tiny import REPO, finish, start


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif", ".pdb.gz", ".bcif.gz"])
def test_files_hold_the_chains(suffix, tmp_path):
    options = {"num": 3, "min_length": 40, "max_length": 50, "seed": 5, "suffix": suffix, "workers": 1}
    metrics = generate.run(GenerateConfig(out=str(tmp_path / "deep" / "out"), **options))
    assert metrics == {"generated": 3.0}
    files = sorted((tmp_path / "deep" / "out").iterdir())
    assert [file.name for file in files] == [f"chain_{k:06d}{suffix}" for k in range(3)]
    for file, expected in zip(files, sample_backbones(3, 40, 50, seed=5), strict=True):
        (found,) = read_structure(file)
        assert (found.sequence, found.chain) == (expected.sequence, "A")
        assert np.abs(found.coords - expected.coords).max() < 1e-3
        assert found.num_dropped == 0


def test_workers_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 2)
    for workers in (1, 2):
        options = {"num": 5, "min_length": 20, "max_length": 25, "workers": workers}
        generate.run(GenerateConfig(out=str(tmp_path / str(workers)), **options))
    assert len(contents(tmp_path / "1")) == 5
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_more_chains_keep_the_first(tmp_path):
    for num in (2, 4):
        out = str(tmp_path / str(num))
        generate.run(GenerateConfig(out=out, num=num, min_length=20, max_length=25, workers=1))
    assert contents(tmp_path / "2").items() < contents(tmp_path / "4").items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num": 0}, "num=0 must be at least 1"),
        ({"min_length": 0}, "min_length=0, max_length=64: 1 <= min <= max"),
        ({"max_length": 39}, "min_length=40, max_length=39: 1 <= min <= max"),
        ({"workers": 0}, "workers=0 must be at least 1, or null for every core"),
        ({"seed": -1}, "seed=-1 must not be negative"),
        ({"suffix": ".xyz"}, "unknown suffix of 'chain.xyz'; known are .pdb, "),
        ({"suffix": ""}, "unknown suffix of 'chain'; known are .pdb, "),
    ],
)
def test_mistakes_come_before_any_work(options, message, tmp_path):
    with pytest.raises(ValueError) as caught:
        generate.run(GenerateConfig(out=str(tmp_path / "out"), **options))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_file_stands_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError):
        generate.run(GenerateConfig(out=str(tmp_path / "out"), num=1))


def test_the_command(tmp_path):
    good = finish(
        start(REPO / "generate.py", "out=made", "num=2", "suffix=.cif.gz", "workers=1", cwd=tmp_path)
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("2 chains in made, ")
    (first, _) = sorted((tmp_path / "made").iterdir())
    assert b"_atom_site" in gzip.decompress(first.read_bytes())
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    bad = finish(start(REPO / "generate.py", "out=made/chain_000000.cif.gz/x", "num=2", cwd=tmp_path))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: ") and bad.stderr.count("\n") == 1
