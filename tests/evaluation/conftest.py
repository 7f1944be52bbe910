"""Random chains, and a tokenizer that needs no training."""

import numpy as np
import pytest
import torch
from torch import nn

from foldpix.geometry import build_backbone
from tests.conftest import random_rotation


def random_chain(length, seed):
    """A chain of helices joined by random coil, (L, 3, 3) float32."""
    rng = np.random.default_rng(seed)
    torsions = np.radians(np.tile([-60.0, -45.0, 180.0], (length, 1)))
    coil = np.arange(length) % 15 >= 11
    torsions[coil, :2] = rng.uniform(-np.pi, np.pi, (coil.sum(), 2))
    return build_backbone(torsions).astype(np.float32)


def rigidly_moved(points, seed):
    """A copy of points (..., 3), turned and shifted at random."""
    rng = np.random.default_rng(seed)
    return points @ random_rotation(rng) + rng.uniform(-50, 50, 3)


class RoundingTokenizer(nn.Module):
    """Each channel rounded to 64 levels is a level of codes; a fourth level says nothing in 4 x 4 patches.

    Its images depend on the padded size, so that chains padded differently come back differently.
    """

    stride, strides, codebook_size = 16, (1, 1, 1, 4), 64
    grid_dim, decodes_to = 2, "image"

    def __init__(self):
        super().__init__()
        self.batch_sizes = []

    def encode(self, image, mask):
        assert image.shape[-1] == mask.shape[-1] and image.shape[-1] % self.stride == 0
        assert not image[~(mask[:, None, :, None] & mask[:, None, None, :]).expand_as(image)].any()
        self.batch_sizes.append(len(image))
        codes = torch.round((image + 1) * 31.5).long()
        return [*codes.unbind(1), torch.zeros_like(codes[:, 0, ::4, ::4])]

    def decode(self, codes, length):
        size = int(length.max())
        image = torch.stack(codes[:3], dim=1)[..., :size, :size] / 31.5 - 1
        return image * (1 - 1e-5 * codes[0].shape[-1])


@pytest.fixture
def tokenizer():
    return RoundingTokenizer()
