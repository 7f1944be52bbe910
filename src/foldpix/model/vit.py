"""Encoder and decoder of one level: resampling convolutions and transformer blocks."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from foldpix.model.block import Block
from foldpix.model.config import HVQVAEConfig
from foldpix.model.resample import DownsampleStack, UpsampleStack
from foldpix.model.rotary import axial_phases


class Transformer(nn.Module):
    """Blocks over the flattened cells of a map."""

    def __init__(self, config: HVQVAEConfig, depth: int) -> None:
        super().__init__()
        self.head_dim = config.latent_dim // config.n_head
        self.blocks = nn.ModuleList(Block(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.n_embd, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"], mask: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c h w"]:
        height, width = x.shape[-2:]
        phases = axial_phases(height, width, self.head_dim, x.device)
        cells = x.flatten(2).transpose(1, 2)  # (B, H W, C)
        for block in self.blocks:
            cells = block(cells, mask.flatten(1), phases)
        return self.norm(cells).transpose(1, 2).unflatten(-1, (height, width))


class VitEncoder(nn.Module):
    """Image or finer map to the features of one level: downsample, then attend."""

    def __init__(self, config: HVQVAEConfig, in_channels: int, rate: int) -> None:
        super().__init__()
        self.down = DownsampleStack(in_channels, config.n_embd, rate)
        self.transformer = Transformer(config, config.encoder_depth)

    def forward(
        self, x: Float[Tensor, "b c_in h_in w_in"], mask: Bool[Tensor, "b h w"]
    ) -> Float[Tensor, "b c h w"]:
        return self.transformer(self.down(x), mask)


class VitDecoder(nn.Module):
    """Codes of one level (and those above it) to the next finer map: project, attend, upsample."""

    def __init__(self, config: HVQVAEConfig, in_channels: int, out_channels: int, rate: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, config.n_embd, kernel_size=1)
        self.transformer = Transformer(config, config.decoder_depth)
        self.up = UpsampleStack(config.n_embd, out_channels, rate)

    def forward(
        self, x: Float[Tensor, "b c_in h w"], mask: Bool[Tensor, "b h w"]
    ) -> Float[Tensor, "b c_out h_out w_out"]:
        return self.up(self.transformer(self.project(x), mask))
