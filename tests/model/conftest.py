"""Small models and batches."""

import numpy as np
import pytest
import torch

from foldpix.generation import sample_backbones
from foldpix.image import encode
from foldpix.model.config import HVQVAEConfig
from foldpix.model.hvqvae import HVQVAE

LENGTHS = (40, 45, 48)


@pytest.fixture
def config() -> HVQVAEConfig:
    return HVQVAEConfig(
        scaling_rates=[4, 2],
        n_embd=16,
        latent_dim=16,
        n_head=2,
        mlp_hidden_dim=32,
        encoder_depth=1,
        decoder_depth=1,
        codebook_size=12,
        codebook_dim=4,
    )


@pytest.fixture
def images() -> list[np.ndarray]:
    return [encode(next(sample_backbones(1, n, n, seed=n)).coords) for n in LENGTHS]


def padded(images: list[np.ndarray], side: int) -> tuple[torch.Tensor, torch.Tensor]:
    batch = torch.zeros(len(images), 3, side, side)
    mask = torch.zeros(len(images), side, dtype=torch.bool)
    for row, image in enumerate(images):
        length = image.shape[-1]
        batch[row, :, :length, :length] = torch.from_numpy(image)
        mask[row, :length] = True
    return batch, mask


@pytest.fixture
def started(config, images) -> HVQVAE:
    """A model whose codebooks have seen data."""
    torch.manual_seed(0)
    model = HVQVAE(config).train()
    for _ in range(3):
        model(*padded(images, 48))
    return model.eval()
