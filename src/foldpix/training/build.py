"""From a model's config to the module that trains it."""

from foldpix.model.config import ModelConfig, RowsConfig
from foldpix.training.config import OptimizerConfig
from foldpix.training.module import HVQVAEModule, TokenizerModule
from foldpix.training.rows_module import RowsModule


def build_module(
    model: ModelConfig, optimizer: OptimizerConfig, seed: int = 0, num_threads: int | None = None
) -> TokenizerModule:
    """The module that trains a model; parameters as for :class:`TokenizerModule`."""
    kind = RowsModule if isinstance(model, RowsConfig) else HVQVAEModule
    return kind(model, optimizer, seed, num_threads)
