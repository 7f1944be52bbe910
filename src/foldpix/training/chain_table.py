"""A table of all chains of each validation."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from foldpix.dataset.collate import DistogramBatch
from foldpix.dataset.crops import CoordinateBatch
from foldpix.evaluation.gathering import gather
from foldpix.evaluation.metrics import backbone_rmsd, ca_rmsd, is_right_handed
from foldpix.structure import Backbone
from foldpix.structure.whole import write_whole
from foldpix.training.validated import Validated

_COLUMNS = ("name", "length", "backbone_rmsd", "ca_rmsd", "right_handed")


class ChainTable(Callback):
    """Writes down how each chain of a validation came back, whichever rank had it; in the order of names.

    Parameters
    ----------
    folder : Path
        Where ``step_<n>.csv`` goes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._chains: list[Backbone] = []

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._chains = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: DistogramBatch | CoordinateBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        validated: Validated = outputs
        for name, pair in zip(batch.names, validated["chains"], strict=True):
            for coords_L33 in pair.cpu().numpy():
                self._chains.append(Backbone(coords_L33, "X" * len(coords_L33), name))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        chains, self._chains = gather(self._chains), []
        if trainer.is_global_zero:
            self.folder.mkdir(parents=True, exist_ok=True)
            pairs = zip(chains[::2], chains[1::2], strict=True)
            rows = sorted(_row(decoded, truth) for decoded, truth in pairs)
            path = self.folder / f"step_{trainer.global_step:06d}.csv"
            write_whole(path, _text([_COLUMNS, *rows]).encode())


def _row(decoded: Backbone, truth: Backbone) -> tuple[str, int, str, str, bool]:
    """A line of the table; angstrom."""
    pair = decoded.coords, truth.coords
    all_atoms, ca = backbone_rmsd(*pair), ca_rmsd(*pair)
    return truth.name, len(truth), f"{all_atoms:.4f}", f"{ca:.4f}", is_right_handed(*pair)


def _text(rows: Iterable[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
