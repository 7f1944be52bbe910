"""How a job starts, and how it ends for a user who made a mistake."""

import ast
import sys
from dataclasses import dataclass, field

import pytest
from omegaconf import MISSING, OmegaConf

from foldpix.jobs.entry import run_job, typed
from tests.training.tiny import REPO, finish, start

SCRIPTS = ("train", "preprocess", "generate", "evaluate", "encode", "decode", "align", "fit")
HEAVY = {"torch", "pytorch_lightning", "biotite", "matplotlib", "PIL", "joblib", "wandb", "jax", "pyarrow"}


@dataclass
class Inner:
    size: int = 3
    names: list[str] = field(default_factory=list)


@dataclass
class Schema:
    path: str = MISSING
    inner: Inner = field(default_factory=Inner)
    limit: int | None = None


def config(**values):
    return OmegaConf.merge(OmegaConf.structured(Schema), OmegaConf.create(values))


def with_new_key(cfg, node, key):
    OmegaConf.set_struct(cfg, False)
    target = OmegaConf.select(cfg, node) if node else cfg
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(target), "_validate_get", lambda *_, **__: None)
        patch.setattr(type(target), "_validate_set", lambda *_, **__: None)
        target._set_item_impl(key, 1)
    return cfg


def test_typed_gives_plain_dataclasses():
    made = typed(config(path="a", inner={"size": 5, "names": ["b"]}), Schema)
    assert made == Schema("a", Inner(5, ["b"]))
    assert type(made.inner) is Inner and type(made.inner.names) is list


def test_typed_names_what_is_missing():
    with pytest.raises(ValueError, match=r"^missing value: path=\.\.\.$"):
        typed(config(), Schema)


@pytest.mark.parametrize(("node", "key"), [("", "new"), ("inner", "inner.new")])
def test_typed_names_unknown_keys(node, key):
    with pytest.raises(ValueError, match=f"^unknown config key {key}; "):
        typed(with_new_key(config(path="a"), node, "new"), Schema)


def test_typed_rejects_wrong_types_in_one_line():
    with pytest.raises(ValueError, match="many") as caught:
        typed(OmegaConf.create({"path": "a", "limit": "many"}), Schema)
    assert "\n" not in str(caught.value)


def raising(error):
    def job(_):
        raise error

    return job


WORKER_ERROR = """Caught ValueError in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "x.py", line 1, in f
ValueError: no sample can be read"""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("size=0 must be at least 1"), "size=0 must be at least 1"),
        (ValueError("two\n  lines"), "two lines"),
        (ValueError(WORKER_ERROR), "ValueError: no sample can be read"),
        (FileNotFoundError(2, "No such file or directory", "a.ckpt"), "a.ckpt"),
        (PermissionError(13, "Permission denied", "out"), "Permission denied"),
    ],
)
def test_an_error_of_the_user_is_one_line(error, line, capsys, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit) as exit:
        run_job(raising(error), config(path="a"), Schema)
    assert exit.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith("error: ") and line in err


def test_the_whole_error_on_demand(monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    error = ValueError("x")
    with pytest.raises(ValueError) as caught:
        run_job(raising(error), config(path="a"), Schema)
    assert caught.value is error


def test_an_error_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run_job(raising(ZeroDivisionError()), config(path="a"), Schema)


def test_the_job_gets_the_typed_config():
    seen = []
    run_job(seen.append, config(path="a", limit=3), Schema)
    assert seen == [Schema("a", limit=3)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_quick(script, tmp_path):
    """It imports nothing heavy; that keeps it well under a second."""
    done = finish(start("-X", "importtime", REPO / f"{script}.py", "--help", cwd=tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Powered by Hydra" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert not imported & HEAVY
    assert not list(tmp_path.iterdir())


def test_every_script_is_covered():
    assert {path.stem for path in REPO.glob("*.py")} == set(SCRIPTS)
    assert not {path.stem for path in REPO.glob("*.py")} & sys.stdlib_module_names


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_short_and_documented(script):
    tree = ast.parse((REPO / f"{script}.py").read_text())
    assert f"python {script}.py " in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["+new=1"], "error: unknown config key new; "),
        (["new=1"], "error: Could not override 'new'. Key 'new' not in 'GenerateConfig'"),
        (["num=many"], "Value 'many' of type 'str' could not be converted to Integer"),
        (["num=[1"], "error: "),
        ([], "error: missing value: out=..."),
        (["out=x", "min_length=9", "max_length=8"], "error: min_length=9, max_length=8: "),
    ],
)
def test_mistakes_on_the_command_line(options, message, tmp_path):
    done = finish(start(REPO / "generate.py", *options, cwd=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["runs=/proc/none"], "No such file or directory: '/proc/none'"),
        (["model=none"], "Could not find 'model/none' Available options in 'model': hvqvae "),
        (["data.root=none"], "error: none/shards holds no bins of images; `python preprocess.py "),
        (["ckpt=none.ckpt"], "No such file or directory: 'none.ckpt'"),
    ],
)
def test_mistakes_of_a_training_run(options, message, tmp_path):
    done = finish(start(REPO / "train.py", *options, cwd=tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_the_traceback_of_a_mistake_on_demand(tmp_path):
    done = finish(start(REPO / "generate.py", "out=x", "num=0", cwd=tmp_path, HYDRA_FULL_ERROR="1"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: num=0 must be at least 1" in done.stderr
