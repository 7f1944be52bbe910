import os

import pytest
import torch

from foldpix.dataset.config import SourceKind
from foldpix.jobs import train
from foldpix.jobs.entry import typed
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.config import Space
from tests.jobs.test_configs import CHOICES, composed
from tests.training.tiny import load, tiny_run


def test_it_returns_and_prints_the_last_figures(images, tmp_path, capsys):
    metrics = train.run(tiny_run(images, tmp_path / "run"))
    out, err = capsys.readouterr()
    first, *_, last = out.splitlines()
    assert first.endswith(f"M parameters, run folder {tmp_path / 'run'}")
    assert last == f"checkpoint: {tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}"
    cells = [line.replace("│", " ").split() for line in out.splitlines()]
    assert ["val/backbone_rmsd", f"{metrics['val/backbone_rmsd']:.4g}"] in cells
    assert err == ""


@pytest.mark.parametrize("experiment", [choice for group, choice in CHOICES if group == "experiment"])
def test_experiments_train(experiment, images, tmp_path):
    overrides = [f"experiment={experiment}", "name=x", f"run_dir={tmp_path}", f"data.root={images}"]
    steps = ["trainer.max_steps=2", "trainer.val_every=2", "data.batch_size=2", "data.num_workers=0"]
    metrics = train.run(typed(composed("train", *overrides, *steps, "trainer.val_batches=1"), TrainConfig))
    assert metrics["train/loss"] > 0 and metrics["val/backbone_rmsd"] > 0


@pytest.mark.parametrize(
    "data",
    [
        {"source": SourceKind.png},
        {"source": SourceKind.coordinates, "crops": [32]},
        {"resampled": True},
        {"bins": ["bin_65_128"]},
    ],
    ids=str,
)
def test_ways_to_read(images, tmp_path, data):
    metrics = train.run(tiny_run(images, tmp_path, data=data, trainer={"max_steps": 2}))
    assert metrics["val/backbone_rmsd"] > 0
    assert load(tmp_path / "checkpoints" / "last.ckpt")["global_step"] == 2


def test_the_plain_space_trains(images, tmp_path):
    metrics = train.run(tiny_run(images, tmp_path, model={"space": Space.plain, "gram_weight": 0.0}))
    channels = [metrics[f"train/mse_{name}"] for name in ("distance_omega", "theta", "phi")]
    assert metrics["train/reconstruction"] == pytest.approx(sum(channels) / 3, rel=1e-5)


def test_num_threads(images, tmp_path):
    before = torch.get_num_threads()
    try:
        train.run(tiny_run(images, tmp_path, trainer={"num_threads": before + 1, "max_steps": 1}))
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": {"latent_dim": 10}}, "model.latent_dim=10 must be a multiple"),
        ({"model": {"codebook_size": 0}}, "model.codebook_size=0 must be at least 1"),
        ({"model": {"channel_weights": [1.0]}}, "model.channel_weights has 1 values"),
        ({"trainer": {"max_steps": 0}}, "trainer.max_steps=0 must be at least 1"),
        ({"trainer": {"clip": -1.0}}, "trainer.clip=-1.0 must not be negative"),
        ({"trainer": {"val_batches": -1}}, "trainer.val_batches=-1 must not be negative"),
        ({"data": {"batch_size": 0}}, "batch_size=0: at least 1"),
        ({"data": {"root": "nowhere"}}, "nowhere/shards holds no bins of images"),
        ({"seed": -1}, "-1 is not in bounds"),
    ],
    ids=str,
)
def test_mistakes_come_before_any_work(images, tmp_path, options, message):
    root = options.get("data", {}).pop("root", images)
    with pytest.raises(ValueError) as caught:
        train.run(tiny_run(root, tmp_path / "run", **options))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_file_stands_where_the_run_folder_should_be(images, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OSError):
        train.run(tiny_run(images, tmp_path / "run"))


def test_a_checkpoint_that_is_not_there(images, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt"):
        train.run(tiny_run(images, tmp_path / "run", ckpt=str(tmp_path / "none.ckpt")))
    assert not (tmp_path / "run").exists()


def test_last_is_of_this_run_or_the_newest_of_its_name(images, tmp_path, capsys):
    runs = tmp_path / "runs"
    one = {"trainer": {"max_steps": 1}, "runs": str(runs)}
    train.run(tiny_run(images, runs / "other" / "c", **one))
    for age, name in enumerate(("a", "b")):
        train.run(tiny_run(images, runs / "tiny" / name, **one))
        os.utime(runs / "tiny" / name / "checkpoints" / "last.ckpt", (1000 - age, 1000 - age))
    capsys.readouterr()
    for run, source in (("b", "b"), ("new", "a")):
        train.run(tiny_run(images, runs / "tiny" / run, ckpt="last", **one))
        assert f"going on from {runs}/tiny/{source}/checkpoints/last.ckpt" in capsys.readouterr().out
        os.utime(runs / "tiny" / "b" / "checkpoints" / "last.ckpt", (999, 999))


def test_a_run_with_no_steps_left_says_so(images, tmp_path, capsys):
    train.run(tiny_run(images, tmp_path, trainer={"max_steps": 1}))
    capsys.readouterr()
    assert train.run(tiny_run(images, tmp_path, trainer={"max_steps": 1}, ckpt="last")) == {}
    assert "nothing left to do: trainer.max_steps=1 is reached" in capsys.readouterr().out
