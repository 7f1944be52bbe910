"""Structures to chain codes and back by the jobs."""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import foldpix
from foldpix.chain_code import write_codebook
from foldpix.dataset.tokens import BadTokens, TokenTable
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.jobs import decode, encode, fit
from foldpix.jobs.schema.decode import DecodeConfig
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.schema.fit import FitConfig
from foldpix.structure import Backbone, read_structure, write_structure
from tests.evaluation.conftest import random_chain
from tests.training.tiny import REPO, finish, start

LENGTHS = {"a": 41, "b": 1, "c": 2, "d": 1100}


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    """Chains of any length, one with a break, and files that are none."""
    root = tmp_path_factory.mktemp("structures")
    for seed, (name, length) in enumerate(LENGTHS.items()):
        write_structure(root / f"{name}.pdb", Backbone(random_chain(length, seed), "A" * length, name, "B"))
    coords = random_chain(60, 9)
    coords[25:] += 11.0
    write_structure(root / "gap.cif", Backbone(coords, "G" * 60, "gap", "A"))
    (root / "empty.pdb").touch()
    (root / "torn.cif.gz").write_bytes(b"\x1f\x8b\x08\x00")
    return root


@pytest.fixture(scope="module")
def table(structures, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    return path, encode.run(EncodeConfig(str(structures), str(path), workers=1))


def test_tokens_are_those_of_the_coder(structures, table):
    path, summary = table
    coder, rows = foldpix.load(), {row.name: row for row in TokenTable(path)}
    assert rows.keys() == {*LENGTHS, "gap"}
    for name, row in rows.items():
        code = coder.encode(next(structures.glob(f"{name}.*")))
        assert np.array_equal(row.levels[0], code.codes) and row.sequence == code.sequence
        assert np.array_equal(row.breaks, code.breaks) and np.array_equal(row.poses, code.poses)
        assert row.deviation == pytest.approx(code.deviation)
    assert rows["gap"].breaks.tolist() == [25]
    assert (summary["chains"], summary["tokens"], summary["skipped"]) == (5, 41 + 1 + 2 + 1100 + 60, 2)
    assert summary["bits_per_residue"] == pytest.approx(12 + 96 / 60 / 5)


def test_any_reader_of_parquet_reads_them(table):
    columns = pq.read_table(table[0])
    assert columns.schema.field("level_0").type.value_type == "uint16"
    assert [len(codes) for codes in columns["level_0"].to_pylist()] == columns["length"].to_pylist()


def test_processes_change_nothing(structures, table, tmp_path):
    encode.run(EncodeConfig(str(structures), str(tmp_path / "t.parquet"), workers=2))
    assert pq.read_table(tmp_path / "t.parquet").equals(pq.read_table(table[0]))


def test_back_to_structures(structures, table, tmp_path, capsys):
    out = tmp_path / "out"
    summary = decode.run(DecodeConfig(str(table[0]), str(out), workers=1))
    assert (summary["structures"], summary["failed"], summary["chain_breaks"]) == (5, 0, 1)
    assert 0 < summary["mean_error"] < summary["worst_error"] < 0.5
    assert "residual" not in capsys.readouterr().out
    for name in (*LENGTHS, "gap"):
        (truth,) = read_structure(next(structures.glob(f"{name}.*")))
        (found,) = read_structure(out / f"{name}.pdb")
        assert (found.sequence, found.chain) == (truth.sequence, truth.chain)
        if len(truth) > 2:
            assert backbone_rmsd(found.coords, truth.coords) < 0.5
    again = decode.run(DecodeConfig(str(table[0]), str(out), workers=1))
    assert again["done"] == 5


def test_a_codebook_of_ones_own(structures, table, tmp_path):
    own = tmp_path / "own.safetensors"
    summary = fit.run(FitConfig(str(structures), str(own), codebook_size=64))
    assert (summary["chains"], summary["residues"], summary["skipped"]) == (4, 1203, 3)
    assert summary["codes_used"] > 0.8 and summary["entropy"] <= 6
    tokens = tmp_path / "own.parquet"
    encode.run(EncodeConfig(str(structures), str(tokens), str(own), workers=1))
    with pytest.raises(ValueError, match=r"the tokens are of .*, but the shipped codebook is"):
        decode.run(DecodeConfig(str(tokens), str(tmp_path / "out"), workers=1))
    decode.run(DecodeConfig(str(tokens), str(tmp_path / "out"), ckpt=str(own), workers=1))
    with pytest.raises(ValueError, match=r"the tokens are of .*, but ckpt=.*own.safetensors is"):
        decode.run(DecodeConfig(str(table[0]), str(tmp_path / "other"), ckpt=str(own), workers=1))


def test_a_size_that_does_not_come_along(structures, tmp_path):
    own = tmp_path / "own.safetensors"
    fit.run(FitConfig(str(structures), str(own), codebook_size=40))
    encode.run(EncodeConfig(str(structures), str(tmp_path / "t.parquet"), str(own), workers=1))
    with pytest.raises(ValueError, match="no codebook of 40 codes comes with foldpix; give ckpt="):
        decode.run(DecodeConfig(str(tmp_path / "t.parquet"), str(tmp_path / "out"), workers=1))


def test_rows_that_are_no_chains(table, tmp_path):
    whole = pq.read_table(table[0])
    names = whole["name"].to_pylist()

    def spoilt(column, name, value):
        values = whole[column].to_pylist()
        values[names.index(name)] = value
        place = whole.schema.get_field_index(column)
        field = whole.schema.field(column)
        changed = whole.set_column(place, field, pa.chunked_array([pa.array(values, field.type)]))
        pq.write_table(changed, tmp_path / "t.parquet")
        return next(row for row in TokenTable(tmp_path / "t.parquet") if row.name == name)

    assert isinstance(spoilt("poses", "gap", [1, 2]), BadTokens)
    assert spoilt("poses", "gap", [1, 2]).reason.startswith("1 breaks with 2 numbers of poses")
    assert spoilt("level_0", "a", [1, 2]).reason == "level 0 has 2 codes; 41 residues need 41"
    assert spoilt("level_0", "c", [1, 5000]).reason.startswith("level 0 has the code 5000")
    spoilt("breaks", "gap", [60])
    summary = decode.run(DecodeConfig(str(tmp_path / "t.parquet"), str(tmp_path / "out"), workers=1))
    assert (summary["structures"], summary["failed"]) == (4, 1)
    lines = (tmp_path / "out" / "summary.csv").read_text().splitlines()
    rows = {row["id"]: row for row in csv.DictReader(lines)}
    assert rows["gap"]["reason"] == "breaks [60] must rise from 1 to 59 at most"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "nowhere"}, "source=nowhere does not exist"),
        ({"out": "codebook.npz"}, r"out=codebook\.npz must end in \.safetensors"),
        ({"out": "no/folder.safetensors"}, "there is no such folder; make it first"),
        ({"codebook_size": 1}, "codebook_size=1 must be 2 to 65,536"),
        ({"split_table": "x.csv", "split": "all"}, "split=all is none of train, val, test"),
    ],
)
def test_mistakes_of_fitting(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        fit.run(FitConfig(**{"source": ".", "out": "x.safetensors", **options}))
    assert not list(tmp_path.iterdir())


def test_nothing_to_fit_to(tmp_path):
    with pytest.raises(ValueError, match="no structure file in"):
        fit.run(FitConfig(str(tmp_path), str(tmp_path / "x.safetensors")))
    (tmp_path / "empty.pdb").touch()
    with pytest.raises(ValueError, match=r"no chain to fit to in .*: 1 files or chains skipped"):
        fit.run(FitConfig(str(tmp_path), str(tmp_path / "x.safetensors")))


def test_a_damaged_codebook(structures, tmp_path):
    path = tmp_path / "own.safetensors"
    write_codebook(path, foldpix.load(16).codebook)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match="no codebook in safetensors format"):
        encode.run(EncodeConfig(str(structures), str(tmp_path / "t.parquet"), str(path), workers=1))


def test_the_commands_need_no_torch(structures, tmp_path):
    for script, *options in (
        ("encode.py", f"source={structures / 'a.pdb'}", "out=t.parquet", "workers=1"),
        ("decode.py", "source=t.parquet", "out=back", "workers=1"),
    ):
        code = f"import sys, runpy; sys.argv[0] = {str(REPO / script)!r}; sys.modules['torch'] = None; "
        code += "runpy.run_path(sys.argv[0], run_name='__main__')"
        done = finish(start("-c", code, *options, cwd=tmp_path))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert (tmp_path / "back" / "a.pdb").exists()
