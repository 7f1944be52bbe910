"""A run that was cut off goes on as if nothing had happened."""

import signal
from pathlib import Path

import pytest

from foldpix.jobs import train
from foldpix.training.checkpoint import AtomicCheckpointIO, read_checkpoint
from foldpix.training.module import HVQVAEModule
from tests.training.tiny import REPO, assert_same, finish, load, start, tiny_run

# train.py, but the process kills itself before the first batch of step KILL_AT.
KILLED = f"""
import os, runpy, signal, sys
from foldpix.training.module import HVQVAEModule
begin = HVQVAEModule.on_train_batch_start
def on_train_batch_start(self, batch, batch_idx):
    if self.global_step == int(os.environ["KILL_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    begin(self, batch, batch_idx)
HVQVAEModule.on_train_batch_start = on_train_batch_start
sys.argv[0] = {str(REPO / "train.py")!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def assert_same_end(one: Path, other: Path) -> None:
    """Weights, codebooks, optimizer, schedule and position in the data."""
    ends = [load(run_dir / "checkpoints" / "last.ckpt") for run_dir in (one, other)]
    assert any(name.endswith("codebook") for name in ends[0]["state_dict"])
    for key in ("global_step", "state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(ends[0][key], ends[1][key])
    for loop in ("batch_progress", "automatic_optimization.optim_progress"):
        state = f"epoch_loop.{loop}"
        assert_same(*(end["loops"]["fit_loop"][state] for end in ends))


@pytest.mark.parametrize("num_workers", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_killed_and_resumed_equals_never_interrupted(dataset, tmp_path, num_workers):
    # Epochs of 5 batches; validation at 4 and 8; killed in the second epoch, two steps past a checkpoint.
    options = [f"data.root={dataset}", f"data.num_workers={num_workers}", "trainer.max_steps=10"]
    options += ["debug=fast", "trainer.val_every=4", "trainer.checkpoint_every=3", "data.max_pixels=null"]
    whole_dir, cut_dir = tmp_path / "whole", tmp_path / "cut"
    whole = start(REPO / "train.py", *options, f"hydra.run.dir={whole_dir}", cwd=tmp_path)
    cut = finish(start("-c", KILLED, *options, f"hydra.run.dir={cut_dir}", cwd=tmp_path, KILL_AT="8"))
    assert cut.returncode == -signal.SIGKILL, cut.stderr
    assert load(cut_dir / "checkpoints" / "last.ckpt")["global_step"] == 6
    rest = start(REPO / "train.py", *options, f"hydra.run.dir={cut_dir}", "ckpt=last", cwd=tmp_path)
    rest, whole = finish(rest), finish(whole)
    assert (rest.returncode, whole.returncode) == (0, 0), rest.stderr + whole.stderr
    assert f"going on from {cut_dir}/checkpoints/last.ckpt" in rest.stdout
    assert rest.stderr == whole.stderr == ""
    assert_same_end(whole_dir, cut_dir)


class Cut(Exception):
    pass


@pytest.fixture
def cut_before(monkeypatch):
    """Makes the runs that follow end before a batch, counted from the start of training."""
    begin = HVQVAEModule.on_train_batch_start

    def set_batch(number: int | None) -> None:
        def on_train_batch_start(self, batch, batch_idx):
            if self.trainer.fit_loop.epoch_loop.batch_progress.total.processed == number:
                raise Cut
            begin(self, batch, batch_idx)

        monkeypatch.setattr(HVQVAEModule, "on_train_batch_start", on_train_batch_start)

    return set_batch


@pytest.fixture
def validated(monkeypatch):
    """The steps at which the runs that follow begin a validation."""
    steps: list[int] = []
    monkeypatch.setattr(
        HVQVAEModule, "on_validation_epoch_start", lambda self: steps.append(self.global_step), raising=False
    )
    return steps


@pytest.mark.parametrize("accumulate", [1, 2])
def test_no_validation_is_lost_or_repeated(dataset, tmp_path, cut_before, validated, accumulate):
    steps = {"accumulate": accumulate, "max_steps": 6, "val_every": 2, "checkpoint_every": 2}
    run = tiny_run(dataset, tmp_path, trainer=steps)
    cut_before(2 * accumulate)  # right after the validation and the checkpoint of step 2
    with pytest.raises(Cut):
        train.run(run)
    assert validated == [2]
    saved = load(tmp_path / "checkpoints" / "last.ckpt")["callbacks"]
    assert any(
        "best_model_score" in state and state["best_model_score"] is not None for state in saved.values()
    )
    run.ckpt = "last"
    cut_before(None)
    train.run(run)
    assert validated == [2, 4, 6]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_cut_off_twice(dataset, tmp_path, cut_before, accumulate):
    """The second time after a single batch, which with accumulation is half a step."""
    steps = {"accumulate": accumulate, "max_steps": 6, "val_every": 2, "checkpoint_every": 2}
    train.run(tiny_run(dataset, tmp_path / "whole", trainer=steps))
    cut = tiny_run(dataset, tmp_path / "cut", trainer=steps)
    cut_before(3 * accumulate)
    with pytest.raises(Cut):
        train.run(cut)
    cut.ckpt = "last"
    cut_before(2 * accumulate + 1)
    with pytest.raises(Cut):
        train.run(cut)
    cut_before(None)
    train.run(cut)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


def test_a_finished_run_gets_more_steps(dataset, tmp_path):
    # A constant rate, as the schedule depends on the length of the run.
    for name, steps in (("whole", [6]), ("cut", [3, 6])):
        for max_steps in steps:
            config = tiny_run(dataset, tmp_path / name, trainer={"max_steps": max_steps, "val_every": 3})
            config.optimizer.warmup_steps, config.optimizer.final_lr_ratio = 0, 1.0
            config.ckpt = "last" if max_steps != steps[0] else None
            train.run(config)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


def test_killed_while_writing_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "checkpoints" / "last.ckpt"
    good = {"model_config": {}, "state_dict": {}, "step": 1}
    AtomicCheckpointIO().save_checkpoint(good, path)
    # torch.save pickles in the middle of its write: the object kills the process there.
    code = f"""
import os, signal
from foldpix.training.checkpoint import AtomicCheckpointIO
class Deadly:
    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)
AtomicCheckpointIO().save_checkpoint({{"weights": bytes(10**6), "end": Deadly()}}, {str(path)!r})
"""
    assert finish(start("-c", code, cwd=tmp_path)).returncode == -signal.SIGKILL
    assert read_checkpoint(path) == good
    assert len(list(path.parent.iterdir())) == 2  # what was begun lies beside it
    AtomicCheckpointIO().save_checkpoint(good | {"step": 2}, path)
    assert read_checkpoint(path)["step"] == 2
    assert list(path.parent.iterdir()) == [path]
