import csv
import errno
import gzip
import multiprocessing
import os
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from biotite.structure import get_chain_count, get_residue_count
from biotite.structure.io.pdb import PDBFile

from foldpix.dataset import made, made_shards, shards
from foldpix.dataset.manifest import read_manifest
from foldpix.generation.chains import sample_chains
from foldpix.jobs import generate, generate_archive, generate_files
from foldpix.jobs.schema.generate import GenerateConfig, Into
from foldpix.structure import read_structure
from tests.training.tiny import REPO, finish, start

BLOCK = 20
LENGTHS = {"min_length": 40, "max_length": 66}
SHARDS = {"into": Into.shards, "num": 30, "shard_size": 6, "valid_frac": 0.2} | LENGTHS
FOLDER = {"num": 9} | LENGTHS


def config(out, **options):
    return GenerateConfig(out=str(out), **({"workers": 1} | options))


def contents(root):
    """What the user sees."""
    files = (path for path in root.rglob("*") if path.is_file() and ".made" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def table(text):
    return list(csv.DictReader(text.decode().splitlines()))


def forked(*configs, patch=lambda: None):
    """Run jobs at once, each in a forked process that may die; their exit codes."""

    def job(options):
        patch()
        generate.run(options)

    processes = [multiprocessing.get_context("fork").Process(target=job, args=(one,)) for one in configs]
    for process in processes:
        process.start()
    return processes


def exit_codes(processes):
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def wait_for(condition, is_running):
    deadline = time.monotonic() + 120
    while not condition() and is_running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """So that few chains are many tasks."""
    monkeypatch.setattr(generate_files, "CHAINS_A_TASK", 4)
    monkeypatch.setattr(made_shards, "BLOCK", BLOCK)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Shards made without interruption."""
    out = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_shards, "BLOCK", BLOCK)
        generate.run(config(out, **SHARDS))
    return contents(out)


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


def test_workers_change_nothing(data, tmp_path):
    generate.run(config(tmp_path, **SHARDS, workers=2))
    assert contents(tmp_path) == data


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


@pytest.mark.parametrize("options", [FOLDER, SHARDS], ids=["folder", "shards"])
def test_a_second_run_makes_nothing(options, tmp_path, monkeypatch, capsys):
    generate.run(config(tmp_path, **options))
    before = contents(tmp_path)
    monkeypatch.setattr(made, "sample_chains", lambda *_, **__: pytest.fail("a chain is made again"))
    done = generate.run(config(tmp_path, **options))
    assert done == {"generated": 0, "there": options["num"], "left_out": 0}
    assert f"{options['num']} of them were there already" in capsys.readouterr().out
    assert contents(tmp_path) == before


@pytest.mark.parametrize("options", [FOLDER, SHARDS], ids=["folder", "shards"])
def test_what_is_gone_comes_back(options, tmp_path):
    generate.run(config(tmp_path, **options))
    before = contents(tmp_path)
    victim = next(path for path in sorted(tmp_path.rglob("*")) if path.suffix in (".pdb", ".tar"))
    victim.unlink()
    assert 0 < generate.run(config(tmp_path, **options))["generated"] < options["num"]
    assert contents(tmp_path) == before


@pytest.mark.parametrize("options", [FOLDER, SHARDS], ids=["folder", "shards"])
def test_more_chains_add_to_what_is_there(options, tmp_path):
    generate.run(config(tmp_path / "grown", **options | {"num": 7}))
    few = contents(tmp_path / "grown")
    generate.run(config(tmp_path / "grown", **options))
    generate.run(config(tmp_path / "whole", **options))
    assert contents(tmp_path / "grown") == contents(tmp_path / "whole")
    if options is FOLDER:
        kept = {name: data for name, data in few.items() if name != "chains.csv"}
        assert kept.items() < contents(tmp_path / "grown").items()
    with pytest.raises(ValueError, match=r"holds more than num=7 chains; raise num, or choose another out"):
        generate.run(config(tmp_path / "grown", **options | {"num": 7}))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in(module, name, call):
    """The process dies when a function is called for the n-th time."""
    real, calls = getattr(module, name), []

    def dying(*args, **options):
        calls.append(name)
        if len(calls) == call:
            die()
        return real(*args, **options)

    setattr(module, name, dying)


@pytest.mark.parametrize(
    ("module", "name", "call"),
    [
        (shards, "_add_sample", 25),
        (made_shards, "write_whole", 2),
        (shards, "write_index", 3),
        (made_shards.MadeShards, "finish", 1),
    ],
)
def test_shards_after_a_kill(data, tmp_path, module, name, call):
    blow = forked(config(tmp_path, **SHARDS), patch=lambda: die_in(module, name, call))
    assert exit_codes(blow) == [-signal.SIGKILL]
    assert contents(tmp_path) != data
    done = generate.run(config(tmp_path, **SHARDS))
    assert done["generated"] + done["there"] == 30
    assert (done["there"] > 0) is (call > 1 or name == "finish")
    assert contents(tmp_path) == data


@pytest.mark.parametrize(("name", "call"), [("write_structure", 6), ("write_whole", 2)])
def test_files_after_a_kill(tmp_path, name, call):
    blow = forked(config(tmp_path / "a", **FOLDER), patch=lambda: die_in(generate_files, name, call))
    assert exit_codes(blow) == [-signal.SIGKILL]
    assert generate.run(config(tmp_path / "a", **FOLDER))["there"] == 4
    generate.run(config(tmp_path / "b", **FOLDER))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_killed_archive_leaves_the_old_one(tmp_path):
    out = tmp_path / "chains.tar"
    generate.run(config(out, into=Into.archive, **FOLDER))
    before = out.read_bytes()
    blow = forked(config(out, into=Into.archive, **FOLDER), patch=lambda: die_in(generate_archive, "_add", 5))
    assert exit_codes(blow) == [-signal.SIGKILL]
    assert out.read_bytes() == before


def test_parts_at_once_and_one_after_another(data, tmp_path):
    parts = [config(tmp_path / "at_once", **SHARDS, parts=2, part=part) for part in (0, 1)]
    assert exit_codes(forked(*parts)) == [0, 0]
    assert contents(tmp_path / "at_once") == data
    counts = [
        generate.run(config(tmp_path / "in_turn", **SHARDS, parts=3, part=part))["generated"]
        for part in (2, 0, 1)
    ]
    assert min(counts) > 0 and sum(counts) == 30
    assert contents(tmp_path / "in_turn") == data


@pytest.mark.slow
def test_parts_of_a_folder(tmp_path):
    for part in (1, 0):
        generate.run(config(tmp_path / "parts", **FOLDER, parts=2, part=part))
    generate.run(config(tmp_path / "whole", **FOLDER))
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_part_is_done_by_one_job_at_a_time(tmp_path):
    endless = config(tmp_path, **SHARDS | {"num": None}, parts=2, part=1)
    processes = forked(endless)
    wait_for(lambda: list(tmp_path.rglob("*.digest")), processes[0].is_alive)
    with pytest.raises(ValueError, match=r"another job is writing \S+part-1-of-2; wait"):
        generate.run(endless)
    with pytest.raises(ValueError, match=r"another job is writing \S+part-1-of-2; wait"):
        generate.run(config(tmp_path, **SHARDS))
    os.kill(processes[0].pid, signal.SIGTERM)
    assert exit_codes(processes) == [0]


def test_without_end_until_told(tmp_path):
    processes = forked(config(tmp_path / "a", **SHARDS | {"num": None}))
    wait_for(lambda: len(list(tmp_path.rglob("*.digest"))) > 3, processes[0].is_alive)
    os.kill(processes[0].pid, signal.SIGINT)
    assert exit_codes(processes) == [0]
    whole = {path.stem for path in tmp_path.rglob("*.digest")}
    assert whole == {path.stem for path in tmp_path.rglob("*.tar")}
    assert not list(tmp_path.rglob("*.tmp"))
    rows = read_manifest(tmp_path / "a")
    assert (
        len(rows) == sum(len(path.read_text().splitlines()) for path in tmp_path.glob("a/shards/*/*.csv")) > 0
    )
    num = BLOCK * (max(int(row.id[6:]) for row in rows) // BLOCK + 1)
    assert generate.run(config(tmp_path / "a", **SHARDS | {"num": num}))["there"] == len(rows)
    generate.run(config(tmp_path / "b", **SHARDS | {"num": num}))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("into", [Into.shards, Into.archive])
def test_stopped_before_the_end(into, tmp_path, monkeypatch, capsys):
    options = SHARDS | {"into": into, "num": 200}
    out = tmp_path / ("out" if into is Into.shards else "chains.tar")
    real, calls = made.sample_chains, []

    def stopping(*args, **more):
        calls.append(args)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*args, **more)

    monkeypatch.setattr(made, "sample_chains", stopping)
    with pytest.raises(SystemExit) as caught:
        generate.run(config(out, **options))
    assert caught.value.code == 130
    assert "stopped, the same command goes on" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not list(tmp_path.rglob("*.tmp"))
    if into is Into.archive:
        assert not contents(tmp_path)
    else:
        assert 0 < len(read_manifest(out)) < 200


BAD = [
    ({"num": 0}, "num=0 must be at least 1, or null to go on until Ctrl-C"),
    ({"min_length": 0}, "min_length=0, max_length=64: 1 <= min <= max"),
    ({"max_length": 39}, "min_length=40, max_length=39: 1 <= min <= max"),
    ({"workers": 0}, "workers=0 must be at least 1, or null for every core"),
    ({"seed": -1}, "seed=-1 must not be negative"),
    ({"seed": 2**64}, f"seed={2**64} must not be negative, and less than 2**64"),
    ({"start": -1}, "start=-1 must not be negative"),
    ({"suffix": ".xyz"}, "unknown suffix of 'chain.xyz'; known are .pdb, "),
    ({"suffix": ""}, "unknown suffix of 'chain'; known are .pdb, "),
    ({"part": 1}, "part=1, parts=1: part is 0 to parts - 1"),
    ({"part": -1}, "part=-1, parts=1: part is 0 to parts - 1"),
    ({"parts": 0}, "part=0, parts=0: part is 0 to parts - 1"),
    ({"valid_frac": 1.0}, "valid_frac=1.0 must be 0, or at least 0.001 and less than 1"),
    ({"valid_frac": 0.0004}, "valid_frac=0.0004 must be 0, or at least 0.001"),
    ({"valid_frac": float("nan")}, "valid_frac=nan must be 0, or at least 0.001"),
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


def test_another_data_set_is_refused(tmp_path):
    (tmp_path / "manifest.csv").touch()
    with pytest.raises(ValueError, match=r"holds another data set \(manifest.csv, but no made.json\)"):
        generate.run(config(tmp_path, **SHARDS))
    assert list(contents(tmp_path)) == ["manifest.csv"]
    (tmp_path / "made.json").write_text("[1")
    with pytest.raises(ValueError, match=r"made.json is no record of made-up chains; choose another out"):
        generate.run(config(tmp_path, **SHARDS))


@pytest.mark.parametrize(
    "options", [FOLDER, SHARDS, {"into": Into.archive}], ids=["folder", "shards", "archive"]
)
def test_a_file_stands_where_the_folder_should_be(options, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "chains.tar"
    with pytest.raises(OSError, match=rf"^cannot write {out}: (Not a directory|File exists); 0 chains "):
        generate.run(config(out, **options))


def test_a_full_disk_ends_the_job_with_one_line(tmp_path, monkeypatch):
    real, calls = shards._add_sample, []

    def filling(*args):
        calls.append(args)
        if len(calls) > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(shards, "_add_sample", filling)
        with pytest.raises(OSError, match=r"^cannot write \S+: No space left on device; \d+ chains written"):
            generate.run(config(tmp_path, **SHARDS))
    assert not list(tmp_path.rglob("*.tmp"))
    assert generate.run(config(tmp_path, **SHARDS))["there"] > 0


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


COMMAND = ("into=shards", "num=400", "shard_size=20", "max_length=50", "workers=2")


@pytest.mark.slow
def test_the_command_killed_with_its_workers_at_work(tmp_path):
    process = subprocess.Popen([sys.executable, REPO / "generate.py", "out=a", *COMMAND], cwd=tmp_path)
    wait_for(lambda: list(tmp_path.rglob("*.digest")), lambda: process.poll() is None)
    process.kill()
    process.wait()
    again = finish(start(REPO / "generate.py", "out=a", *COMMAND, cwd=tmp_path))
    assert (again.returncode, again.stderr) == (0, "") and "were there already" in again.stdout
    assert finish(start(REPO / "generate.py", "out=b", *COMMAND, cwd=tmp_path)).returncode == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.slow
def test_a_sweep_over_parts(tmp_path):
    sweep = finish(start(REPO / "generate.py", "-m", "out=a", *COMMAND, "part=0,1", "parts=2", cwd=tmp_path))
    assert sweep.returncode == 0, sweep.stderr
    assert finish(start(REPO / "generate.py", "out=b", *COMMAND, cwd=tmp_path)).returncode == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


#: As a terminal starts it: in a process group of its own, all of which Ctrl-C reaches.
OWN_GROUP = """
import os, runpy, sys
os.setpgid(0, 0)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("to_all", [True, False], ids=["Ctrl-C", "kill"])
def test_the_command_without_end(to_all, tmp_path):
    command = ("-c", OWN_GROUP, REPO / "generate.py", "out=a", *COMMAND, "num=null")
    process = start(*command, cwd=tmp_path)
    wait_for(lambda: len(list(tmp_path.rglob("*.digest"))) > 5, lambda: process.poll() is None)
    if to_all:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    done = finish(process)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1 and "stopped, the same command goes on" in done.stdout
    assert len(read_manifest(tmp_path / "a")) >= 100
    assert not list(tmp_path.rglob("*.tmp"))
