"""Backbone to image."""

import math
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import orientation_maps


def encode(coords: Any, d_max: float = 80.0, rows: slice = slice(None)) -> Any:
    """The image of a backbone: all distances and orientations between its residues.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom; NumPy, PyTorch or JAX, floating point.
    d_max : float
        Distances beyond it (angstrom) are clipped.
    rows : slice
        Rows of the image, R in number, where not all L are wanted at once; consecutive ones.

    Returns
    -------
    array, shape=(..., 3, R, L)
        In [-1, 1]. Channel 0: distance in the lower triangle and on the diagonal, omega above it.
        Channel 1: theta. Channel 2: phi. The diagonal of channels 1 and 2 is undefined and set to 0.

    Raises
    ------
    ValueError
        If the shape does not end in (L, 3, 3) or ``d_max`` is not positive.
    """
    if coords.ndim < 3 or tuple(coords.shape[-2:]) != (3, 3):
        raise ValueError(f"coords must have shape (..., L, 3, 3) for N, CA, C, not {tuple(coords.shape)}")
    if not d_max > 0:
        raise ValueError(f"d_max must be positive, not {d_max} angstrom")
    xp = array_namespace(coords)
    d, omega, theta, phi = orientation_maps(coords, rows)
    residues = xp.arange(d.shape[-1], dtype=xp.int32, device=device(coords))
    own, other = residues[rows][:, None], residues
    distance = xp.clip(d, None, d_max) / (0.5 * d_max) - 1.0
    inclination = phi / (0.5 * math.pi) - xp.astype(own != other, phi.dtype)
    first = xp.where(other > own, omega / math.pi, distance)
    return xp.stack([first, theta / math.pi, inclination], axis=-3)
