"""The channels in which the network sees and predicts the image.

The plain space is the image itself. In the lifted space every map is symmetric or smooth: distances and
omega are unfolded from their triangles, and angles become sines and cosines, so that nothing wraps at pi.
"""

import math
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor


class ChannelSpace(Protocol):
    """Two maps that invert each other on true images, and the weights of the channels in the loss."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        ...

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights of the channels in the loss."""
        ...

    def lift(self, image: Float[Tensor, "b 3 l l"]) -> Float[Tensor, "b c l l"]:
        """Image to channels."""
        ...

    def lower(self, channels: Float[Tensor, "b c l l"]) -> Float[Tensor, "b 3 l l"]:
        """Channels to an image in [-1, 1]."""
        ...

    def distance(self, channels: Float[Tensor, "b c l l"]) -> Float[Tensor, "b l l"]:
        """The symmetric distance map, scaled to [-1, 1]."""
        ...


class PlainSpace:
    """The three channels of the image."""

    names = ("distance_omega", "theta", "phi")
    weights = (1.0, 1.0, 1.0)

    def lift(self, image: Float[Tensor, "b 3 l l"]) -> Float[Tensor, "b 3 l l"]:
        return image

    def lower(self, channels: Float[Tensor, "b 3 l l"]) -> Float[Tensor, "b 3 l l"]:
        return channels.clamp(-1.0, 1.0)

    def distance(self, channels: Float[Tensor, "b 3 l l"]) -> Float[Tensor, "b l l"]:
        below = channels[:, 0].tril(-1)
        return below + below.mT + torch.diag_embed(channels[:, 0].diagonal(dim1=-2, dim2=-1))


class LiftedSpace:
    """d, sin and cos of omega and theta, cos phi."""

    names = ("d", "sin_omega", "cos_omega", "sin_theta", "cos_theta", "cos_phi")
    # The fold hangs on the distances, whose errors are tiny beside the angles' on this scale; omega is
    # redundant for the way back.
    weights = (40.0, 0.1, 0.1, 1.0, 1.0, 1.0)

    def lift(self, image: Float[Tensor, "b 3 l l"]) -> Float[Tensor, "b 6 l l"]:
        below, above = image[:, 0].tril(-1), image[:, 0].triu(1)
        eye = torch.eye(image.shape[-1], dtype=image.dtype, device=image.device)
        omega, theta = (above + above.mT) * math.pi, image[:, 1] * math.pi
        cos_phi = -torch.sin(image[:, 2] * (0.5 * math.pi))
        channels = [below + below.mT - eye, omega.sin(), omega.cos(), theta.sin(), theta.cos(), cos_phi]
        return torch.stack(channels, dim=1)

    def lower(self, channels: Float[Tensor, "b 6 l l"]) -> Float[Tensor, "b 3 l l"]:
        d = self.distance(channels).clamp(-1.0, 1.0)
        pair = channels[:, 1:3] + channels[:, 1:3].mT
        omega = torch.atan2(pair[:, 0], pair[:, 1]) / math.pi
        theta = torch.atan2(channels[:, 3], channels[:, 4]) / math.pi
        phi = -torch.asin(channels[:, 5].clamp(-1.0, 1.0)) * (2.0 / math.pi)
        eye = torch.eye(d.shape[-1], dtype=torch.bool, device=d.device)
        first = (d.tril(-1) + omega.triu(1)).masked_fill(eye, -1.0)
        return torch.stack([first, theta.masked_fill(eye, 0.0), phi.masked_fill(eye, 0.0)], dim=1)

    def distance(self, channels: Float[Tensor, "b 6 l l"]) -> Float[Tensor, "b l l"]:
        return 0.5 * (channels[:, 0] + channels[:, 0].mT)
