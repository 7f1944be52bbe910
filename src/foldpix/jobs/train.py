"""Train a tokenizer on a dataset of images."""

import builtins
import sys
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.utilities.rank_zero import rank_zero_only
from rich.console import Console
from rich.table import Table
from torch.multiprocessing import ProcessRaisedException

from foldpix.dataset.config import SourceKind
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.config import RowsConfig
from foldpix.training.build import build_module
from foldpix.training.checkpoint import check_same_model, newest_checkpoint
from foldpix.training.module import TokenizerModule
from foldpix.training.noise import silence_libraries
from foldpix.training.trainer import build_trainer


def run(config: TrainConfig) -> dict[str, float]:
    """Train, or go on training, and return the last figures by name.

    Raises
    ------
    ValueError
        If the config contradicts itself, the data or the checkpoint; before any training.
    """
    for part in (config.model, config.optimizer, config.trainer):
        part.check()
    if isinstance(config.model, RowsConfig) and config.data.source is not SourceKind.coordinates:
        raise ValueError(
            f"data.source={config.data.source}: row tokens learn from backbones; give data=coordinates"
        )
    run_dir = Path(config.run_dir)
    checkpoint = _checkpoint(config, run_dir)
    pl.seed_everything(config.seed, verbose=False)
    datamodule = DistogramDataModule(config.data, config.model.stride, config.seed)
    module = build_module(config.model, config.optimizer, config.seed, config.trainer.num_threads)
    silence_libraries()
    trainer = build_trainer(config.trainer, config.logger, run_dir, progress=sys.stderr.isatty())
    _announce(module, run_dir, checkpoint)
    try:
        trainer.fit(module, datamodule=datamodule, ckpt_path=checkpoint, weights_only=True)
    except ProcessRaisedException as error:
        raise _of_user(error) from error
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    _summarise(metrics, run_dir, trainer)
    return metrics


def _of_user(error: ProcessRaisedException) -> Exception:
    """The error itself, or what it stands for: a rank's ValueError or OSError travels as its traceback."""
    name, _, reason = str(error).rstrip().rpartition("\n")[2].partition(": ")
    kind = getattr(builtins, name.rpartition(".")[2], Exception)
    return ValueError(reason) if reason and issubclass(kind, ValueError | OSError) else error


def _checkpoint(config: TrainConfig, run_dir: Path) -> Path | None:
    if config.ckpt is None:
        return None
    if config.ckpt == "last":
        own = run_dir / "checkpoints" / "last.ckpt"
        path = own if own.exists() else newest_checkpoint(Path(config.runs) / config.name)
    else:
        path = Path(config.ckpt)
    check_same_model(path, config.model)
    return path


@rank_zero_only
def _announce(module: TokenizerModule, run_dir: Path, checkpoint: Path | None) -> None:
    millions = sum(p.numel() for p in module.parameters()) / 1e6
    print(f"{millions:.1f} M parameters, run folder {run_dir}", flush=True)
    if checkpoint is not None:
        print(f"going on from {checkpoint}", flush=True)


@rank_zero_only
def _summarise(metrics: dict[str, float], run_dir: Path, trainer: pl.Trainer) -> None:
    if not metrics:
        print(f"nothing left to do: trainer.max_steps={trainer.max_steps} is reached", flush=True)
        return
    table = Table("figure", "value", title="Last figures")
    for name, value in sorted(metrics.items()):
        table.add_row(name, f"{value:.4g}")
    Console().print(table)
    print(f"checkpoint: {run_dir / 'checkpoints' / 'last.ckpt'}", flush=True)
