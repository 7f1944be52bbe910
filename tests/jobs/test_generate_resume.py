import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from foldpix.dataset import made, made_shards, shards
from foldpix.dataset.manifest import read_manifest
from foldpix.jobs import generate, generate_archive, generate_files
from foldpix.jobs.schema.generate import Into
from tests.jobs.generating import BLOCK, FOLDER, SHARDS, config, contents, cut_small
from tests.training.tiny import REPO, finish, start


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


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    cut_small(monkeypatch)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Shards made without interruption."""
    out = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_shards, "BLOCK", BLOCK)
        generate.run(config(out, **SHARDS))
    return contents(out)


def test_workers_change_nothing(data, tmp_path):
    generate.run(config(tmp_path, **SHARDS, workers=2))
    assert contents(tmp_path) == data


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


@pytest.mark.parametrize("options", [FOLDER, SHARDS], ids=["folder", "shards"])
def test_only_its_own_half_files_are_swept(options, tmp_path):
    theirs = ["notes.tmp", ".0123.tmp", "sub/chains.csv.tmp", "sub/.0123456789abcdef.tmp", ".made/part.tmp"]
    own = [".0123456789abcdef.tmp", "chains.csv.tmp", ".made/rows/.0123456789abcdef.tmp"]
    folder = "shards/bin_40_64"
    theirs += [f"{folder}/train.tmp", f"{folder}/train-000000.mine.tmp"]
    own += [f"{folder}/train-000000.{kind}.tmp" for kind in ("0123abcd", "idx")]
    generate.run(config(tmp_path, **options | {"num": 1}))
    for path in map(tmp_path.joinpath, theirs + own):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    generate.run(config(tmp_path, **options | {"num": 1}))
    assert sorted(tmp_path.rglob("*.tmp")) == sorted(map(tmp_path.joinpath, theirs))


@pytest.mark.parametrize(
    ("kind", "options"), [(generate_files.MadeFiles, FOLDER), (made_shards.MadeShards, SHARDS)]
)
def test_stopped_while_the_table_is_written(kind, options, tmp_path, monkeypatch):
    real = kind.finish

    def stopping(*args):
        os.kill(os.getpid(), signal.SIGINT)
        real(*args)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(kind, "finish", stopping)
        generate.run(config(tmp_path, **options | {"num": 3}))
    table = {"chains.csv", "manifest.csv"}
    assert not table & set(contents(tmp_path)) and not list(tmp_path.rglob("*.tmp"))
    assert generate.run(config(tmp_path, **options | {"num": 3}))["there"] == 3
    assert table & set(contents(tmp_path))


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
    blow = forked(
        config(out, into=Into.archive, **FOLDER), patch=lambda: die_in(generate_archive, "add_member", 5)
    )
    assert exit_codes(blow) == [-signal.SIGKILL]
    assert out.read_bytes() == before
    assert len(contents(tmp_path)) > 1
    generate.run(config(out, into=Into.archive, **FOLDER))
    assert contents(tmp_path) == {"chains.tar": before}


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
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as caught:
        generate.run(config(out, **options))
    assert caught.value.code == 130
    kept = (
        "nothing of it is kept, the same command starts anew"
        if into is Into.archive
        else "the same command goes on"
    )
    assert f"stopped, {kept}\n" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is handler
    assert not list(tmp_path.rglob("*.tmp"))
    if into is Into.archive:
        assert not contents(tmp_path)
    else:
        assert 0 < len(read_manifest(out)) < 200


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
