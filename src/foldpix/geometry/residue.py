"""One residue: the virtual C-beta, the local frame and the ideal N, CA, C."""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from foldpix.geometry.vector import cross_matrix, dot, orthonormal

# Engh & Huber (2001) averages over the twenty amino acids.
N_CA, CA_C, N_CA_C = 1.459, 1.525, math.radians(111.0)

# CB - CA of an ideal residue in terms of b x c, b = CA - N and c = C - CA (Yang et al. 2020).
_CROSS, _B, _C = -0.58273431, 0.56802827, -0.54067466


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
    return _CROSS * xp.linalg.cross(b, c) + _B * b + _C * c + ca


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
    cb, ca = virtual_cb(coords), coords[..., 1, :]
    return cb, orthonormal(coords[..., 0, :] - ca, cb - ca)


def frame_jacobian(coords: Any) -> Any:
    """How the local frame of each residue moves with its atoms.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    array, shape=(..., L, 6, 9)
        Rows: shift of the origin and small rotation, both along the frame's own axes. Columns: x, y, z of
        N, CA and C in global coordinates.
    """
    xp = array_namespace(coords)
    origin, axes = residue_frames(coords)
    n, ca = coords[..., 0, :], coords[..., 1, :]
    b, c = ca - n, coords[..., 2, :] - ca
    by_b = axes @ (_B * _identity(axes) - _CROSS * cross_matrix(c))
    by_c = axes @ (_C * _identity(axes) + _CROSS * cross_matrix(b))
    shift = xp.concat([-by_b, by_b - by_c + axes, by_c], axis=-1)
    nothing = xp.zeros_like(axes)
    # z follows CB - CA, and x the part of N - CA across z.
    tilt = (shift - xp.concat([nothing, axes, nothing], axis=-1)) / dot(origin - ca, axes[..., 2, :])[
        ..., None
    ]
    about_x, about_y = -tilt[..., 1, :], tilt[..., 0, :]
    to_n = axes @ (n - ca)[..., None]
    sideways = xp.concat([axes, -axes, nothing], axis=-1)[..., 1, :]
    about_z = (sideways + to_n[..., 2, :] * about_x) / to_n[..., 0, :]
    return xp.concat([shift, xp.stack([about_x, about_y, about_z], axis=-2)], axis=-2)


def _identity(like: Any) -> Any:
    return array_namespace(like).eye(3, dtype=like.dtype, device=device(like))


def _ideal_residue() -> np.ndarray:
    n_ca_c = np.array(
        [[N_CA, 0.0, 0.0], [0.0, 0.0, 0.0], [CA_C * math.cos(N_CA_C), CA_C * math.sin(N_CA_C), 0.0]]
    )
    origin, axes = residue_frames(n_ca_c[None])
    return (n_ca_c - origin) @ axes[0].T


#: N, CA, C (rows) of an ideal residue in its own frame, angstrom, shape (3, 3).
IDEAL_RESIDUE: np.ndarray = _ideal_residue()
