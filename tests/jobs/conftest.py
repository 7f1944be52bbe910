"""A data set to train on, and a checkpoint that needs no training."""

from pathlib import Path

import pytest
import torch

from foldpix.model.hvqvae import HVQVAE
from foldpix.training.checkpoint import pack_model_config
from tests.training.tiny import make_dataset, tiny_model


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 chains to train on, 6 for validation. Do not change it."""
    return make_dataset(tmp_path_factory.mktemp("images"))


def make_checkpoint(path: Path, seed: int) -> str:
    """A tiny tokenizer with random weights."""
    config = tiny_model()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = HVQVAE(config).state_dict()
    weights = {f"model.{name}": value for name, value in state.items()}
    torch.save({"model_config": pack_model_config(config), "state_dict": weights}, path)
    return str(path)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Strides 4 and 8, 16 codes."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny.ckpt", seed=0)
