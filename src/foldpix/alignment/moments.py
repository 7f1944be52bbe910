"""The overlap of two clouds with its gradient and Hessian on SE(3), from one pass over the pairs of points.

With r a point of the reference and x = R y + t one of the moved fit, every first and second derivative of
E = exp(-α/2 |r - x|²) is E times a polynomial of second degree in r and of second degree in x. So the sums
Σ E f(r) f(x)ᵀ with f = (1, x, y, z, xx, yy, zz, xy, xz, yz) hold them all, and a constant matrix
(`foldpix.alignment.polynomials`) takes them out.

Letters of shapes: B pairs, S poses, N points of the reference, M points of the fit, K and J features.
"""

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from foldpix.alignment.overlaps import Points
from foldpix.alignment.polynomials import (
    NUM_DERIVATIVES,
    affine,
    bilinear_features,
    derivative_maps,
    directed_maps,
    quadratic_features,
)

# The features of zeroth and first degree come first.
_LINEAR = 4
#: Points of the reference that are taken at a time; a padded reference has a multiple of them.
CHUNK = 16


class Terms(NamedTuple):
    """Pairs of clouds, ready for any pose."""

    ref: Points
    fit: Points
    alpha_BN: jax.Array
    width_B: jax.Array  # mean 1 / sqrt(α)
    weights_BNM: jax.Array | None
    features_BNK: jax.Array
    fit_features_BMJ: jax.Array
    matrix: jax.Array  # (K, J, 49)


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
    quadratic = quadratic_features(ref.points) * ref.weights[..., None]
    of_fit = bilinear_features(affine(fit.points) * fit.weights[..., None], affine(fit.points))
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
    return Terms(ref, fit, alpha_BN, width_B, weights_BNM, quadratic, of_fit, matrix)


def derivatives(terms: Terms, rotation_BS33: jax.Array, translation_BS3: jax.Array) -> jax.Array:
    """The overlaps and their derivatives at poses: (49, B, S), in the order of `polynomials`."""
    x_3BSM = _moved(terms.fit.points, rotation_BS33, translation_BS3)
    affine_44BS = _affine_maps(rotation_BS33, translation_BS3)
    if terms.ref.vectors is None:
        add = lambda part, sums: sums + _sum_over_ref(part.features_BNK, _gaussians(part, x_3BSM))  # noqa: E731
        of_ref = _over_ref(terms, add, _no_sums(terms.features_BNK, x_3BSM))
        return _contract(of_ref, terms.fit_features_BMJ, affine_44BS, affine_44BS, terms.matrix)
    q_3BSM = _moved(terms.fit.vectors, rotation_BS33, jnp.zeros_like(translation_BS3))

    def add_both(part: Terms, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        overlap_BNSM = _gaussians(part, x_3BSM)
        weight, slope = _direction_weights(part.ref, q_3BSM)
        main = _sum_over_ref(part.features_BNK, overlap_BNSM * weight)
        return sums[0] + main, sums[1] + _sum_over_ref(_directed_left(part), overlap_BNSM * slope)

    none = _no_sums(terms.features_BNK, x_3BSM), _no_sums(_directed_left(terms), x_3BSM)
    main, directed = _over_ref(terms, add_both, none)
    v_BM3 = terms.fit.vectors * terms.fit.weights[..., None]
    directed_right = bilinear_features(v_BM3, affine(terms.fit.points))
    matrix = jnp.concatenate([jnp.asarray(part, jnp.float32) for part in directed_maps()])
    found = _contract(main, terms.fit_features_BMJ, affine_44BS, affine_44BS, terms.matrix)
    return found + _contract(directed, directed_right, affine_44BS[1:, 1:], affine_44BS, matrix)


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
    pose_BS49 = jnp.concatenate([rotation_BS33, translation_BS3[..., None]], -1)
    rows_BX4 = jnp.moveaxis(pose_BS49, 2, 1).reshape(num_pairs, -1, 4)
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


def _over_ref(terms: Terms, add: Callable[[Terms, Any], Any], sums: Any) -> Any:
    """Sums over the points of the references, some at a time, as far as any has points.

    So one compiled function serves references of many sizes, and memory does not grow with them.
    """
    count = jnp.max(jnp.sum(terms.ref.weights > 0, axis=1))

    def one_more(k: jax.Array, sums: Any) -> Any:
        cut = lambda x: jax.lax.dynamic_slice_in_dim(x, k * CHUNK, CHUNK, axis=1)  # noqa: E731
        part = terms._replace(
            ref=jax.tree.map(cut, terms.ref),
            alpha_BN=cut(terms.alpha_BN),
            weights_BNM=jax.tree.map(cut, terms.weights_BNM),
            features_BNK=cut(terms.features_BNK),
        )
        return add(part, sums)

    return jax.lax.fori_loop(0, (count + CHUNK - 1) // CHUNK, one_more, sums)


def _no_sums(left_BNK: jax.Array, x_3BSM: jax.Array) -> jax.Array:
    _, num_pairs, num_poses, num_points = x_3BSM.shape
    return jnp.zeros((num_pairs, left_BNK.shape[-1], num_poses * num_points), x_3BSM.dtype)


def _sum_over_ref(left_BNK: jax.Array, e_BNSM: jax.Array) -> jax.Array:
    """(B, K, S * M)."""
    return jnp.einsum("bnk,bnx->bkx", left_BNK, e_BNSM.reshape(*left_BNK.shape[:2], -1))


def _contract(
    of_ref_BKX: jax.Array, fit_BMJ: jax.Array, first: jax.Array, second: jax.Array, matrix: jax.Array
) -> jax.Array:
    """Sums over the fit, its features turned into those of the moved fit, times a matrix: (49, B, S).

    Features are products of two vectors, which ``first`` and ``second``, (I, I, B, S) and (L, L, B, S), move.
    """
    num_pairs, num_features, _ = of_ref_BKX.shape
    num_first, num_second, _, num_poses = len(first), len(second), *first.shape[2:]
    of_ref = of_ref_BKX.reshape(num_pairs, num_features * num_poses, -1)
    sums = jnp.einsum("bxm,bmj->bxj", of_ref, fit_BMJ)
    sums = sums.reshape(num_pairs, num_features, num_poses, num_first, num_second)
    # Poses as one long last axis, and sums written out: XLA's loops over short axes are slow.
    sums_KILP = jnp.moveaxis(sums, (0, 2), (-2, -1)).reshape(num_features, num_first, num_second, -1)
    first, second = (x.reshape(*x.shape[:2], -1) for x in (first, second))
    sums_KILP = _sum([first[:, i, None] * sums_KILP[:, None, i] for i in range(num_first)])
    sums_KILP = _sum([second[:, i] * sums_KILP[:, :, None, i] for i in range(num_second)])
    found = matrix.reshape(-1, NUM_DERIVATIVES).T @ sums_KILP.reshape(-1, num_pairs * num_poses)
    return found.reshape(-1, num_pairs, num_poses)


def _sum(parts: list[jax.Array]) -> jax.Array:
    return reduce(operator.add, parts)


def _affine_maps(rotation_BS33: jax.Array, translation_BS3: jax.Array) -> jax.Array:
    """Matrices that take (1, y) to (1, R y + t), poses last: (4, 4, B, S)."""
    rows = jnp.concatenate([translation_BS3[..., None], rotation_BS33], axis=-1)
    first = jnp.zeros_like(rows[..., :1, :]).at[..., 0].set(1.0)
    return jnp.moveaxis(jnp.concatenate([first, rows], axis=-2), (-2, -1), (0, 1))


def _direction_weights(ref: Points, q_3BSM: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Weight (s + 2) / 3 of a pair's directions and its slope by u·q: twice (B, N, S, M)."""
    cosine = sum(ref.vectors[:, :, i, None, None] * q_3BSM[i][:, None] for i in range(3))
    axial, polar = ref.axial[..., None, None], ref.polar[..., None, None]
    slope = axial * jnp.sign(cosine) + polar * (cosine > 0)
    return 1.0 + (slope * cosine - axial - polar) / 3.0, slope / 3.0


def _directed_left(terms: Terms) -> jax.Array:
    u_BN3 = terms.ref.vectors * terms.ref.weights[..., None]
    with_points = bilinear_features(u_BN3, affine(terms.ref.points))
    return jnp.concatenate([u_BN3, terms.alpha_BN[..., None] * with_points], axis=-1)
