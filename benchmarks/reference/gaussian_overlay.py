"""Gaussian overlays, straightforwardly: autodiff, Adam with a fixed step, all starts, pairs padded alike."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from foldpix.alignment import spec_starts

ALPHA, LR = 0.81, 0.1


def overlay(
    refs: list[np.ndarray], fits: list[np.ndarray], num_repeats: int = 50, num_steps: int = 200
) -> np.ndarray:
    """Best Tanimoto score of each pair of points (N, 3), (M, 3): (P,)."""
    starts = np.array([spec_starts(r, f, num_repeats) for r, f in zip(refs, fits, strict=True)])
    return np.asarray(_all_pairs(*_padded(refs), *_padded(fits), jnp.asarray(starts, jnp.float32), num_steps))


def _padded(clouds: list[np.ndarray]) -> tuple[jax.Array, jax.Array]:
    size = max(map(len, clouds))
    points, mask = np.zeros((len(clouds), size, 3), np.float32), np.zeros((len(clouds), size), np.float32)
    for k, cloud in enumerate(clouds):
        points[k, : len(cloud)], mask[k, : len(cloud)] = cloud, 1.0
    return jnp.asarray(points), jnp.asarray(mask)


def _overlap(a: jax.Array, of_a: jax.Array, b: jax.Array, of_b: jax.Array) -> jax.Array:
    square = jnp.sum((a[:, None] - b[None]) ** 2, axis=-1)
    return jnp.sum(of_a[:, None] * of_b * jnp.exp(-0.5 * ALPHA * square))


def _score(pose: jax.Array, a: jax.Array, of_a: jax.Array, b: jax.Array, of_b: jax.Array) -> jax.Array:
    w, x, y, z = pose[:4] / jnp.linalg.norm(pose[:4])
    rotation = jnp.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    both = _overlap(a, of_a, b @ rotation.T + pose[4:], of_b)
    return both / (_overlap(a, of_a, a, of_a) + _overlap(b, of_b, b, of_b) - both)


@partial(jax.jit, static_argnums=5)
def _all_pairs(
    a: jax.Array, of_a: jax.Array, b: jax.Array, of_b: jax.Array, starts: jax.Array, num_steps: int
) -> jax.Array:
    def pair(a: jax.Array, of_a: jax.Array, b: jax.Array, of_b: jax.Array, starts: jax.Array) -> jax.Array:
        score = lambda pose: _score(pose, a, of_a, b, of_b)  # noqa: E731
        step = jax.vmap(jax.grad(lambda pose: -score(pose)))

        def one(carry: tuple, k: jax.Array) -> tuple[tuple, None]:
            pose, mean, square = carry
            gradient = step(pose)
            mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
            change = mean / (1 - 0.9**k) / (jnp.sqrt(square / (1 - 0.999**k)) + 1e-8)
            return (pose - LR * change, mean, square), None

        zero = jnp.zeros_like(starts)
        (poses, *_), _ = jax.lax.scan(one, (starts, zero, zero), jnp.arange(1.0, num_steps + 1.0))
        return jnp.max(jax.vmap(score)(poses))

    return jax.vmap(pair)(a, of_a, b, of_b, starts)
