"""The Lightning modules: what one step of training and of validation does."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from foldpix.dataset.collate import DistogramBatch
from foldpix.dataset.crops import CoordinateBatch, image_batch
from foldpix.evaluation.codebook import CodebookUse
from foldpix.model.build import build_model
from foldpix.model.collectives import sum_over_ranks
from foldpix.model.config import ModelConfig
from foldpix.model.hvqvae import HVQVAE, Output
from foldpix.model.rows import RowOutput
from foldpix.training.checkpoint import pack_model_config
from foldpix.training.config import OptimizerConfig
from foldpix.training.noise import silence_libraries
from foldpix.training.schedule import build_optimizer, build_schedule
from foldpix.training.validated import NUM_SHOWN, Shown, Validated, decoded_chains, decoded_rmsd
from foldpix.training.workers import fork_workers

Batch = DistogramBatch | CoordinateBatch


class TokenizerModule(pl.LightningModule):
    """Trains a tokenizer; a subclass says what its batches are.

    Parameters
    ----------
    model, optimizer : ModelConfig, OptimizerConfig
    seed : int
        The randomness of a batch depends on (seed, step, rank) alone, so a resumed run repeats it.
    num_threads : int or None
        CPU threads of each process.
    """

    def __init__(
        self,
        model: ModelConfig,
        optimizer: OptimizerConfig,
        seed: int = 0,
        num_threads: int | None = None,
    ) -> None:
        super().__init__()
        self.num_threads = num_threads
        self.model = build_model(model)
        self.optimizer_config = optimizer
        self.seed = seed
        self.code_use = [CodebookUse(self.model.codebook_size) for _ in self.model.strides]

    def setup(self, stage: str) -> None:
        # Here, since each of the spawned processes comes by.
        silence_libraries()
        fork_workers()
        if self.num_threads is not None:
            torch.set_num_threads(self.num_threads)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimizer = build_optimizer(self.model, self.optimizer_config)
        schedule = build_schedule(optimizer, self.optimizer_config, self.trainer.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["model_config"] = pack_model_config(self.model.config)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(hash((self.seed, self.global_step, batch_idx, self.global_rank)) % 2**63)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        batch = self.prepared(batch)
        output = self.forward(batch)
        self._log_losses("train", output, len(batch.mask), sync_dist=False)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])
        skipped = self.trainer.datamodule.num_skipped  # type: ignore[attr-defined]
        self.log("data/skipped", float(skipped))
        return output.losses.total

    def validation_step(self, batch: Batch, batch_idx: int) -> Validated:
        """Logs the losses and the deviation of decoded backbones; returns what callbacks look at."""
        batch = self.prepared(batch)
        output = self.forward(batch)
        self._log_losses("val", output, len(batch.mask), sync_dist=True)
        judged = self.judged(output, batch)
        self.log(
            "val/backbone_rmsd",
            decoded_rmsd(judged["chains"]).mean(),
            batch_size=len(batch.mask),
            sync_dist=True,
            prog_bar=True,
        )
        for use, codes, mask in zip(self.code_use, output.codes, self.model.masks(batch.mask), strict=True):
            use.add(codes[mask].cpu().numpy())
        return judged

    def prepared(self, batch: Any) -> Any:
        """The batch in the form that the model takes."""
        return batch

    def judged(self, output: Any, batch: Any) -> Validated:
        """The decoded backbones, and the first pictures."""
        raise NotImplementedError

    def on_validation_epoch_end(self) -> None:
        for level, use in enumerate(self.code_use):
            counts = sum_over_ranks(torch.from_numpy(use.counts).to(self.device))
            use.counts = counts.cpu().numpy()
            self.log(f"val/level{level}/codebook_use", use.codes_used / len(counts), sync_dist=True)
            self.log(f"val/level{level}/perplexity", use.perplexity, sync_dist=True)
            self.code_use[level] = CodebookUse(len(counts))

    def check_finite(self, decoded: Tensor) -> None:
        """Raise ValueError where a run diverged."""
        if not decoded.isfinite().all():
            raise ValueError(
                f"the run diverged: what is decoded is not finite at step {self.global_step}; "
                "try a lower optimizer.lr or trainer.precision=float32"
            )

    def _log_losses(self, stage: str, output: Output | RowOutput, batch_size: int, sync_dist: bool) -> None:
        losses = output.losses
        figures = {
            f"{stage}/loss": losses.total,
            f"{stage}/reconstruction": losses.reconstruction,
            f"{stage}/gram": losses.gram,
            f"{stage}/commitment": losses.commitment,
        }
        channels = zip(self.model.space.names, losses.channels, strict=True)
        figures |= {f"{stage}/mse_{name}": error for name, error in channels}
        self.log_dict(
            {name: value.detach() for name, value in figures.items()},
            batch_size=batch_size,
            sync_dist=sync_dist,
        )


class HVQVAEModule(TokenizerModule):
    """Trains an :class:`HVQVAE` on images; of backbones it makes them itself."""

    model: HVQVAE

    def prepared(self, batch: Batch) -> DistogramBatch:
        return image_batch(batch) if isinstance(batch, CoordinateBatch) else batch

    def forward(self, batch: DistogramBatch) -> Output:
        return self.model(batch.image, batch.mask)

    def judged(self, output: Output, batch: DistogramBatch) -> Validated:
        self.check_finite(output.channels)
        decoded = self.model.space.lower(output.channels.float())
        shown = Shown(batch.image[:NUM_SHOWN], decoded[:NUM_SHOWN], batch.lengths[:NUM_SHOWN].tolist())
        return Validated(chains=decoded_chains(decoded, batch), shown=shown)
