"""Adam with a fixed step on quaternion and translation: every start, every step, and the last pose."""

from typing import Any

import jax
import jax.numpy as jnp

from foldpix.alignment.moments import Terms, derivatives
from foldpix.alignment.polynomials import GRADIENT, VALUE
from foldpix.alignment.poses import multiply, rotation_matrix

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


def descend(
    terms: Terms, pose_BS7: jax.Array, slope_of: Any, lr: Any, num_steps: Any
) -> tuple[jax.Array, jax.Array]:
    """Poses after so many steps of Adam (Kingma & Ba 2015) up the similarity: (B, S, 7), and overlaps (B, S).

    Parameters
    ----------
    pose_BS7 : array
        Starts; quaternions of any length.
    slope_of : callable
        From overlaps (B, S) to the derivative of the similarity by the overlap.
    lr : float
        Step, the same for quaternion and translation.
    num_steps : int
    """
    num_poses = pose_BS7.shape[1]

    def one_step(k: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        pose, mean, square = carry
        overlap, gradient = _gradient(terms, pose)
        gradient = -gradient * (slope_of(overlap) / num_poses)[..., None]
        mean = _BETA_1 * mean + (1.0 - _BETA_1) * gradient
        square = _BETA_2 * square + (1.0 - _BETA_2) * gradient**2
        unbiased = mean / (1.0 - _BETA_1 ** (k + 1.0)), square / (1.0 - _BETA_2 ** (k + 1.0))
        return pose - lr * unbiased[0] / (jnp.sqrt(unbiased[1]) + _EPSILON), mean, square

    zero = jnp.zeros_like(pose_BS7)
    pose_BS7, *_ = jax.lax.fori_loop(0, num_steps, one_step, (pose_BS7, zero, zero))
    return pose_BS7, _gradient(terms, pose_BS7)[0]


def _gradient(terms: Terms, pose_BS7: jax.Array) -> tuple[jax.Array, jax.Array]:
    quaternion, translation = pose_BS7[..., :4], pose_BS7[..., 4:]
    found = jnp.moveaxis(derivatives(terms, rotation_matrix(quaternion), translation), 0, -1)
    about_origin, push = found[..., GRADIENT][..., :3], found[..., GRADIENT][..., 3:]
    torque = about_origin - jnp.cross(translation, push)
    # ω = 2 dq q⁻¹, so that the gradient by q is 2 (0, torque) q / |q|².
    pure = jnp.concatenate([jnp.zeros_like(torque[..., :1]), torque], axis=-1)
    turn = 2.0 * multiply(pure, quaternion) / jnp.sum(quaternion**2, axis=-1, keepdims=True)
    return found[..., VALUE], jnp.concatenate([turn, push], axis=-1)
