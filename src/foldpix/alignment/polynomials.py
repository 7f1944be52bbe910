"""The constant matrices that turn sums over pairs of points into derivatives on SE(3).

A term of the overlap is E = exp(-α/2 |r - x|²), with d = r - x; under x -> exp(ω) x + τ the vector
c = (x × r, d) is the gradient of -|d|²/2 by (ω, τ). The gradient of E is α E c, its Hessian

    E (α² c cᵀ - α JᵀJ + α K),   J = (-[x]×, I),   K = (x dᵀ + d xᵀ) / 2 - (x·d) I for ω.

A direction q of the moved fit meets u of the reference with k = (q × u, 0), the gradient of u·q. All are
polynomials; their coefficients, multiples of a quarter, are found from their values at random points.
"""

from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace

#: Places of the derivatives: the overlap, its gradient, its Hessian row by row, and the diagonal of
#: Σ α E JᵀJ, which is that of the Hessian but for the sign where all points lie on their partners.
VALUE, GRADIENT, HESSIAN, SCALE = 0, slice(1, 7), slice(7, 43), slice(43, 49)
NUM_DERIVATIVES = 49
_SAMPLES = 1000


def quadratic_features(x: Any) -> Any:
    """(..., 3) -> (..., 10): 1, x, y, z, xx, yy, zz, xy, xz, yz."""
    xp = array_namespace(x)
    products = [x[..., i] * x[..., j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    return xp.concat([affine(x), xp.stack(products, axis=-1)], axis=-1)


@cache
def derivative_maps() -> np.ndarray:
    """Coefficients by power of α, feature of r, feature of x, and derivative: (3, 10, 16, 49).

    Features are those of `quadratic_features` for r, (1, x) ⊗ (1, x) for x.
    """
    r, x = _random(2)
    d, identity = r - x, np.eye(3)
    c = np.concatenate([np.cross(x, r), d], axis=1)
    dot = lambda a, b: np.sum(a * b, axis=1)[:, None, None]  # noqa: E731
    outer = lambda a, b: a[:, :, None] * b[:, None, :]  # noqa: E731
    turn = np.cross(identity, x[:, None]).swapaxes(1, 2)
    jacobian = np.concatenate([turn, np.tile(identity, (len(x), 1, 1))], axis=2)
    metric = jacobian.swapaxes(1, 2) @ jacobian
    curvature = -metric
    curvature[:, :3, :3] += (outer(x, d) + outer(d, x)) / 2 - dot(x, d) * identity
    targets = np.zeros((3, len(x), NUM_DERIVATIVES))
    targets[0, :, VALUE] = 1.0
    targets[1, :, GRADIENT] = c
    targets[1, :, HESSIAN] = curvature.reshape(-1, 36)
    targets[1, :, SCALE] = np.diagonal(metric, axis1=1, axis2=2)
    targets[2, :, HESSIAN] = outer(c, c).reshape(-1, 36)
    left, right = quadratic_features(r), bilinear_features(affine(x), affine(x))
    return np.stack([_coefficients(left, right, target) for target in targets])


@cache
def directed_maps() -> tuple[np.ndarray, np.ndarray]:
    """What directions add, by power 0 and 1 of α: (3, 12, 49) and (12, 12, 49).

    Features are u and u ⊗ (1, r) of the reference, q ⊗ (1, x) of the fit, the vector first.
    """
    r, x, u, q = _random(4)
    c = np.concatenate([np.cross(x, r), r - x], axis=1)
    k = np.concatenate([np.cross(q, u), np.zeros_like(u)], axis=1)
    mixed = c[:, :, None] * k[:, None, :]
    turn = np.zeros((len(r), 6, 6))
    uq = u[:, :, None] * q[:, None, :]
    cosine = np.trace(uq, axis1=1, axis2=2)[:, None, None]
    turn[:, :3, :3] = (uq + uq.swapaxes(1, 2)) / 2 - cosine * np.eye(3)
    targets = np.zeros((2, len(r), NUM_DERIVATIVES))
    targets[0, :, GRADIENT] = k
    targets[0, :, HESSIAN] = turn.reshape(-1, 36)
    targets[1, :, HESSIAN] = (mixed + mixed.swapaxes(1, 2)).reshape(-1, 36)
    right = bilinear_features(q, affine(x))
    return _coefficients(u, right, targets[0]), _coefficients(
        bilinear_features(u, affine(r)), right, targets[1]
    )


def affine(x: Any) -> Any:
    """(..., 3) -> (..., 4): 1, x, y, z."""
    xp = array_namespace(x)
    return xp.concat([xp.ones_like(x[..., :1]), x], axis=-1)


def bilinear_features(a: Any, b: Any) -> Any:
    """a ⊗ b: (..., I), (..., J) -> (..., I * J)."""
    return (a[..., :, None] * b[..., None, :]).reshape(*a.shape[:-1], -1)


def _random(num: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((num, _SAMPLES, 3))


def _coefficients(left: np.ndarray, right: np.ndarray, target: np.ndarray) -> np.ndarray:
    products = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
    solution = np.linalg.lstsq(products, target, rcond=None)[0]
    quarters = np.round(4.0 * solution) / 4.0
    assert np.allclose(solution, quarters, atol=1e-9)
    return quarters.reshape(left.shape[1], right.shape[1], -1)
