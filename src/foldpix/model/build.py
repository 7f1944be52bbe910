"""From a model's config to the model."""

from foldpix.model.config import HVQVAEConfig, ModelConfig, RowsConfig
from foldpix.model.hvqvae import HVQVAE
from foldpix.model.rows import RowTokenizer

Model = HVQVAE | RowTokenizer


def build_model(config: ModelConfig) -> Model:
    """The model of a config, with fresh weights."""
    if isinstance(config, RowsConfig):
        return RowTokenizer(config)
    assert isinstance(config, HVQVAEConfig)
    return HVQVAE(config)
