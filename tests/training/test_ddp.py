"""Two real processes that exchange gradients and codebook statistics through gloo."""

import csv
import itertools
import multiprocessing
import os
import pickle
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch.multiprocessing import ProcessRaisedException, spawn
from torch.nn.parallel import DistributedDataParallel

from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.dataset.manifest import read_manifest
from foldpix.evaluation.gathering import gather
from foldpix.jobs.train import _of_user
from foldpix.training.module import HVQVAEModule
from foldpix.training.trainer import build_trainer
from tests.training.shares import batch, chains, quantizer, take_a_share
from tests.training.tiny import NUM_TRAIN, NUM_VAL, REPO, assert_same, finish, load, start, tiny_run


class RankRecorder(pl.Callback):
    """Writes down what each rank saw and what it came to."""

    def __init__(self, folder: Path):
        self.folder, self.seen, self.validated = folder, [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append(batch.names)

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        self.validated.append(batch.names)

    def on_train_end(self, trainer, pl_module):
        record = {
            "pid": os.getpid(),
            "backend": dist.get_backend(),
            "threads": torch.get_num_threads(),
            "workers": multiprocessing.get_start_method(),
            "wrapped": isinstance(trainer.strategy.model, DistributedDataParallel),
            "seen": self.seen,
            "validated": self.validated,
            "state": pl_module.state_dict(),
            "optimizer": trainer.optimizers[0].state_dict(),
            "metrics": {name: value.item() for name, value in trainer.callback_metrics.items()},
        }
        torch.save(record, self.folder / f"rank{trainer.global_rank}.pt")


@pytest.fixture(scope="module")
def ranks(dataset, tmp_path_factory):
    """What two ranks with two workers each wrote down about six steps and a validation, and the folder."""
    folder = tmp_path_factory.mktemp("ranks")
    counts = {"devices": 2, "max_steps": 6, "val_every": 6, "val_batches": None}
    config = tiny_run(dataset, folder / "run", data={"num_workers": 2}, trainer=counts)
    trainer = build_trainer(config.trainer, config.logger, folder / "run", progress=False)
    trainer.callbacks.append(RankRecorder(folder))
    module = HVQVAEModule(config.model, config.optimizer, num_threads=3)
    trainer.fit(module, datamodule=DistogramDataModule(config.data, config.model.stride, config.seed))
    return [load(folder / f"rank{rank}.pt") | {"folder": folder / "run"} for rank in (0, 1)]


def test_two_gloo_processes(ranks):
    assert len({os.getpid(), *(rank["pid"] for rank in ranks)}) == 3
    assert all(rank["backend"] == "gloo" and rank["wrapped"] for rank in ranks)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are spawned")
def test_workers_of_a_rank_do_not_import_everything_anew(ranks):
    assert [rank["workers"] for rank in ranks] == ["fork", "fork"]


def test_each_rank_takes_the_threads_it_was_given(ranks):
    assert [rank["threads"] for rank in ranks] == [3, 3]


def test_ranks_agree_bit_for_bit(ranks):
    state = ranks[0]["state"]
    assert sum(name.endswith("codebook") for name in state) == 2
    assert all(state[name] for name in state if name.endswith("started"))
    assert_same(state, ranks[1]["state"])
    assert_same(ranks[0]["optimizer"], ranks[1]["optimizer"])
    validated = [{k: v for k, v in rank["metrics"].items() if k.startswith("val/")} for rank in ranks]
    assert "val/level0/perplexity" in validated[0]
    assert validated[0] == pytest.approx(validated[1], rel=1e-6)


def test_two_ranks_with_two_workers_see_each_sample_once_an_epoch(ranks):
    steps = [
        list(itertools.chain(*batches)) for batches in zip(*(rank["seen"] for rank in ranks), strict=True)
    ]
    assert len(steps) == 6
    epochs: list[list[str]] = [[]]
    for names in steps:
        if len(epochs[-1]) == NUM_TRAIN:
            epochs.append([])
        epochs[-1] += names
    assert len(epochs) == 2
    for epoch in epochs:
        assert len(epoch) == len(set(epoch)) == NUM_TRAIN
    assert epochs[0] != epochs[1]


def test_two_ranks_validate_each_sample_once(ranks):
    names = [name for rank in ranks for batch in rank["validated"] for name in batch]
    assert len(names) == len(set(names)) == NUM_VAL


def test_the_table_has_the_chains_of_both_ranks(ranks, dataset):
    (path,) = ranks[0]["folder"].glob("chains/*.csv")
    with path.open(newline="") as file:
        table = [(row["name"], int(row["length"])) for row in csv.DictReader(file)]
    converted = [row for row in read_manifest(dataset) if row.split == "val"]
    assert table == sorted((row.id, row.length) for row in converted)


@pytest.fixture(scope="module")
def shares(tmp_path_factory):
    """The folder where two ranks left what they came to."""
    folder = tmp_path_factory.mktemp("shares")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(take_a_share, (port, folder), nprocs=2)
    return folder


def test_codebook_of_two_ranks_is_that_of_the_whole_batch(shares):
    first, second = (load(shares / f"{rank}.pt") for rank in (0, 1))
    assert_same(first, second)
    whole = quantizer()
    for _ in range(4):
        whole(*batch())
    for name, value in whole.state_dict().items():
        assert torch.allclose(first[name], value, atol=1e-5), name
    assert not torch.allclose(whole.codebook, quantizer().codebook, atol=0.1)


def test_chains_of_any_length_come_to_the_first_rank(shares):
    ours, theirs = (pickle.loads((shares / f"{rank}.pickle").read_bytes()) for rank in (0, 1))
    assert theirs == [[], [], []]
    for gathered, expected in zip(ours, (gather(chains(0) + chains(1)), chains(1), []), strict=True):
        assert [chain.name for chain in gathered] == [chain.name for chain in expected]
        for chain, original in zip(gathered, expected, strict=True):
            assert np.array_equal(chain.coords, original.coords)
            assert chain.sequence == original.sequence


@pytest.mark.slow  # the README has such a sweep, which its own test runs
def test_a_sweep_of_distributed_runs(dataset, tmp_path):
    options = ["debug=fast", "trainer=ddp", "trainer.max_steps=2", f"data.root={dataset}"]
    done = finish(start(REPO / "train.py", "-m", *options, "model.codebook_size=8,16", cwd=tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Starting with 2 processes") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    (sweep,) = (tmp_path / "runs" / "debug").iterdir()
    runs = sorted(path for path in sweep.iterdir() if path.is_dir())
    assert [path.name for path in runs] == ["0", "1"]
    for run_dir, codebook_size in zip(runs, (8, 16), strict=True):
        (checkpoint,) = run_dir.glob("checkpoints/last.ckpt")
        contents = load(checkpoint)
        assert contents["global_step"] == 2
        assert contents["model_config"]["codebook_size"] == codebook_size
        assert contents["state_dict"]["model.quantizers.0.codebook"].shape[0] == codebook_size


TRACEBACK = """

-- Process 1 terminated with the following error:
Traceback (most recent call last):
  File "x.py", line 1, in f
"""


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("ValueError: data holds no val samples", "data holds no val samples"),
        ("FileNotFoundError: [Errno 2] No such file: 'a'", "[Errno 2] No such file: 'a'"),
        ("ZeroDivisionError: division by zero", None),
        ("torch.cuda.OutOfMemoryError: too much", None),
        ("AssertionError", None),
    ],
)
def test_only_errors_of_the_user_lose_their_traceback(last, reason):
    error = ProcessRaisedException(f"{TRACEBACK}{last}\n", 1, 100)
    if reason is None:
        assert _of_user(error) is error
    else:
        assert type(_of_user(error)) is ValueError and str(_of_user(error)) == reason


@pytest.mark.slow
def test_an_error_inside_the_ranks_is_one_line(dataset, tmp_path):
    only_train = tmp_path / "data"
    for shard in dataset.glob("shards/*/train-*"):
        target = only_train / shard.relative_to(dataset)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(shard)
    options = ["debug=fast", "trainer=ddp", f"data.root={only_train}", f"hydra.run.dir={tmp_path / 'run'}"]
    done = finish(start(REPO / "train.py", *options, cwd=tmp_path))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"error: {only_train} holds no val samples; `python preprocess.py")
