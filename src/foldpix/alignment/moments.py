"""The overlap of two clouds with its gradient and Hessian on SE(3), from one pass over the pairs of points.

With r a point of the reference and x = R y + t one of the moved fit, every first and second derivative of
E = exp(-α/2 |r - x|²) is E times a polynomial of second degree in r and of second degree in x. So the sums
Σ E f(r) f(x)ᵀ with f = (1, x, y, z, xx, yy, zz, xy, xz, yz) hold them all, and a constant matrix
(`foldpix.alignment.polynomials`) takes them out.

Letters of shapes: B pairs, S poses, N points of the reference, M points of the fit, K and J features.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from foldpix.alignment.overlaps import Points
from foldpix.alignment.polynomials import NUM_DERIVATIVES, derivative_maps, directed_maps

# The features of zeroth and first degree come first.
_LINEAR = 4


class Terms(NamedTuple):
    """Pairs of clouds, ready for any pose."""

    ref: Points
    fit: Points
    alpha_BN: jax.Array
    width_B: jax.Array  # mean 1 / sqrt(α)
    weights_BNM: jax.Array | None
    features_BNK: jax.Array
    matrix: jax.Array  # (K * 10, 34)


def make_terms(ref: Points, fit: Points, alpha: jax.Array, lam: jax.Array) -> Terms:
    """What does not depend on the pose.

    Parameters
    ----------
    ref, fit : Points
        Arrays with a leading axis B, float32, padded by points of weight zero.
    alpha, lam : array, shape=()
        Used where points have no widths of their own, and where they have charges.
    """
    weights_BNM = None
    if ref.charges is not None:
        weights_BNM = jnp.exp(-((ref.charges[:, :, None] - fit.charges[:, None]) ** 2) / lam)
    if ref.types is not None:
        weights_BNM = (ref.types[:, :, None] == fit.types[:, None]).astype(jnp.float32)
    quadratic = jnp.stack(_quadratic(*jnp.moveaxis(ref.points, -1, 0)), -1) * ref.weights[..., None]
    maps = jnp.asarray(derivative_maps(), jnp.float32)
    if ref.alphas is None:
        alpha_BN = jnp.broadcast_to(alpha, ref.weights.shape)
        matrix = maps[0] + alpha * maps[1] + alpha**2 * maps[2]
    else:  # the powers of each point's α go into its features
        alpha_BN = ref.alphas
        a = alpha_BN[..., None]
        quadratic = jnp.concatenate([quadratic[..., :1], a * quadratic[..., :_LINEAR], a**2 * quadratic], -1)
        matrix = jnp.concatenate([maps[0, :1], maps[1, :_LINEAR], maps[2]])
    real = ref.weights > 0
    width_B = jnp.sum(real / jnp.sqrt(alpha_BN), axis=1) / jnp.sum(real, axis=1)
    return Terms(ref, fit, alpha_BN, width_B, weights_BNM, quadratic, matrix.reshape(-1, NUM_DERIVATIVES))


def derivatives(terms: Terms, rotation_BS33: jax.Array, translation_BS3: jax.Array) -> jax.Array:
    """The overlaps and their derivatives at poses: (34, B, S), in the order of `polynomials`."""
    x_3BSM = _moved(terms.fit.points, rotation_BS33, translation_BS3)
    overlap_BNSM = _gaussians(terms, x_3BSM)
    right = [feature * terms.fit.weights[:, None] for feature in _quadratic(*x_3BSM)]
    if terms.ref.vectors is None:
        return _contract(terms.features_BNK, overlap_BNSM, right, terms.matrix)
    q_3BSM = _moved(terms.fit.vectors, rotation_BS33, jnp.zeros_like(translation_BS3))
    weight, slope = _direction_weights(terms.ref, q_3BSM)
    main = _contract(terms.features_BNK, overlap_BNSM * weight, right, terms.matrix)
    return main + _of_directions(terms, overlap_BNSM * slope, q_3BSM, right[:_LINEAR])


def values(terms: Terms, rotation_BS33: jax.Array, translation_BS3: jax.Array) -> jax.Array:
    """The overlaps alone: (B, S)."""
    x_3BSM = _moved(terms.fit.points, rotation_BS33, translation_BS3)
    overlap_BNSM = _gaussians(terms, x_3BSM)
    if terms.ref.vectors is not None:
        q_3BSM = _moved(terms.fit.vectors, rotation_BS33, jnp.zeros_like(translation_BS3))
        overlap_BNSM = overlap_BNSM * _direction_weights(terms.ref, q_3BSM)[0]
    return jnp.einsum("bn,bnsm,bm->bs", terms.ref.weights, overlap_BNSM, terms.fit.weights)


def _moved(y_BM3: jax.Array, rotation_BS33: jax.Array, translation_BS3: jax.Array) -> jax.Array:
    """R y + t: (3, B, S, M). As a product of matrices, so that it is not done again for every point r."""
    num_pairs, num_poses = rotation_BS33.shape[:2]
    pose_BS34 = jnp.concatenate([rotation_BS33, translation_BS3[..., None]], -1)
    rows_BX4 = jnp.moveaxis(pose_BS34, 2, 1).reshape(num_pairs, -1, 4)
    y_BM4 = jnp.concatenate([y_BM3, jnp.ones_like(y_BM3[..., :1])], -1)
    x_BXM = jnp.einsum("bxk,bmk->bxm", rows_BX4, y_BM4)
    return jnp.moveaxis(x_BXM.reshape(num_pairs, 3, num_poses, -1), 1, 0)


def _gaussians(terms: Terms, x_3BSM: jax.Array) -> jax.Array:
    _, num_pairs, num_poses, num_points = x_3BSM.shape
    # Poses and points of the fit as one long axis: loops over many short ones are slow on a CPU.
    x_3B1X = x_3BSM.reshape(3, num_pairs, 1, -1)
    square = sum((terms.ref.points[:, :, i, None] - x_3B1X[i]) ** 2 for i in range(3))
    overlap = jnp.exp(-0.5 * terms.alpha_BN[..., None] * square)
    overlap = overlap.reshape(num_pairs, -1, num_poses, num_points)
    return overlap if terms.weights_BNM is None else overlap * terms.weights_BNM[:, :, None]


def _quadratic(x: jax.Array, y: jax.Array, z: jax.Array) -> list[jax.Array]:
    return [jnp.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z]


def _contract(left_BNK: jax.Array, e_BNSM: jax.Array, right: list[jax.Array], matrix: jax.Array) -> jax.Array:
    """Σ E left right for each pose, times a matrix (K * J, 34): (34, B, S)."""
    num_pairs, _, num_poses, num_points = e_BNSM.shape
    of_ref = jnp.einsum("bnk,bnx->bkx", left_BNK, e_BNSM.reshape(num_pairs, left_BNK.shape[1], -1))
    of_ref = of_ref.reshape(num_pairs, -1, 1, num_poses, num_points)
    sums_BKJS = jnp.sum(of_ref * jnp.stack(right, 1)[:, None], axis=-1)
    sums_BXS = sums_BKJS.reshape(num_pairs, -1, num_poses)
    return jnp.einsum("bxs,xd->dbs", sums_BXS, matrix)


def _direction_weights(ref: Points, q_3BSM: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Weight (s + 2) / 3 of a pair's directions and its slope by u·q: twice (B, N, S, M)."""
    cosine = sum(ref.vectors[:, :, i, None, None] * q_3BSM[i][:, None] for i in range(3))
    axial, polar = ref.axial[..., None, None], ref.polar[..., None, None]
    slope = axial * jnp.sign(cosine) + polar * (cosine > 0)
    return 1.0 + (slope * cosine - axial - polar) / 3.0, slope / 3.0


def _of_directions(
    terms: Terms, e_BNSM: jax.Array, q_3BSM: jax.Array, affine: list[jax.Array]
) -> jax.Array:
    u_BN3 = terms.ref.vectors * terms.ref.weights[..., None]
    affine_BN4 = jnp.concatenate([jnp.ones_like(u_BN3[..., :1]), terms.ref.points], -1)
    u_affine = (u_BN3[..., None] * affine_BN4[..., None, :]).reshape(*u_BN3.shape[:2], -1)
    left = jnp.concatenate([u_BN3, terms.alpha_BN[..., None] * u_affine], -1)
    right = [q * feature for q in q_3BSM for feature in affine]
    matrix = jnp.asarray(jnp.concatenate([jnp.asarray(m, jnp.float32) for m in directed_maps()]))
    return _contract(left, e_BNSM, right, matrix.reshape(-1, NUM_DERIVATIVES))
