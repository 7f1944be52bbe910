import gzip
import tarfile

import numpy as np
import pytest
from biotite.structure import get_chain_count, get_residue_count
from biotite.structure.io.pdb import PDBFile

from foldpix.dataset import made_shards
from foldpix.generation.chains import sample_chains
from foldpix.jobs import generate
from foldpix.jobs.schema.generate import Into
from foldpix.structure import read_structure
from tests.jobs.generating import FOLDER, SHARDS, config, contents, cut_small, table
from tests.training.tiny import REPO, finish, start


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    cut_small(monkeypatch)


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif", ".pdb.gz", ".bcif.gz"])
def test_files_hold_the_chains(suffix, tmp_path):
    options = {"num": 3, "min_length": 40, "max_length": 50, "seed": 5, "suffix": suffix}
    out = tmp_path / "deep" / "out"
    assert generate.run(config(out, **options)) == {"generated": 3, "there": 0, "left_out": 0}
    names = [f"chain_{k:06d}{suffix}" for k in range(3)]
    assert sorted(contents(out)) == [*names, "chains.csv", "made.json"]
    for name, expected in zip(names, sample_chains(range(3), 40, 50, 5), strict=True):
        (found,) = read_structure(out / name)
        assert (found.sequence, found.chain) == (expected.backbone.sequence, "A")
        assert np.abs(found.coords - expected.backbone.coords).max() < 1e-3
        assert found.num_dropped == 0


def test_biotite_reads_what_the_table_says(tmp_path):
    generate.run(config(tmp_path, valid_frac=0.5, **FOLDER))
    rows = table((tmp_path / "chains.csv").read_bytes())
    assert [row["id"] for row in rows] == [f"chain_{number:06d}" for number in range(9)]
    for row in rows:
        atoms = PDBFile.read(tmp_path / f"{row['id']}.pdb").get_structure(model=1)
        assert get_residue_count(atoms) == int(row["length"]) == len(row["sequence"]) == len(row["labels"])
        assert get_chain_count(atoms) == 1
        ca = atoms.coord[atoms.atom_name == "CA"]
        radius = np.sqrt(np.square(ca - ca.mean(axis=0)).sum(axis=1).mean())
        assert float(row["radius_of_gyration"]) == pytest.approx(radius, abs=2e-3)
        assert row["clashes"] == "0"
    assert {row["split"] for row in rows} == {"train", "val"}


def test_archive_holds_the_files_of_the_folder(tmp_path):
    generate.run(config(tmp_path / "folder", **FOLDER))
    expected = {name: data for name, data in contents(tmp_path / "folder").items() if name != "made.json"}
    for workers in (1, 2):
        out = tmp_path / f"{workers}" / "chains.tar"
        done = generate.run(config(out, into=Into.archive, workers=workers, **FOLDER))
        assert done["generated"] == 9
        assert list(contents(out.parent)) == ["chains.tar"]
        with tarfile.open(out) as archive:
            found = {member.name: archive.extractfile(member).read() for member in archive}
        assert found == expected
    assert (tmp_path / "1" / "chains.tar").read_bytes() == (tmp_path / "2" / "chains.tar").read_bytes()


BAD = [
    ({"num": 0}, "num=0 must be at least 1, or null to go on until Ctrl-C"),
    ({"min_length": 0}, "min_length=0, max_length=64: 1 <= min <= max"),
    ({"max_length": 39}, "min_length=40, max_length=39: 1 <= min <= max"),
    ({"workers": 0}, "workers=0 must be at least 1, or null for every core"),
    ({"seed": -1}, "seed=-1 must not be negative"),
    ({"seed": 2**64}, f"seed={2**64} must not be negative, and less than 2**64"),
    ({"start": -1}, "start=-1 must not be negative"),
    ({"start": 2**63 - 9, "num": 9}, f"start={2**63 - 9}, num=9: start + num must be at most 2**63 - 1"),
    ({"start": 2**63 - 1, "num": None}, f"start={2**63 - 1}, num=None: start + num must be at most"),
    ({"suffix": "/../../evil.pdb"}, "suffix=/../../evil.pdb must be the end of a file name"),
    ({"into": Into.archive, "suffix": "/x.pdb"}, "suffix=/x.pdb must be the end of a file name"),
    ({"suffix": ".xyz"}, "unknown suffix of 'chain.xyz'; known are .pdb, "),
    ({"suffix": ""}, "unknown suffix of 'chain'; known are .pdb, "),
    ({"part": 1}, "part=1, parts=1: part is 0 to parts - 1"),
    ({"part": -1}, "part=-1, parts=1: part is 0 to parts - 1"),
    ({"parts": 0}, "part=0, parts=0: part is 0 to parts - 1"),
    ({"valid_frac": 1.0}, "valid_frac=1.0 must be 0, or 0.001 to 0.999"),
    ({"valid_frac": 0.9996}, "valid_frac=0.9996 must be 0, or 0.001 to 0.999"),
    ({"valid_frac": 0.0004}, "valid_frac=0.0004 must be 0, or 0.001 to 0.999"),
    ({"valid_frac": float("nan")}, "valid_frac=nan must be 0, or 0.001 to 0.999"),
    ({"into": Into.shards, "min_length": 39}, "min_length=39, max_length=64: pictures have 40 to 1024"),
    ({"into": Into.shards, "max_length": 1025}, "min_length=40, max_length=1025: pictures have 40 to 1024"),
    ({"into": Into.shards, "d_max": 0.0}, "d_max=0.0 must be a positive number of angstrom"),
    ({"into": Into.shards, "d_max": float("nan")}, "d_max=nan must be a positive number of angstrom"),
    ({"into": Into.shards, "shard_size": 0}, "shard_size=0 must be at least 1"),
    ({"into": Into.archive, "num": None}, "num=null: an archive has an end; "),
    ({"into": Into.archive, "parts": 2}, "parts=2: an archive is written by one job; "),
    ({"into": Into.archive}, "must end in .tar, as into=archive writes one file"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[str(options) for options, _ in BAD])
def test_mistakes_come_before_any_work(options, message, tmp_path):
    with pytest.raises(ValueError) as caught:
        generate.run(config(tmp_path / "out", **options))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [FOLDER | {"d_max": -5.0, "shard_size": 0}, SHARDS | {"suffix": ".xyz"}])
def test_an_option_is_asked_for_where_it_is_used(options, tmp_path):
    generate.check(config(tmp_path, **options))


def test_the_last_chains_that_have_numbers(tmp_path):
    generate.run(config(tmp_path, num=3, start=2**63 - 4))
    rows = table((tmp_path / "chains.csv").read_bytes())
    assert [row["id"] for row in rows] == [f"chain_{2**63 - 4 + k}" for k in range(3)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "holds chains made with seed=0, not seed=1; choose another out"),
        ({"start": 5}, "holds chains made with start=0, not start=5; "),
        ({"max_length": 70}, "holds chains made with max_length=66, not max_length=70; "),
        ({"compact": False}, "holds chains made with compact=True, not compact=False; "),
        ({"valid_frac": 0.1}, "holds chains made with valid_frac=0.2, not valid_frac=0.1; "),
        ({"d_max": 60.0}, "holds chains made with d_max=80.0, not d_max=60.0; "),
        ({"shard_size": 9}, "holds chains made with shard_size=6, not shard_size=9; "),
        ({"into": Into.folder}, "holds chains made with into=shards, not into=folder; "),
    ],
)
def test_a_folder_holds_chains_of_one_kind(change, message, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "_watched", lambda *_: iter(()))  # nothing is written but the record
    generate.run(config(tmp_path, **SHARDS))
    before = contents(tmp_path)
    with pytest.raises(ValueError) as caught:
        generate.run(config(tmp_path, **SHARDS | change))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert contents(tmp_path) == before


def test_chains_of_another_version_are_refused(tmp_path, monkeypatch):
    generate.run(config(tmp_path, **SHARDS | {"num": 1}))
    monkeypatch.setattr(made_shards, "CHAINS_FORMAT", "foldpix-made 99")
    with pytest.raises(ValueError, match=r"made with format=foldpix-made \d, not format=foldpix-made 99; "):
        generate.run(config(tmp_path, **SHARDS | {"num": 1}))


@pytest.mark.parametrize(
    "name", ["manifest.csv", "chains.csv", "chain_000000.pdb", "shards/bin_40_64/train-000000.tar"]
)
def test_files_of_other_origin_are_left_alone(name, tmp_path):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    for options in (FOLDER, SHARDS):
        with pytest.raises(
            ValueError, match=r"holds files of other origin \(\S+, but no made.json\); choose "
        ):
            generate.run(config(tmp_path, **options))
    assert contents(tmp_path) == {name: b"mine"}


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "made.json").write_text("[1")
    with pytest.raises(ValueError, match=r"made.json is no record of made-up chains; choose another out"):
        generate.run(config(tmp_path, **SHARDS))


def test_an_archive_replaces_archives_of_chains_alone(tmp_path):
    out = tmp_path / "chains.tar"
    for suffix in (".pdb", ".cif"):
        generate.run(config(out, into=Into.archive, num=1, suffix=suffix))
        with tarfile.open(out) as archive:
            assert archive.getnames() == [f"chain_000000{suffix}", "chains.csv"]
    with tarfile.open(tmp_path / "tables.tar", "w") as archive:
        archive.add(REPO / "pyproject.toml", "chains.csv")
    (tmp_path / "text.tar").write_text("backup")
    (tmp_path / "empty.tar").touch()
    before = contents(tmp_path)
    for name in ("tables.tar", "text.tar", "empty.tar"):
        with pytest.raises(ValueError, match=rf"{name} is no archive of made-up chains and stays as it is; "):
            generate.run(config(tmp_path / name, into=Into.archive, num=1))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "kept"),
    [(FOLDER, "0 chains "), (SHARDS, "0 chains "), ({"into": Into.archive}, "nothing of it is kept, ")],
    ids=["folder", "shards", "archive"],
)
def test_a_file_stands_where_the_folder_should_be(options, kept, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "chains.tar"
    with pytest.raises(OSError, match=rf"^cannot write {out}: (Not a directory|File exists); {kept}"):
        generate.run(config(out, **options))


def test_the_command(tmp_path):
    good = finish(
        start(REPO / "generate.py", "out=made", "num=2", "suffix=.cif.gz", "workers=1", cwd=tmp_path)
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("2 chains in made, ")
    first = tmp_path / "made" / "chain_000000.cif.gz"
    assert b"_atom_site" in gzip.decompress(first.read_bytes())
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    bad = finish(start(REPO / "generate.py", "out=made/chain_000000.cif.gz/x", "num=2", cwd=tmp_path))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: ") and bad.stderr.count("\n") == 1
