"""The Lightning trainer of a run."""

import inspect
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from pytorch_lightning.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from pytorch_lightning.strategies import DDPStrategy, Strategy
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from torch.nn.parallel import DistributedDataParallel

from foldpix.training.callbacks import LastCheckpoint, ReconstructionPictures, StepProgressBar
from foldpix.training.chain_table import ChainTable
from foldpix.training.checkpoint import AtomicCheckpointIO
from foldpix.training.config import Accelerator, LoggerConfig, LoggerKind, TrainerConfig


def build_trainer(config: TrainerConfig, logger: LoggerConfig, run_dir: Path, progress: bool) -> pl.Trainer:
    """Trainer that counts in steps, writes checkpoints/last.ckpt, pictures/ and chains/ below ``run_dir``.

    Parameters
    ----------
    config, logger : TrainerConfig, LoggerConfig
    run_dir : Path
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    ValueError
        If this machine lacks what the config asks for, such as a GPU.
    """
    try:
        return _trainer(config, logger, run_dir, progress)
    except MisconfigurationException as error:
        raise ValueError(f"trainer.*: {' '.join(str(error).split())}") from error


def _trainer(config: TrainerConfig, logger: LoggerConfig, run_dir: Path, progress: bool) -> pl.Trainer:
    return pl.Trainer(
        accelerator=config.accelerator.value,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=_strategy(config),
        precision=config.precision.value,
        max_epochs=-1,  # the stream has no end; steps are counted
        max_steps=config.max_steps,
        accumulate_grad_batches=config.accumulate,
        gradient_clip_val=config.clip,
        val_check_interval=config.val_every * config.accumulate,
        check_val_every_n_epoch=None,
        limit_val_batches=config.val_batches,
        num_sanity_val_steps=0,
        log_every_n_steps=config.log_every,
        use_distributed_sampler=False,  # the loader shares the samples out itself
        logger=_logger(logger, run_dir),
        callbacks=_callbacks(config, run_dir, progress),
        plugins=[AtomicCheckpointIO()],
        default_root_dir=run_dir,
        enable_progress_bar=progress,
        enable_model_summary=False,
    )


def _strategy(config: TrainerConfig) -> Strategy | str:
    if config.devices * config.num_nodes == 1:
        return "auto"
    # Launched from outside (torchrun, SLURM), every process runs this script. Otherwise workers are
    # spawned: re-running the command line, Lightning's default, would replay a whole sweep in each rank.
    external = TorchElasticEnvironment.detect() or SLURMEnvironment.detect()
    return DDPStrategy(
        process_group_backend="gloo" if _on_cpu(config) else "nccl",
        start_method="popen" if external else "spawn",
        **_without_buffer_broadcast(),
        gradient_as_bucket_view=True,
    )


def _without_buffer_broadcast() -> dict[str, Any]:
    """Codebooks are updated alike on every rank; sending them at each step would only cost time."""
    renamed = "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    return {"forward_sync_buffers" if renamed else "broadcast_buffers": False}


def _on_cpu(config: TrainerConfig) -> bool:
    automatic = config.accelerator is Accelerator.auto and not torch.cuda.is_available()
    return automatic or config.accelerator is Accelerator.cpu


def _logger(config: LoggerConfig, run_dir: Path) -> Logger | bool:
    if config.kind is LoggerKind.csv:
        return CSVLogger(run_dir, name=None, version=_new_folder(run_dir))
    if config.kind is LoggerKind.wandb:
        os.environ.setdefault("WANDB_SILENT", "true")
        os.environ["WANDB_DIR"] = str(run_dir)  # spawned processes do not learn of save_dir
        mode = "offline" if config.offline else "online"
        try:
            return WandbLogger(project=config.project, name=run_dir.name, save_dir=run_dir, mode=mode)
        except ModuleNotFoundError as error:
            raise ValueError("logger=wandb needs its package: pip install wandb") from error
    return False


def _new_folder(run_dir: Path) -> str:
    """logs, or logs_1, logs_2, ... for a run that goes on in its folder: the logger empties a used one."""
    names = ("logs", *(f"logs_{part}" for part in range(1, 1000)))
    return next(name for name in names if not (run_dir / name).exists())


def _callbacks(config: TrainerConfig, run_dir: Path, progress: bool) -> list[Callback]:
    folder = run_dir / "checkpoints"
    best = ModelCheckpoint(folder, filename="best", monitor="val/backbone_rmsd", enable_version_counter=False)
    last = LastCheckpoint(folder / "last.ckpt", config.checkpoint_every, config.val_every)
    told = [ReconstructionPictures(run_dir / "pictures"), ChainTable(run_dir / "chains")]
    callbacks = [*told, best, last]
    return [*callbacks, StepProgressBar()] if progress else callbacks
