"""The 6D orientation maps of trRosetta (Yang et al., PNAS 2020): d, omega, theta, phi of every residue pair."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry.residue import residue_frames


def orientation_maps(coords: Any) -> tuple[Any, Any, Any, Any]:
    """Distances and angles between all pairs of residues.

    All four come from one product: the CB of residue j in the local frame of residue i is (x, y, z), so
    d is its length, theta its azimuth and phi its inclination from the axis CB -> CA.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    d : array, shape=(..., L, L)
        |CB_j - CB_i| in angstrom; symmetric.
    omega : array, shape=(..., L, L)
        Dihedral CA_i, CB_i, CB_j, CA_j in radian; symmetric.
    theta : array, shape=(..., L, L)
        Dihedral N_i, CA_i, CB_i, CB_j in radian.
    phi : array, shape=(..., L, L)
        Angle CA_i, CB_i, CB_j in radian, in [0, pi].

    The diagonal of all four is 0. Gradients are finite wherever no two CB coincide.
    """
    xp = array_namespace(coords)
    cb, axes = residue_frames(coords)
    cb = cb - xp.mean(cb, axis=-2, keepdims=True)  # small numbers, so that float32 loses nothing
    own = xp.sum(axes * cb[..., None, :], axis=-1)
    x, y, z = _planes(axes, cb, own)
    a, b, c = _planes(axes, axes[..., 2, :], None)

    off_diagonal = ~xp.eye(cb.shape[-2], dtype=xp.bool, device=device(coords))
    # A fixed vector on the diagonal keeps roots and arc tangents differentiable there.
    one = xp.ones_like(x)
    x, y, z = (xp.where(off_diagonal, v, one) for v in (x, y, z))
    rho2 = x * x + y * y
    d = (rho2 + z * z) ** 0.5
    maps = (
        d,
        xp.atan2(d * (a * y - b * x), c * rho2 - z * (a * x + b * y)),
        xp.atan2(y, x),
        xp.atan2(rho2**0.5, -z),
    )
    zero = xp.zeros_like(d)
    d, omega, theta, phi = (xp.where(off_diagonal, m, zero) for m in maps)
    return d, omega, theta, phi


def _planes(axes_L33: Any, vectors_L3: Any, own_L3: Any) -> tuple[Any, Any, Any]:
    """Vectors of all residues j in the frame of each residue i (less i's own): three planes (..., L, L)."""
    xp = array_namespace(axes_L33)
    transposed = xp.matrix_transpose(vectors_L3)
    planes = []
    for k in range(3):
        plane = xp.matmul(axes_L33[..., k, :], transposed)
        planes.append(plane if own_L3 is None else plane - own_L3[..., k][..., None])
    return planes[0], planes[1], planes[2]
