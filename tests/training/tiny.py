"""A data set and runs small enough for a test."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from foldpix.dataset.bins import bin_name
from foldpix.dataset.config import DataConfig
from foldpix.dataset.coordinates import rounded, write_chains
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.shards import write_shards
from foldpix.generation import sample_backbones
from foldpix.image import picture_of, write_png
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.config import HVQVAEConfig
from foldpix.training.config import LoggerConfig, LoggerKind, OptimizerConfig, TrainerConfig

REPO = Path(__file__).parents[2]
NUM_VAL, NUM_TRAIN = 6, 18


def make_dataset(root: Path) -> Path:
    """18 chains to train on and 6 for validation, in two bins and shards of five, and as coordinates."""
    rows, stored = [], {"train": [], "val": []}
    for number, backbone in enumerate(sample_backbones(NUM_VAL + NUM_TRAIN, 40, 80, seed=1)):
        folder, split = bin_name(len(backbone)), "val" if number < NUM_VAL else "train"
        (root / folder).mkdir(parents=True, exist_ok=True)
        stored[split].append(rounded(backbone.name, backbone.coords))
        write_png(root / folder / f"{backbone.name}.png", picture_of(backbone))
        rows.append(
            ManifestRow(Status.CONVERTED, "", backbone.name, "A", len(backbone), folder, split, "made.pdb")
        )
    write_manifest(root, rows)
    write_shards(root, shard_size=5)
    (root / "coordinates").mkdir()
    for split, chains in stored.items():
        write_chains(root / "coordinates" / f"{split}.parquet", chains)
    return root


def tiny_model(**options: Any) -> HVQVAEConfig:
    sizes = {"n_embd": 16, "latent_dim": 16, "n_head": 2, "mlp_hidden_dim": 32, "codebook_size": 16}
    depths = {"scaling_rates": [4, 2], "encoder_depth": 1, "decoder_depth": 1}
    return HVQVAEConfig(**(sizes | depths | options))


def tiny_run(
    dataset: Path,
    run_dir: Path,
    *,
    model: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    trainer: dict[str, Any] | None = None,
    **options: Any,
) -> TrainConfig:
    """The config of a run of a few steps; any part of it may be told otherwise."""
    counts = {"max_steps": 4, "val_every": 2, "val_batches": 1, "checkpoint_every": 2, "log_every": 1}
    return TrainConfig(
        model=tiny_model(**(model or {})),
        data=DataConfig(root=str(dataset), **({"batch_size": 4, "num_workers": 0} | (data or {}))),
        optimizer=OptimizerConfig(warmup_steps=2),
        trainer=TrainerConfig(**(counts | (trainer or {}))),
        **({"logger": LoggerConfig(LoggerKind.none), "name": "tiny", "run_dir": str(run_dir)} | options),
    )


def start(*command: str | Path, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """A Python process of one thread."""
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = process.communicate(timeout=250)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def load(checkpoint: Path) -> dict[str, Any]:
    return torch.load(checkpoint, weights_only=True)


def assert_same(one: Any, other: Any) -> None:
    """Equal to the last bit, whatever they are made of."""
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype and torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for mine, yours in zip(one, other, strict=True):
            assert_same(mine, yours)
    else:
        assert one == other
