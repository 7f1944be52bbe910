"""Backbone to image."""

import math
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import orientation_maps


def encode(coords: Any, d_max: float = 80.0) -> Any:
    """The image of a backbone: all distances and orientations between its residues.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom; NumPy, PyTorch or JAX, floating point.
    d_max : float
        Distances beyond it (angstrom) are clipped.

    Returns
    -------
    array, shape=(..., 3, L, L)
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
    d, omega, theta, phi = orientation_maps(coords)
    size = d.shape[-1]
    above = xp.triu(xp.ones((size, size), dtype=xp.bool, device=device(coords)), k=1)
    diagonal = xp.eye(size, dtype=xp.bool, device=device(coords))
    distance = 2.0 * xp.clip(d, None, d_max) / d_max - 1.0
    inclination = xp.where(diagonal, xp.zeros_like(phi), 2.0 * phi / math.pi - 1.0)
    return xp.stack([xp.where(above, omega / math.pi, distance), theta / math.pi, inclination], axis=-3)
