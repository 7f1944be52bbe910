"""One residue: the virtual C-beta, the local frame and the ideal N, CA, C."""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from foldpix.geometry.vector import dot, unit

# Engh & Huber (2001) averages over the twenty amino acids.
N_CA, CA_C, N_CA_C = 1.459, 1.525, math.radians(111.0)


def virtual_cb(coords: Any) -> Any:
    """C-beta from N, CA, C: the place it has in an ideal L-residue, for glycine too.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    array, shape=(..., L, 3)
    """
    xp = array_namespace(coords)
    ca = coords[..., 1, :]
    b, c = ca - coords[..., 0, :], coords[..., 2, :] - ca
    return -0.58273431 * xp.linalg.cross(b, c) + 0.56802827 * b - 0.54067466 * c + ca


def residue_frames(coords: Any) -> tuple[Any, Any]:
    """Local frame of each residue: z from CA to CB, x towards N across z, y = z x x.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    origin : array, shape=(..., L, 3)
        The virtual CB.
    axes : array, shape=(..., L, 3, 3)
        Rows x, y, z: a rotation from global to local coordinates.
    """
    xp = array_namespace(coords)
    cb, ca = virtual_cb(coords), coords[..., 1, :]
    z = unit(cb - ca)
    to_n = coords[..., 0, :] - ca
    x = unit(to_n - dot(to_n, z) * z)
    return cb, xp.stack([x, xp.linalg.cross(z, x), z], axis=-2)


def _ideal_residue() -> np.ndarray:
    n_ca_c = np.array(
        [[N_CA, 0.0, 0.0], [0.0, 0.0, 0.0], [CA_C * math.cos(N_CA_C), CA_C * math.sin(N_CA_C), 0.0]]
    )
    origin, axes = residue_frames(n_ca_c[None])
    return (n_ca_c - origin) @ axes[0].T


#: N, CA, C (rows) of an ideal residue in its own frame, angstrom, shape (3, 3).
IDEAL_RESIDUE: np.ndarray = _ideal_residue()
