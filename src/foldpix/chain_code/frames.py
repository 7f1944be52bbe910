"""The frame that the next residue hangs on."""

import numpy as np

from foldpix.geometry.vector import orthonormal


def carbonyl_frames(coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame of each residue at its C: z from CA to C, x towards N across z, y = z x x.

    The next residue is bonded to C, so its place varies less in this frame than in that of CB: with few codes
    that is more exact (docs/experiments.md).

    Parameters
    ----------
    coords : ndarray, shape=(..., 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    origin : ndarray, dtype=float64, shape=(..., 3)
    axes : ndarray, dtype=float64, shape=(..., 3, 3)
        Rows x, y, z: a rotation from global to local coordinates.
    """
    coords = np.asarray(coords, dtype=np.float64)
    n, ca, c = coords[..., 0, :], coords[..., 1, :], coords[..., 2, :]
    return c, np.ascontiguousarray(orthonormal(n - ca, c - ca))
