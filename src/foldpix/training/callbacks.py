"""Callbacks: progress bar, checkpoints by step, pictures of reconstructions."""

from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from PIL import Image
from pytorch_lightning.callbacks import Callback, Checkpoint, TQDMProgressBar
from pytorch_lightning.loggers import WandbLogger
from torch import Tensor

from foldpix.evaluation.pairs import side_by_side
from foldpix.training.validated import Validated


class StepProgressBar(TQDMProgressBar):
    """One bar over the steps of the whole run: the data stream itself has no end."""

    @property
    def total_train_batches(self) -> int:
        return self.trainer.max_steps * self.trainer.accumulate_grad_batches

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description("training")

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        return {
            key: value for key, value in super().get_metrics(trainer, pl_module).items() if key != "v_num"
        }


class LastCheckpoint(Checkpoint):
    """Saves the run every so many steps and at its end, always under one name.

    Where a step is also validated, the checkpoint waits for that, so that a resumed run neither skips nor
    repeats a validation. It must stand behind callbacks whose state changes with validation.

    Parameters
    ----------
    path : Path
    every, val_every : int
        Optimizer steps between checkpoints and between validations.
    """

    def __init__(self, path: Path, every: int, val_every: int) -> None:
        self.path = path
        self.every = every
        self.val_every = val_every
        self._last_step = self._saved_step = -1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._last_step = trainer.global_step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        # Several batches may make one step; between them gradients wait that no checkpoint holds.
        is_new, self._last_step = trainer.global_step > self._last_step, trainer.global_step
        if is_new and trainer.global_step % self.every == 0 and trainer.global_step % self.val_every:
            self._save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step % self.every == 0:
            self._save(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step > self._saved_step:
            self._save(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        self._saved_step = trainer.global_step
        trainer.save_checkpoint(self.path)


class ReconstructionPictures(Callback):
    """Draws the first images of each validation beside their reconstructions.

    Parameters
    ----------
    folder : Path
        Where ``step_<n>.png`` goes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        shown = cast(Validated, outputs)["shown"]
        if batch_idx or not trainer.is_global_zero or trainer.sanity_checking:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step_{trainer.global_step:06d}.png"
        pixels = side_by_side(_cut(shown.images, shown.lengths), _cut(shown.decoded, shown.lengths))
        Image.fromarray(pixels).save(path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("reconstructions", [str(path)], step=trainer.global_step)


def _cut(images: Tensor, lengths: list[int]) -> list[Any]:
    return [image[:, :n, :n].cpu().numpy() for image, n in zip(images, lengths, strict=False)]
