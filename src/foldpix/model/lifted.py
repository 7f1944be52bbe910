"""The lifted picture straight from coordinates, differentiable: what row tokens see and are judged by."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# Square angstrom under the roots, so that gradients stay bounded where points meet.
EPSILON = 1e-2


def lifted_picture(coords: Float[Tensor, "b l 3 3"], d_max: float = 80.0) -> Float[Tensor, "b 6 l l"]:
    """Channels of `LiftedSpace` of backbones: d, sin and cos of omega and theta, cos phi.

    Sines and cosines are ratios of lengths, so no angle is ever taken. Unlike in an image d goes on
    beyond ``d_max``, where it exceeds 1. The diagonal is 0 in all channels.

    Parameters
    ----------
    coords : Tensor, shape=(B, L, 3, 3)
        N, CA, C in angstrom.
    d_max : float
        The distance (angstrom) that stands for 1.
    """
    cb, axes = frames(coords)
    cb = cb - cb.mean(dim=-2, keepdim=True)  # small numbers, so that float32 loses nothing
    line = axes[..., 2, :]
    moment = torch.linalg.cross(line, cb)
    # The CB of j in the frame of i: axes_i (cb_j - cb_i), for all pairs by one product.
    frame = torch.cat([axes, -(axes @ cb[..., None])], dim=-1).transpose(-3, -2)  # (B, 3, L, 4)
    point = torch.cat([cb, torch.ones_like(cb[..., :1])], dim=-1)
    x, y, z = (frame @ point.mT[:, None]).unbind(1)
    rho2 = x * x + y * y
    d2 = rho2 + z * z
    d, across = torch.sqrt(d2 + EPSILON), torch.rsqrt(rho2 + EPSILON)
    # Pluecker's product of the lines CA CB of i and j gives the sine of omega.
    sine = d * (line @ moment.mT + moment @ line.mT)
    cosine = d2 * (line @ line.mT) + z * z.mT
    scale = torch.rsqrt(sine * sine + cosine * cosine + EPSILON)
    channels = [d * (2.0 / d_max) - 1.0, sine * scale, cosine * scale, y * across, x * across, -z / d]
    return without_diagonal(torch.stack(channels, dim=1))


def frames(coords: Float[Tensor, "b l 3 3"]) -> tuple[Tensor, Tensor]:
    """`foldpix.geometry.residue_frames` with bounded gradients: CB (B, L, 3) and axes (B, L, 3, 3)."""
    n, ca, c = coords.unbind(-2)
    b, bond = ca - n, c - ca
    to_cb = -0.58273431 * torch.linalg.cross(b, bond) + 0.56802827 * b - 0.54067466 * bond
    z = unit(to_cb)
    x = unit(-b + (b * z).sum(dim=-1, keepdim=True) * z)
    return ca + to_cb, torch.stack([x, torch.linalg.cross(z, x), z], dim=-2)


def without_diagonal(channels: Float[Tensor, "b c l l"]) -> Float[Tensor, "b c l l"]:
    """The same with 0 where a residue meets itself."""
    eye = torch.eye(channels.shape[-1], dtype=torch.bool, device=channels.device)
    return channels.masked_fill(eye, 0.0)


def pairs_of(mask: Bool[Tensor, "b l"]) -> Bool[Tensor, "b l l"]:
    """Pairs of residues."""
    return mask[:, :, None] & mask[:, None, :]


def unit(a: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """``a`` scaled to length 1; what is next to nothing stays so."""
    return a * torch.rsqrt((a * a).sum(dim=-1, keepdim=True) + EPSILON * 1e-2)
