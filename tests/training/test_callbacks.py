import csv
import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from foldpix.jobs import train
from foldpix.training.callbacks import LastCheckpoint, StepProgressBar
from foldpix.training.config import LoggerConfig, LoggerKind
from tests.training.tiny import NUM_VAL, REPO, finish, start, tiny_run


@pytest.fixture(scope="module")
def run_dir(dataset, tmp_path_factory):
    """A run of four steps with two validations, its figures in a CSV."""
    folder = tmp_path_factory.mktemp("run")
    train.run(tiny_run(dataset, folder, logger=LoggerConfig(LoggerKind.csv), trainer={"val_batches": None}))
    return folder


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_folder(run_dir):
    files = {str(path.relative_to(run_dir)) for path in run_dir.rglob("*") if path.is_file()}
    checkpoints = {"checkpoints/last.ckpt", "checkpoints/best.ckpt"}
    each = {
        f"{what}/step_00000{n}.{kind}"
        for what, kind in (("pictures", "png"), ("chains", "csv"))
        for n in (2, 4)
    }
    assert files == checkpoints | {"logs/metrics.csv"} | each


def test_the_csv_has_the_promised_columns(run_dir):
    figures = rows(run_dir / "logs" / "metrics.csv")
    channels = ("d", "sin_omega", "cos_omega", "sin_theta", "cos_theta", "cos_phi")
    parts = ("loss", "reconstruction", "gram", "commitment", *(f"mse_{name}" for name in channels))
    expected = {f"{stage}/{part}" for stage in ("train", "val") for part in parts}
    expected |= {f"val/level{level}/{name}" for level in (0, 1) for name in ("codebook_use", "perplexity")}
    assert figures[0].keys() == expected | {"epoch", "step", "lr", "data/skipped", "val/backbone_rmsd"}
    assert [int(row["step"]) for row in figures if row["train/loss"]] == [0, 1, 2, 3]
    validations = [row for row in figures if row["val/loss"]]
    assert [int(row["step"]) for row in validations] == [1, 3]
    for row in validations:
        assert 0 < float(row["val/level0/codebook_use"]) <= 1 <= float(row["val/level1/perplexity"]) <= 16
        assert 0 < float(row["val/backbone_rmsd"]) < 100


def test_the_logged_rate_is_the_one_that_was_used(run_dir):
    logged = [float(row["lr"]) for row in rows(run_dir / "logs" / "metrics.csv") if row["lr"]]
    assert logged == pytest.approx([1e-3 / 3, 2e-3 / 3, 1e-3, 1e-3 * (0.02 + 0.98 / 2)])


def test_pictures_show_originals_above_what_was_decoded(run_dir, dataset):
    with Image.open(run_dir / "pictures" / "step_000004.png") as file:
        pixels = np.array(file)
    (first, *_) = sorted(dataset.glob("bin_40_64/chain_00000[0-5].png"))
    with Image.open(first) as file:
        original = np.array(file)
    side = len(original)
    height = (len(pixels) - 18) // 2
    assert np.array_equal(pixels[6 : 6 + side, 6 : 6 + side], original)
    decoded = pixels[12 + height : 12 + height + side, 6 : 6 + side]
    assert decoded.std() > 5 and not np.array_equal(decoded, original)


def test_a_table_says_how_each_chain_came_back(run_dir):
    table, logged = rows(run_dir / "chains" / "step_000004.csv"), rows(run_dir / "logs" / "metrics.csv")
    assert [row["name"] for row in table] == sorted(row["name"] for row in table)
    assert len(table) == NUM_VAL
    mean = np.mean([float(row["backbone_rmsd"]) for row in table])
    (last,) = (row for row in logged if row["val/loss"] and row["step"] == "3")
    assert mean == pytest.approx(float(last["val/backbone_rmsd"]), rel=1e-3)
    assert all(40 <= int(row["length"]) <= 80 and row["right_handed"] in ("True", "False") for row in table)


def test_a_continued_run_keeps_its_earlier_figures(dataset, tmp_path):
    config = tiny_run(dataset, tmp_path, logger=LoggerConfig(LoggerKind.csv), trainer={"max_steps": 2})
    train.run(config)
    config.trainer.max_steps, config.ckpt = 4, "last"
    train.run(config)
    parts = [rows(tmp_path / name / "metrics.csv") for name in ("logs", "logs_1")]
    assert [[int(row["step"]) for row in part if row["lr"]] for part in parts] == [[0, 1], [2, 3]]


def test_checkpoints_fall_on_their_steps_once(tmp_path):
    saved = []
    trainer = SimpleNamespace(global_step=0, save_checkpoint=lambda path: saved.append(trainer.global_step))
    callback = LastCheckpoint(tmp_path / "last.ckpt", every=3, val_every=6)
    callback.on_train_start(trainer, None)
    for batch in range(1, 17):  # two batches a step
        trainer.global_step = batch // 2
        callback.on_train_batch_end(trainer)
        if batch == 12:
            assert saved == [3]  # step 6 waits for its validation
            callback.on_validation_end(trainer, None)
    assert saved == [3, 6]
    callback.on_train_end(trainer, None)
    assert saved == [3, 6, 8]


def test_the_last_step_is_saved_once(tmp_path):
    saved = []
    trainer = SimpleNamespace(global_step=2, save_checkpoint=lambda path: saved.append(trainer.global_step))
    callback = LastCheckpoint(tmp_path / "last.ckpt", every=3, val_every=6)
    callback.on_train_start(trainer, None)
    trainer.global_step = 3
    callback.on_train_batch_end(trainer)
    callback.on_train_end(trainer, None)
    assert saved == [3]


def test_the_bar_counts_the_batches_of_the_run():
    bar = StepProgressBar()
    bar._trainer = SimpleNamespace(max_steps=50, accumulate_grad_batches=4)
    assert bar.total_train_batches == 200


def test_weights_and_biases_offline(dataset, tmp_path):
    options = ["debug=fast", "logger=wandb", f"data.root={dataset}", "runs=made", "trainer.max_steps=2"]
    environment = {name: "" for name in os.environ if name.startswith("WANDB")}
    nowhere = {"WANDB_BASE_URL": "http://127.0.0.1:9", "HOME": str(tmp_path / "home")}
    done = finish(start(REPO / "train.py", *options, cwd=tmp_path, **(environment | nowhere)))
    assert done.returncode == 0, done.stderr
    (run_dir,) = (tmp_path / "made" / "debug").iterdir()
    (offline,) = run_dir.glob("wandb/offline-run-*")
    (record,) = offline.glob("*.wandb")
    assert record.stat().st_size > 1000
    assert b"val/level0/perplexity" in record.read_bytes()
    assert len(list(offline.glob("files/media/images/*.png"))) == 1
    assert not (tmp_path / "wandb").exists()
