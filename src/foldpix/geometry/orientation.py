"""The 6D maps of trRosetta (Yang et al., PNAS 2020): d, omega, theta and phi of all pairs of residues."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry.residue import residue_frames
from foldpix.geometry.vector import dot


def orientation_maps(coords: Any, rows: slice = slice(None)) -> tuple[Any, Any, Any, Any]:
    """Distances and angles between all pairs of residues.

    All four come from products of a vector of residue i with one of residue j. The CB of j in the local
    frame of i is (x, y, z), so d is its length, theta its azimuth and phi its inclination from the axis
    CB -> CA. Omega is the angle between the lines CA_i CB_i and CA_j CB_j as seen along CB_i CB_j; its
    sine comes from Pluecker's product of the two lines.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.
    rows : slice
        Residues i, R in number; consecutive ones.

    Returns
    -------
    d : array, shape=(..., R, L)
        |CB_j - CB_i| in angstrom; symmetric.
    omega : array, shape=(..., R, L)
        Dihedral CA_i, CB_i, CB_j, CA_j in radian; symmetric.
    theta : array, shape=(..., R, L)
        Dihedral N_i, CA_i, CB_i, CB_j in radian.
    phi : array, shape=(..., R, L)
        Angle CA_i, CB_i, CB_j in radian, in [0, pi].

    The diagonal of all four is 0. Gradients are finite wherever no two CB coincide.
    """
    xp = array_namespace(coords)
    cb, axes = residue_frames(coords)
    cb = cb - xp.mean(cb, axis=-2, keepdims=True)  # small numbers, so that float32 loses nothing
    # A frame's axes with the place of its origin, times a point with a 1: the point in that frame.
    frame = xp.concat([axes, -dot(axes, cb[..., None, :])], axis=-1)
    point = xp.concat([cb, xp.ones_like(cb[..., :1])], axis=-1)
    line = axes[..., 2, :]
    moment = xp.linalg.cross(line, cb)

    diagonal = _diagonal(cb, rows)
    x, y, z = (_products(frame[..., rows, k, :], point) for k in range(3))
    x = x + diagonal  # length 1 instead of 0 keeps roots and arc tangents differentiable
    rho2, theta = x * x + y * y, xp.atan2(y, x)
    phi = xp.atan2(xp.sqrt(rho2), -z)
    d2 = rho2 + z * z
    d = xp.sqrt(d2)
    cosine = d2 * _products(line[..., rows, :], line) + z * _products(point[..., rows, :], frame[..., 2, :])
    line_i, line_j = xp.concat([line, moment], axis=-1), xp.concat([moment, line], axis=-1)
    omega = xp.atan2(d * _products(line_i[..., rows, :], line_j), cosine)
    off_diagonal = 1.0 - diagonal
    return d * off_diagonal, omega * off_diagonal, theta * off_diagonal, phi * off_diagonal


def _products(of_i: Any, of_j: Any) -> Any:
    """Scalar products of the vectors of all residues i and j: (..., R, K), (..., L, K) -> (..., R, L)."""
    xp = array_namespace(of_i)
    return xp.matmul(of_i, xp.matrix_transpose(of_j))


def _diagonal(points: Any, rows: slice) -> Any:
    """Ones where i = j, else zeros: (..., L, 3) -> (R, L)."""
    xp, length = array_namespace(points), points.shape[-2]
    chosen = range(length)[rows]
    return xp.eye(len(chosen), length, k=chosen.start, dtype=points.dtype, device=device(points))
