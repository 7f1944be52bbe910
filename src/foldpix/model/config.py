"""Configuration of the model; light to import."""

import math
from dataclasses import dataclass, field
from enum import StrEnum


class Space(StrEnum):
    """What the network sees and predicts."""

    lifted = "lifted"
    plain = "plain"


@dataclass
class ModelConfig:
    """A model that ``model=`` names."""

    def check(self) -> None:
        """Raise ValueError where the values contradict each other."""
        raise NotImplementedError

    @property
    def stride(self) -> int:
        """Lengths are padded to a multiple of it."""
        raise NotImplementedError


@dataclass
class HVQVAEConfig(ModelConfig):
    """A hierarchical VQ-VAE. Names follow the published description."""

    scaling_rates: list[int] = field(default_factory=lambda: [8, 2])
    """Downscale factor of each level, finest first; powers of two. Their product is the total stride."""
    n_embd: int = 384
    """Width of the transformer blocks and of the feature maps between levels."""
    latent_dim: int = 384
    """Width of queries, keys and values over all heads; a multiple of 4 n_head."""
    n_head: int = 6
    mlp_hidden_dim: int = 768
    encoder_depth: int = 2
    """Transformer blocks of each level's encoder."""
    decoder_depth: int = 3
    """Transformer blocks of each level's decoder."""
    codebook_size: int = 1024
    codebook_dim: int = 16
    codebook_decay: float = 0.95
    """Decay of the codebook's moving averages."""
    revive_below: float = 0.25
    """A code used less than this share of the mean use is put where the data is."""
    space: Space = Space.lifted
    """lifted: d, sin and cos of omega and theta, cos phi; plain: the three channels of the image."""
    channel_weights: list[float] | None = None
    """Weights of the squared error of each channel; null takes the space's own."""
    gram_weight: float = 10.0
    """Weight of the squared error of the centred Gram matrices of the distances (units of 20 A)."""
    beta: float = 0.25
    """Weight of the commitment losses."""

    @property
    def stride(self) -> int:
        """Product of the scaling rates: images are padded to a multiple of it."""
        return math.prod(self.scaling_rates)

    def check(self) -> None:
        """Raise ValueError where the values contradict each other."""
        if not self.scaling_rates or any(rate < 2 or rate & (rate - 1) for rate in self.scaling_rates):
            raise ValueError(
                f"model.scaling_rates={self.scaling_rates}: each level needs a power of two from 2 up"
            )
        for name in ("n_embd", "n_head", "latent_dim", "mlp_hidden_dim", "codebook_size", "codebook_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"model.{name}={getattr(self, name)} must be at least 1")
        if self.latent_dim % (4 * self.n_head):
            raise ValueError(
                f"model.latent_dim={self.latent_dim} must be a multiple of 4 x n_head = {4 * self.n_head}: "
                "each head turns pairs of values along two axes"
            )
        if not 0 < self.codebook_decay < 1:
            raise ValueError(f"model.codebook_decay={self.codebook_decay} must lie between 0 and 1")


@dataclass
class RowsConfig(ModelConfig):
    """Row tokens: a row of the lifted picture, one residue's view of the chain, becomes a token."""

    strides: list[int] = field(default_factory=lambda: [1])
    """Residues that share a token, of each level, finest first; each a multiple of the one before."""
    n_embd: int = 192
    """Width of the transformer blocks; a multiple of 2 n_head."""
    n_head: int = 6
    mlp_hidden_dim: int = 512
    pair_dim: int = 16
    """Features of a pair of residues that bias attention."""
    encoder_depth: int = 4
    """Transformer blocks of the encoder."""
    decoder_depth: int = 4
    """Transformer blocks of the decoder before its first draft."""
    refine_depth: int = 0
    """Blocks that see the picture of the draft and correct it."""
    codebook_size: int = 4096
    codebook_dim: int = 16
    codebook_decay: float = 0.95
    """Decay of the codebook's moving averages."""
    revive_below: float = 0.25
    """A code used less than this share of the mean use is put where the data is."""
    channel_weights: list[float] | None = None
    """Weights of the squared error of each channel; null takes those of the lifted space."""
    gram_weight: float = 10.0
    """Weight of the squared error of the centred Gram matrices of the distances (units of 20 A)."""
    beta: float = 0.25
    """Weight of the commitment losses."""

    @property
    def stride(self) -> int:
        """The coarsest level's: chains are padded to a multiple of it."""
        return self.strides[-1]

    def check(self) -> None:
        """Raise ValueError where the values contradict each other."""
        before = [1, *self.strides]
        if not self.strides or any(
            stride % last or (stride == last and number)
            for number, (last, stride) in enumerate(zip(before, self.strides, strict=False))
        ):
            raise ValueError(
                f"model.strides={self.strides}: each level needs a larger multiple of the one before"
            )
        for name in ("n_embd", "n_head", "mlp_hidden_dim", "pair_dim", "codebook_size", "codebook_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"model.{name}={getattr(self, name)} must be at least 1")
        if self.n_embd % (2 * self.n_head):
            raise ValueError(
                f"model.n_embd={self.n_embd} must be a multiple of 2 x n_head = {2 * self.n_head}: "
                "each head turns pairs of values along the chain"
            )
        if not 0 < self.codebook_decay < 1:
            raise ValueError(f"model.codebook_decay={self.codebook_decay} must lie between 0 and 1")
