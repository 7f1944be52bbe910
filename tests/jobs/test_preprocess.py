import csv
import gzip
import math
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import foldpix.dataset.convert as convert
import foldpix.jobs.preprocess as job
from foldpix.dataset.manifest import ManifestLog, read_manifest
from foldpix.image import read_png
from foldpix.jobs.entry import run_job
from foldpix.jobs.schema.preprocess import Chains, Models, PreprocessConfig

REPO = Path(__file__).parents[2]
EXAMPLES = REPO.parent / "shared/structures/raw_examples"
CHAINS = REPO.parent / "shared/structures/chains"
HELIX = {"N": (1.55, -28.3, -0.9), "CA": (2.29, 0.0, 0.0), "C": (1.68, 26.9, 1.07)}
ATOM = "ATOM  {:5d}  {:<3s} ALA {}{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           {}\n"


def helix(length, chain="A", rise=1.5):
    """PDB text of a helix; another rise is another chain."""
    lines, serial = "", 0
    for residue in range(length):
        for name, (radius, angle, height) in HELIX.items():
            serial += 1
            turn = math.radians(angle + 100 * residue)
            place = radius * math.cos(turn), radius * math.sin(turn), height + rise * residue
            lines += ATOM.format(serial, name, chain, residue + 1, *place, name[0])
    return lines


def fill(source, count=60):
    """Structures in subfolders, good ones and bad ones."""
    for number in range(count):
        path = source / f"sub{number % 3}" / f"e{number:03d}.pdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(helix(40 + number % 30, rise=1.4 + 0.001 * number))
    (source / "empty.pdb").write_text("")
    (source / "short.ent").write_text(helix(3))
    (source / "two.pdb").write_text(helix(40) + "TER\n" + helix(41, "B"))
    (source / "cut.cif.gz").write_bytes(gzip.compress(b"data_x\n" * 999)[:30])
    (source / "notes.txt").write_text("no structure")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source")
    fill(path)
    return path


def config(source, out, **options):
    return PreprocessConfig(
        str(source), str(out), **{"workers": 1, "valid_frac": 0.3, "shard_size": 10, **options}
    )


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """A data set made without interruption."""
    out = tmp_path_factory.mktemp("whole")
    return out, job.run(config(source, out))


def contents(root):
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def in_child(task) -> multiprocessing.Process:
    """Run ``task`` in a forked process that may die."""
    child = multiprocessing.get_context("fork").Process(target=task)
    child.start()
    child.join(60)
    return child


def test_whole_run(source, whole):
    out, summary = whole
    rows = list(csv.DictReader((out / "manifest.csv").read_text().splitlines()))
    assert summary["converted"] == 60
    assert (summary["done"], summary["skipped"], summary["failed"]) == (0, 2, 2)
    structures = sorted(str(path) for path in source.rglob("*") if path.is_file() and path.suffix != ".txt")
    assert [row["source"] for row in rows] == structures
    assert {row["id"]: row["reason"] for row in rows if row["status"] == "skipped"} == {
        "short": "3 residues, fewer than 40",
        "two": "2 chains; chains=split takes each",
    }
    assert {row["id"] for row in rows if row["status"] == "failed"} == {"empty", "cut"}
    taken = [row for row in rows if row["status"] == "converted"]
    for row in taken:
        picture = read_png(out / row["bin"] / f"{row['id']}.png")
        assert len(picture.sequence) == int(row["length"])
        assert (out / "fasta" / f"{row['id']}.fasta").exists()
    assert {row["split"] for row in taken} == {"train", "val"}
    names = {path.name for path in out.iterdir()}
    assert names == {"bin_40_64", "bin_65_128", "fasta", "shards", "manifest.csv", ".lock"}


def test_processes_change_nothing(source, whole, tmp_path):
    job.run(config(source, tmp_path, workers=2))
    assert contents(tmp_path) == contents(whole[0])


def test_second_run_converts_none_and_reads_none(source, tmp_path, monkeypatch):
    job.run(config(source, tmp_path))
    before = contents(tmp_path)
    read, real = [], convert.read_structure
    monkeypatch.setattr(
        convert, "read_structure", lambda path, models: read.append(Path(path).name) or real(path, models)
    )
    summary = job.run(config(source, tmp_path))
    assert (summary["converted"], summary["done"], summary["skipped"], summary["failed"]) == (0, 60, 2, 2)
    assert summary["shards_written"] == 0
    assert sorted(read) == ["cut.cif.gz", "empty.pdb", "short.ent", "two.pdb"]
    assert contents(tmp_path) == before


def test_rerun_takes_what_was_mended_removed_or_added(tmp_path):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 6)
    job.run(config(source, out))
    (source / "empty.pdb").write_text(helix(44))
    (source / "new.pdb").write_text(helix(45))
    (out / "bin_40_64/e003.png").unlink()
    summary = job.run(config(source, out))
    assert (summary["converted"], summary["done"]) == (3, 5)
    assert sum(row.status == "converted" for row in read_manifest(out)) == 8
    assert (out / "bin_40_64/e003.png").exists()
    summary = job.run(config(source, out, chains=Chains.split))
    assert (summary["converted"], summary["done"], summary["skipped"]) == (2, 8, 1)
    assert {row.id for row in read_manifest(out)} >= {"two_A", "two_B"}
    assert len([row for row in read_manifest(out) if row.source.endswith("two.pdb")]) == 2


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_fasta(monkeypatch):
    real, calls = convert._put, []

    def put(target, data):
        calls.append(target)
        if len(calls) == 60:  # a PNG, so that its FASTA stands alone
            die()
        return real(target, data)

    monkeypatch.setattr(convert, "_put", put)


def die_in_a_row(monkeypatch):
    real, calls = ManifestLog.append, []

    def append(self, rows):
        calls.append(rows)
        if len(calls) == 30:
            self._file.write(b"converted,,e0")
            die()
        real(self, rows)

    monkeypatch.setattr(ManifestLog, "append", append)


def die_before_sorting(monkeypatch):
    monkeypatch.setattr(job, "write_manifest", lambda *_: die())


def die_in_shards(monkeypatch):
    import foldpix.dataset.shards as shards

    real, calls = shards._add_sample, []

    def add_sample(archive, key, png):
        calls.append(key)
        if len(calls) == 25:
            die()
        real(archive, key, png)

    monkeypatch.setattr(shards, "_add_sample", add_sample)


@pytest.mark.parametrize("blow", [die_after_fasta, die_in_a_row, die_before_sorting, die_in_shards])
def test_killed_and_run_again(source, whole, tmp_path, monkeypatch, blow):
    with monkeypatch.context() as patch:
        blow(patch)
        child = in_child(lambda: job.run(config(source, tmp_path)))
    assert child.exitcode == -signal.SIGKILL
    assert contents(tmp_path) != contents(whole[0])
    read_manifest(tmp_path)  # intact
    job.run(config(source, tmp_path))
    assert contents(tmp_path) == contents(whole[0])


@pytest.mark.slow
def test_killed_with_its_workers_at_work(source, whole, tmp_path):
    command = [sys.executable, "preprocess.py", f"source={source}", f"out={tmp_path}", "workers=2"]
    process = subprocess.Popen([*command, "valid_frac=0.3", "shard_size=10"], cwd=REPO)
    while process.poll() is None and not list(tmp_path.glob("bin_*/*.png")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    job.run(config(source, tmp_path))
    assert contents(tmp_path) == contents(whole[0])


def test_duplicate_ids(tmp_path):
    source, out = tmp_path / "s", tmp_path / "o"
    for name in ("a/1abc.pdb", "b/1abc.pdb", "1abc.ent", "c/x.y.pdb", "c/x_y.pdb"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(helix(50))
    job.run(config(source, out))
    rows = read_manifest(out)
    assert Counter((row.id, row.status) for row in rows) == {
        ("1abc", "converted"): 1,
        ("1abc", "failed"): 2,
        ("x_y", "converted"): 1,
        ("x_y", "failed"): 1,
    }
    first = {row.id: row.source for row in rows if row.status == "converted"}
    assert all(
        row.reason == f"duplicate id {row.id}, also {first[row.id]}" for row in rows if row.status == "failed"
    )
    job.run(config(source, out))
    assert read_manifest(out) == rows


def test_a_moved_folder_keeps_its_chains_and_splits(tmp_path):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 20)
    job.run(config(source, out))
    before = {row.id: (row.status, row.split, row.checksum) for row in read_manifest(out)}
    source.rename(tmp_path / "moved")
    summary = job.run(config(tmp_path / "moved", out))
    assert (summary["converted"], summary["done"], summary["shards_written"]) == (0, 20, 0)
    rows = read_manifest(out)
    taken = [row for row in rows if row.status == "converted"]
    assert {row.id: (row.status, row.split, row.checksum) for row in rows} == before
    assert len(taken) == 20
    assert all("/moved/" in row.source for row in taken)


def test_a_second_folder_into_the_same_data_set(tmp_path):
    out = tmp_path / "o"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.pdb").write_text(helix(50))
        (tmp_path / name / "bad.pdb").write_text(name)
        job.run(config(tmp_path / name, out))
    assert {(Path(row.source).parent.name, row.id, row.status) for row in read_manifest(out)} == {
        ("a", "a", "converted"),
        ("a", "bad", "failed"),
        ("b", "b", "converted"),
        ("b", "bad", "failed"),
    }


def test_split_table(tmp_path, capsys):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 6)
    (tmp_path / "t.csv").write_text("file,split\n" + "".join(f"x/e00{i}.pdb.gz,test\n" for i in range(4)))
    job.run(config(source, out))
    job.run(config(source, out, split_table=str(tmp_path / "t.csv"), valid_frac=0.0))
    splits = {row.id: row.split for row in read_manifest(out) if row.status == "converted"}
    assert splits == {
        **dict.fromkeys(["e000", "e001", "e002", "e003"], "test"),
        "e004": "train",
        "e005": "train",
    }
    assert {path.name for path in (out / "shards").rglob("*.tar")} == {"test-000000.tar", "train-000000.tar"}
    assert re.search(r"not in split_table, split by MD5 +2\b", capsys.readouterr().out)


def test_a_changed_split_is_warned_about(tmp_path, capsys):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 20)

    def run(**options):
        job.run(config(source, out, **options))
        splits = {row.id: row.split for row in read_manifest(out) if row.status == "converted"}
        return splits, re.findall(r"warning: split changed for (\d+) chains", capsys.readouterr().out)

    assert run(valid_frac=0.1)[1] == []
    (source / "new.pdb").write_text(helix(45))
    first, warned = run(valid_frac=0.1)
    assert warned == []
    second, warned = run(valid_frac=0.6)
    num_moved = sum(second[key] != split for key, split in first.items())
    assert num_moved > 0
    assert warned == [str(num_moved)]
    (tmp_path / "t.csv").write_text(f"id,split\ne000,test\ne001,{second['e001']}\n")
    assert run(valid_frac=0.6, split_table=str(tmp_path / "t.csv"))[1] == ["1"]


def test_chains_that_lost_residues_are_counted(tmp_path, capsys):
    source = tmp_path / "s"
    fill(source, 4)
    for name in ("sub1/e001.pdb", "sub2/e002.pdb"):
        path = source / name
        path.write_text(path.read_text().partition("\n")[2])  # without the first N
    for _ in range(2):
        job.run(config(source, tmp_path / "o"))
        assert re.search(r"chains that lost residues without N, CA or C +2\b", capsys.readouterr().out)
    assert {row.id: row.dropped for row in read_manifest(tmp_path / "o") if row.dropped} == {
        "e001": 1,
        "e002": 1,
    }


def test_single_file(tmp_path):
    (tmp_path / "1abc.PDB").write_text(helix(50))
    assert job.run(config(tmp_path / "1abc.PDB", tmp_path / "o"))["converted"] == 1
    (tmp_path / "1abc.txt").write_text(helix(50))
    assert job.run(config(tmp_path / "1abc.txt", tmp_path / "p"))["failed"] == 1
    assert "unknown suffix" in read_manifest(tmp_path / "p")[0].reason


def test_unreadable_folder_is_a_row(tmp_path, monkeypatch):
    source, real = tmp_path / "s", os.scandir
    fill(source, 3)

    def scandir(path):
        if str(path).endswith("sub1"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert job.run(config(source, tmp_path / "o"))["converted"] == 2
    reasons = {row.source: row.reason for row in read_manifest(tmp_path / "o")}
    assert reasons[str(source / "sub1")] == "cannot list the folder: Permission denied"


@pytest.mark.parametrize("workers", [1, 2])
def test_delete_source(tmp_path, workers):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 6)
    (source / "bad_chain.pdb").write_text(helix(50) + "TER\n" + helix(5, "B"))
    job.run(config(source, out, delete_source=True, chains=Chains.split, workers=workers))
    left = {path.name for path in source.rglob("*") if path.is_file()}
    assert left == {"empty.pdb", "short.ent", "cut.cif.gz", "notes.txt", "bad_chain.pdb"}
    rows = read_manifest(out)
    assert len(rows) == 6 + 2 + 2 + 3
    job.run(config(source, out, delete_source=True, chains=Chains.split))
    assert read_manifest(out) == rows


CA_ONLY = "".join(line for line in helix(50, "C").splitlines(keepends=True) if "  CA  " in line)
MODELS = "".join(f"MODEL     {number:4d}\n{helix(50)}ENDMDL\n" for number in (1, 2))


def test_delete_source_keeps_what_holds_more_than_was_converted(tmp_path, capsys):
    source = tmp_path / "s"
    fill(source, 2)
    (source / "ca.pdb").write_text(helix(50) + "TER\n" + CA_ONLY)
    (source / "ca_first.pdb").write_text(CA_ONLY + "TER\n" + helix(50))
    (source / "models.pdb").write_text(MODELS)
    (source / "broken_model.pdb").write_text(MODELS.replace("MODEL        2\n", "MODEL        2\nATOM\n"))
    (source / "one_model.pdb").write_text(MODELS.partition("MODEL        2")[0])
    for _ in range(2):
        job.run(config(source, tmp_path / "o", delete_source=True, models=Models.first))
        assert re.search(
            r"sources kept, as they hold chains or models that were not converted +4\b",
            capsys.readouterr().out,
        )
    left = {path.stem for path in source.rglob("*.pdb")}
    assert left == {"ca", "ca_first", "models", "broken_model", "empty", "two"}
    rows = read_manifest(tmp_path / "o")
    assert sum(row.status == "converted" for row in rows) == 2 + 5


def test_delete_source_later_converts_and_compares_again(tmp_path):
    source, out = tmp_path / "s", tmp_path / "o"
    fill(source, 6)
    job.run(config(source, out))
    (source / "sub1/e001.pdb").write_text(helix(60))  # no longer what was converted
    summary = job.run(config(source, out, delete_source=True))
    assert (summary["converted"], summary["done"], summary["failed"]) == (0, 5, 3)
    assert [path.name for path in source.glob("sub*/*")] == ["e001.pdb"]


def test_deleted_only_when_its_row_is_on_the_disk(tmp_path, monkeypatch):
    source, events = tmp_path / "s", []
    fill(source, 2)
    real_sync, real_unlink = ManifestLog.sync, Path.unlink
    monkeypatch.setattr(ManifestLog, "sync", lambda self: events.append("sync") or real_sync(self))

    def unlink(self, missing_ok=False):
        if self.suffix == ".pdb":
            assert str(self) in {row.source for row in read_manifest(tmp_path / "o")}
            events.append("unlink")
        real_unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    job.run(config(source, tmp_path / "o", delete_source=True))
    assert events == ["sync", "unlink", "unlink"]


def refused(source, out, **options) -> str:
    with pytest.raises((ValueError, OSError)) as caught:
        job.run(config(source, out, **options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("size", ["160k", "600k"])
def test_full_disk(source, whole, tmp_path, size, workers):
    """A real one, of a size that ends in the conversion or in the shards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        message = refused(source, disk / "out", workers=workers)
        assert message.startswith(f"cannot write {disk / 'out'}: No space left on device; ")
        assert message.endswith("chains converted so far, run the same command to go on")
        assert len(list(source.rglob("*.pdb"))) == 62
        assert not [*disk.rglob("*.tmp"), *disk.rglob(".tmp/*")]
        for png in disk.rglob("*.png"):
            read_png(png)
        read_manifest(disk / "out")
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        job.run(config(source, disk / "out"))
        assert contents(disk / "out") == contents(whole[0])
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("limit", [3000, 9000])
def test_file_size_limit(source, whole, tmp_path, limit):
    """Every write beyond the limit fails: first that of a PNG, or that of the manifest."""

    def task():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        (tmp_path / "message").write_text(refused(source, tmp_path / "out", delete_source=True))

    copy = contents(source)
    assert in_child(task).exitcode == 0
    assert "File too large" in (tmp_path / "message").read_text()
    rows = read_manifest(tmp_path / "out")
    gone = copy.keys() - contents(source).keys()
    for name in gone:
        (source / name).write_bytes(copy[name])
    assert gone == {str(Path(row.source).relative_to(source)) for row in rows if row.status == "converted"}
    assert not list((tmp_path / "out").rglob(".tmp/*"))
    job.run(config(source, tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(whole[0])


class Bomb:
    """Kills the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)


def test_worker_killed(source, whole, tmp_path, monkeypatch):
    real = job.PendingSources.__iter__

    def with_bomb(self):
        for number, found in enumerate(real(self)):
            yield found._replace(refusal=Bomb()) if number == 50 else found

    with monkeypatch.context() as patch:
        patch.setattr(job.PendingSources, "__iter__", with_bomb)
        message = refused(source, tmp_path, workers=2)
    assert message.startswith("a worker was killed")
    assert "fewer workers" in message
    assert not list(tmp_path.rglob(".tmp/*"))
    job.run(config(source, tmp_path, workers=2))
    assert contents(tmp_path) == contents(whole[0])


def test_contradictions(source, tmp_path):
    out = tmp_path / "o"
    assert "does not exist" in refused(tmp_path / "nowhere", out)
    assert "d_max=0.0 must be" in refused(source, out, d_max=0.0)
    assert "d_max=nan must be" in refused(source, out, d_max=float("nan"))
    assert "valid_frac=1.0" in refused(source, out, valid_frac=1.0)
    assert "valid_frac=-0.1" in refused(source, out, valid_frac=-0.1)
    assert "workers=0" in refused(source, out, workers=0)
    assert "shard_size=0" in refused(source, out, shard_size=0)
    assert "t.csv" in refused(source, out, split_table="t.csv")
    assert not out.exists()
    (tmp_path / "made.json").touch()
    assert "holds made-up chains" in refused(source, tmp_path)


def test_out_that_cannot_be_written(source, tmp_path):
    (tmp_path / "file").write_text("")
    assert refused(source, tmp_path / "file").startswith(f"cannot write {tmp_path / 'file'}: File exists")
    assert "Not a directory" in refused(source, tmp_path / "file" / "out")
    assert refused(source, "/proc/out").startswith("cannot write /proc/out: ")


def test_no_structure_in_folder(tmp_path):
    (tmp_path / "s").mkdir()
    assert "no structure file" in refused(tmp_path / "s", tmp_path / "o")


def test_another_d_max_in_the_same_data_set(tmp_path):
    fill(tmp_path / "s", 2)
    job.run(config(tmp_path / "s", tmp_path / "o"))
    assert "holds pictures with d_max=80.0, not 60.0" in refused(tmp_path / "s", tmp_path / "o", d_max=60.0)


def test_two_jobs_at_once(source, tmp_path):
    with job._workspace(tmp_path):
        assert "another job is writing" in refused(source, tmp_path)
    assert job.run(config(source, tmp_path))["converted"] == 60


def test_user_error_is_one_line_and_exit_code_2(tmp_path, capsys):
    cfg = OmegaConf.create(
        {"source": str(tmp_path / "nowhere"), "out": str(tmp_path / "o"), "chains": "split"}
    )
    with pytest.raises(SystemExit, match="2"):
        run_job(job.run, cfg, PreprocessConfig)
    assert (
        capsys.readouterr().err
        == f"error: source={tmp_path / 'nowhere'} does not exist; give a folder or file of structures\n"
    )


def test_command_line(source, whole, tmp_path):
    def call(*options):
        command = [sys.executable, REPO / "preprocess.py", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = call(f"source={source}", "out=o", "workers=1", "valid_frac=0.3", "shard_size=10")
    assert (done.returncode, done.stderr) == (0, "")
    for line in (
        "converted",
        "skipped: chains; chains=split takes each",
        "failed: the file is empty",
        "files/s",
    ):
        assert line in done.stdout
    assert contents(tmp_path / "o") == contents(whole[0])
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
    missing = call("out=o")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith("error: ")
    assert missing.stderr.count("\n") == 1
    assert "chans" in call(f"source={source}", "out=o", "chans=split").stderr


# What each entry holds by its own records: models, or else chains with at least one complete residue.
RAW = {
    "1dix": "converted",
    "1f2n": "3 chains",
    "1gya": "18 models",
    "1igy": "4 chains",
    "1k6p": "2 chains",
    "1l2y": "38 models",
    "2axd": "12 models",
    "3o5r": "converted",
    "3wip": "10 chains",
    "4gxy": "no amino-acid residue",
    "4zxb": "5 chains",
    "5eil": "3 chains",
    "5h73": "converted",
    "5ugo": "converted",
    "7gsa": "converted",
    "altloc": "1 residues, fewer than 40",
    "hetatm": "no amino-acid residue",
    "lsp_1a1xA": "converted",
    "lsp_1a62A": "converted",
    "plip_1eve": "converted",
    "plip_1osn": "4 chains",
    "plip_1vsn": "converted",
    "plip_1xdn": "converted",
    "plip_2ndo": "10 models",
    "plip_3pxf": "converted",
    "plip_4dst": "converted",
    "plip_5ddr": "2 chains",
    "plip_6nhb": "2 chains",
    "res_ids": "3 residues, fewer than 40",
}
RAW_SPLIT = {
    "1f2n": "A189 B189 C212",
    "1gya": "A105",
    "1k6p": "A99 B99",
    "2axd": "S76",
    "4zxb": "A214 B218 C187 D182 E800",
    "5ugo": "A326",
    "plip_2ndo": "A189",
    "plip_5ddr": "C94 D94",
}
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="../shared/structures is absent")


@needs_examples
def test_raw_examples(tmp_path):
    job.run(config(EXAMPLES, tmp_path, workers=2, shards=False))
    rows = read_manifest(tmp_path)
    assert [row.source for row in rows] == sorted(str(path.resolve()) for path in EXAMPLES.iterdir())
    lysozyme = [row for row in rows if row.id == "1aki"]  # three files of one entry
    assert sorted(row.status for row in lysozyme) == ["converted", "failed", "failed"]
    found = {row.id: row.reason.split(";")[0] or row.status.value for row in rows if row.id != "1aki"}
    assert found == RAW


@needs_examples
def test_raw_examples_chain_by_chain(tmp_path):
    job.run(config(EXAMPLES, tmp_path, workers=2, shards=False, chains=Chains.split, models=Models.first))
    rows = read_manifest(tmp_path)
    assert {row.id for row in rows if row.status == "skipped"} == {"1l2y_A", "altloc_A", "res_ids_A"}
    assert Counter(row.reason.split(",")[0] for row in rows if row.status == "failed") == {
        "no amino-acid residue": 2,
        "duplicate id 1aki": 2,
    }
    taken = [row for row in rows if row.status == "converted"]
    chains: dict[str, str] = {}
    for row in taken:
        entry = row.id.removesuffix(f"_{row.chain}")
        chains[entry] = f"{chains.get(entry, '')} {row.chain}{row.length}".strip()
    assert {entry: chains[entry] for entry in RAW_SPLIT} == RAW_SPLIT
    assert len({(row.source, row.split) for row in taken}) == len({row.source for row in taken})


@pytest.mark.slow
@pytest.mark.skipif(not CHAINS.is_dir(), reason="../shared/structures is absent")
@pytest.mark.timeout(1800)
def test_real_chains(tmp_path):
    first = job.run(config(CHAINS, tmp_path, workers=2))
    rows = read_manifest(tmp_path)
    assert len(rows) == 3581
    assert [row.source for row in rows] == sorted(str(path.resolve()) for path in CHAINS.iterdir())
    assert first["converted"] == sum(row.status == "converted" for row in rows) >= 3578
    second = job.run(config(CHAINS, tmp_path, workers=2))
    assert (second["converted"], second["done"], second["shards_written"]) == (0, first["converted"], 0)
    assert read_manifest(tmp_path) == rows
