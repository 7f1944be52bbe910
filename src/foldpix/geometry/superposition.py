"""Kabsch's superposition of point sets, and how close is close."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace


def best_rotation(covariance: Any) -> tuple[Any, Any]:
    """Proper rotation R that maximises ``trace(R H)`` for a covariance ``H = sum_k mobile_k target_k^T``.

    Parameters
    ----------
    covariance : array, shape=(..., 3, 3)

    Returns
    -------
    rotation : array, shape=(..., 3, 3)
        Turns a mobile column vector onto its target.
    singular : array, shape=(..., 3)
        Singular values; the last is negative where the best orthogonal map would be a reflection. Their sum
        is ``trace(R H)``.
    """
    xp = array_namespace(covariance)
    u, s, vt = xp.linalg.svd(covariance, full_matrices=False)
    sign = xp.sign(xp.linalg.det(u) * xp.linalg.det(vt))
    one = xp.ones_like(sign)
    flip = xp.stack([one, one, sign], axis=-1)
    v = xp.matrix_transpose(vt)
    return xp.matmul(v * flip[..., None, :], xp.matrix_transpose(u)), s * flip


def superpose(mobile: Any, target: Any) -> Any:
    """``mobile`` moved onto ``target`` by the rigid motion with the least squared deviation (Kabsch 1976).

    Parameters
    ----------
    mobile, target : array, shape=(..., M, 3)
        Paired points; never reflected.

    Returns
    -------
    array, shape=(..., M, 3)
    """
    xp = array_namespace(mobile, target)
    mobile_mean = xp.mean(mobile, axis=-2, keepdims=True)
    target_mean = xp.mean(target, axis=-2, keepdims=True)
    covariance = xp.matmul(xp.matrix_transpose(mobile - mobile_mean), target - target_mean)
    rotation, _ = best_rotation(covariance)
    return xp.matmul(mobile - mobile_mean, xp.matrix_transpose(rotation)) + target_mean


def rmsd(mobile: Any, target: Any) -> Any:
    """Root mean square deviation after superposition: (..., M, 3), (..., M, 3) -> (...)."""
    xp = array_namespace(mobile, target)
    deviation = superpose(mobile, target) - target
    return xp.mean(xp.sum(deviation * deviation, axis=-1), axis=-1) ** 0.5


def tm_scale(length: int) -> float:
    """Distance d0 (angstrom) at which a pair of residues counts one half in a TM-score (Zhang & Skolnick)."""
    return max(1.24 * np.cbrt(max(length - 15, 0)) - 1.8, 0.5)
