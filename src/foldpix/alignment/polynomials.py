"""The constant matrices that turn sums over pairs of points into derivatives on SE(3).

A term of the overlap is E = exp(-α/2 |r - x|²), with d = r - x; under x -> exp(ω) x + τ the vector
c = (x × r, d) is the gradient of -|d|²/2 by (ω, τ). The gradient of E is α E c, its Hessian

    E (α² c cᵀ - α JᵀJ + α K),   J = (-[x]×, I),   K = (x dᵀ + d xᵀ) / 2 - (x·d) I for ω.

A direction q of the moved fit meets u of the reference with k = (q × u, 0), the gradient of u·q. All are
polynomials; their coefficients, 0 or multiples of a half, are found from their values at random points.
"""

from functools import cache

import numpy as np

#: Places of a lower triangle of 6 by 6 numbers, row by row.
TRIANGLE = np.tril_indices(6)
#: Places of the derivatives: the overlap, its gradient, the lower triangle of its Hessian, and the diagonal
#: of Σ α E JᵀJ, which is that of the Hessian but for the sign where all points lie on their partners.
VALUE, GRADIENT, HESSIAN, SCALE = 0, slice(1, 7), slice(7, 28), slice(28, 34)
NUM_DERIVATIVES = 34
_SAMPLES = 1000


def quadratic_features(x: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 10): 1, x, y, z, xx, yy, zz, xy, xz, yz."""
    turned = np.roll(x, -1, axis=-1)
    products = (x * turned)[..., [0, 2, 1]]
    return np.concatenate([np.ones_like(x[..., :1]), x, x * x, products], axis=-1)


@cache
def derivative_maps() -> np.ndarray:
    """Coefficients by power of α, features of r, features of x, and derivative: (3, 10, 10, 34)."""
    r, x = _random(2)
    d, identity = r - x, np.eye(3)
    c = np.concatenate([np.cross(x, r), d], axis=1)
    dot = lambda a, b: np.sum(a * b, axis=1)[:, None, None]  # noqa: E731
    outer = lambda a, b: a[:, :, None] * b[:, None, :]  # noqa: E731
    jacobian = np.concatenate([np.cross(identity, x[:, None]).swapaxes(1, 2), np.tile(identity, (len(x), 1, 1))], 2)
    metric = jacobian.swapaxes(1, 2) @ jacobian
    curvature = -metric
    curvature[:, :3, :3] += (outer(x, d) + outer(d, x)) / 2 - dot(x, d) * identity
    targets = np.zeros((3, len(x), NUM_DERIVATIVES))
    targets[0, :, VALUE] = 1.0
    targets[1, :, GRADIENT] = c
    targets[1, :, HESSIAN] = curvature[:, *TRIANGLE]
    targets[1, :, SCALE] = np.diagonal(metric, axis1=1, axis2=2)
    targets[2, :, HESSIAN] = outer(c, c)[:, *TRIANGLE]
    left, right = quadratic_features(r), quadratic_features(x)
    return np.stack([_coefficients(left, right, target) for target in targets])


@cache
def directed_maps() -> tuple[np.ndarray, np.ndarray]:
    """What directions add, by power 0 and 1 of α: (3, 12, 34) and (12, 12, 34).

    Features are u and u ⊗ (1, r) of the reference, q ⊗ (1, x) of the fit, the vector first.
    """
    r, x, u, q = _random(4)
    c = np.concatenate([np.cross(x, r), r - x], axis=1)
    k = np.concatenate([np.cross(q, u), np.zeros_like(u)], axis=1)
    mixed = c[:, :, None] * k[:, None, :]
    turn = np.zeros((len(r), 6, 6))
    uq = u[:, :, None] * q[:, None, :]
    turn[:, :3, :3] = (uq + uq.swapaxes(1, 2)) / 2 - np.trace(uq, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    targets = np.zeros((2, len(r), NUM_DERIVATIVES))
    targets[0, :, GRADIENT] = k
    targets[0, :, HESSIAN] = turn[:, *TRIANGLE]
    targets[1, :, HESSIAN] = (mixed + mixed.swapaxes(1, 2))[:, *TRIANGLE]
    right = directed_features(q, x)
    return _coefficients(u, right, targets[0]), _coefficients(directed_features(u, r), right, targets[1])


def directed_features(u: np.ndarray, r: np.ndarray) -> np.ndarray:
    """u ⊗ (1, r): (..., 3), (..., 3) -> (..., 12)."""
    affine = np.concatenate([np.ones_like(r[..., :1]), r], axis=-1)
    return (u[..., :, None] * affine[..., None, :]).reshape(*u.shape[:-1], 12)


def _random(num: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((num, _SAMPLES, 3))


def _coefficients(left: np.ndarray, right: np.ndarray, target: np.ndarray) -> np.ndarray:
    products = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
    solution = np.linalg.lstsq(products, target, rcond=None)[0]
    halves = np.round(2.0 * solution) / 2.0
    assert np.allclose(solution, halves, atol=1e-9)
    return halves.reshape(left.shape[1], right.shape[1], -1)
