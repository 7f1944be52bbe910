"""Newton's method on SE(3) for many poses at once.

Far from a maximum the Hessian is not negative definite. Its two 3 by 3 blocks, of translation and then of
rotation with the translation eliminated, are made so by taking their eigenvalues without sign, as
saddle-free Newton does with the whole (Dauphin et al. 2014). In a trial on 96 pairs of drugs that reached the
mean score of the 6 by 6 eigenvectors in as many steps, and eigenvalues of 3 by 3 matrices have a closed form.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from foldpix.alignment.moments import Terms, derivatives
from foldpix.alignment.polynomials import GRADIENT, HESSIAN, SCALE, VALUE
from foldpix.alignment.poses import multiply, rotation_matrix

# Longest step: in radians, and in units of 1 / sqrt(α), the width of a Gaussian.
_MAX_TURN, _MAX_SHIFT = 0.6, 1.8
# Least curvature, as a share of that of points on their partners.
_LEAST_CURVATURE = 0.05
# A pose is done when the next step promises less than this share of its overlap; float32 resolves no less.
_LEAST_GAIN = 1e-5
# A step that lost is shortened by this factor, and given up at this share of the longest.
_SHORTER, _SHORTEST = 0.25, 1e-3
# Poses whose overlaps differ by a smaller share are taken for one.
_SAME_OVERLAP = 1e-4
# Fewer first steps do not yet tell the good starts: with 5, 3.1 % of 512 pairs of drugs end
# 0.01 under the best known score, with 8, 1.4 %.
_NUM_FIRST, _NUM_LAST, NUM_KEPT = 8, 6, 8
# Poses that coarse clouds led to are nearly there.
_NUM_FIRST_GUIDED, NUM_KEPT_GUIDED = 3, 2


class State(NamedTuple):
    """The best pose found from each start, its overlap, and the step to try from it."""

    pose_BS7: jax.Array
    overlap_BS: jax.Array
    step_6BS: jax.Array
    done_BS: jax.Array


def climb_best(
    terms: Terms, pose_BS7: jax.Array, max_num_steps: Any, guided: bool
) -> tuple[jax.Array, jax.Array]:
    """Poses climbed from these, (B, S, 7), and their overlaps (B, S); the less promising only a bit.

    All starts, some at a time, climb for the first steps; then the best go on. One loop does both, so that
    the step is compiled once.
    """
    num_kept = NUM_KEPT_GUIDED if guided else NUM_KEPT
    num_rounds = pose_BS7.shape[1] // num_kept
    if num_rounds <= 1:
        return climb(terms, pose_BS7, max_num_steps)
    assert pose_BS7.shape[1] == num_rounds * num_kept
    num_first = jnp.minimum(_NUM_FIRST_GUIDED if guided else _NUM_FIRST, max_num_steps)

    def one_round(k: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        poses, overlaps = carry
        is_last = k == num_rounds
        best_BK = _best_places(overlaps)[:, :num_kept]
        place_BK = jnp.where(is_last, best_BK, k * num_kept + jnp.arange(num_kept))
        num_steps = jnp.where(is_last, jnp.minimum(max_num_steps - num_first, _NUM_LAST), num_first)
        climbed, found = climb(terms, jnp.take_along_axis(poses, place_BK[..., None], axis=1), num_steps)
        row_B1 = jnp.arange(len(poses))[:, None]
        return poses.at[row_B1, place_BK].set(climbed), overlaps.at[row_B1, place_BK].set(found)

    start = pose_BS7, jnp.full(pose_BS7.shape[:2], -1.0)
    return jax.lax.fori_loop(0, num_rounds + 1, one_round, start)


def climb(terms: Terms, pose_BS7: jax.Array, max_num_steps: Any) -> tuple[jax.Array, jax.Array]:
    """Poses climbed from these, at most so many steps: (B, S, 7), and their overlaps (B, S).

    Poses that are done wait for the others unchanged, so that the result of a pair does not depend on which
    pairs are beside it.
    """
    num_pairs, num_poses, _ = pose_BS7.shape
    shape = (num_pairs, num_poses)
    start = State(pose_BS7, jnp.full(shape, -1.0), jnp.zeros((6, *shape)), jnp.zeros(shape, bool))

    def unfinished(carry: tuple[jax.Array, State]) -> jax.Array:
        return (carry[0] <= max_num_steps) & ~jnp.all(carry[1].done_BS)

    def one_step(carry: tuple[jax.Array, State]) -> tuple[jax.Array, State]:
        return carry[0] + 1, _step(terms, carry[1])

    _, state = jax.lax.while_loop(unfinished, one_step, (jnp.zeros((), jnp.int32), start))
    return state.pose_BS7, state.overlap_BS


def best(pose_BS7: jax.Array, overlap_BS: jax.Array, num: int) -> tuple[jax.Array, jax.Array]:
    """The poses of the largest overlaps, best first: (B, num, 7), (B, num).

    Where several starts led to one overlap, the others come last.
    """
    place_BK = _best_places(overlap_BS)[:, :num]
    poses = jnp.take_along_axis(pose_BS7, place_BK[..., None], axis=1)
    return poses, jnp.take_along_axis(overlap_BS, place_BK, axis=1)


def _best_places(overlap_BS: jax.Array) -> jax.Array:
    sorted_BS, place_BS = jax.lax.top_k(overlap_BS, overlap_BS.shape[1])
    same = sorted_BS[:, 1:] > (1.0 - _SAME_OVERLAP) * sorted_BS[:, :-1]
    again = jnp.argsort(jnp.pad(same, ((0, 0), (1, 0))), axis=1, stable=True)
    return jnp.take_along_axis(place_BS, again, axis=1)


def _step(terms: Terms, state: State) -> State:
    trial = _moved(state.pose_BS7, state.step_6BS)
    found = derivatives(terms, rotation_matrix(trial[..., :4]), trial[..., 4:])
    better = (found[VALUE] > state.overlap_BS) & ~state.done_BS
    newton, gain = _newton_step(found, terms.width_B)
    length = jnp.max(jnp.abs(state.step_6BS), axis=0)
    done = jnp.where(better, gain <= _LEAST_GAIN * found[VALUE], length < _SHORTEST)
    return State(
        jnp.where(better[..., None], trial, state.pose_BS7),
        jnp.where(better, found[VALUE], state.overlap_BS),
        jnp.where(better, newton, _SHORTER * state.step_6BS),
        state.done_BS | done,
    )


def _moved(pose_BS7: jax.Array, step_6BS: jax.Array) -> jax.Array:
    step_BS6 = jnp.moveaxis(step_6BS, 0, -1)
    half = 0.5 * step_BS6[..., :3]
    # (1, ω/2) turns by 2 atan(|ω|/2): the angle |ω| to second order.
    turn = jnp.concatenate([jnp.ones_like(half[..., :1]), half], axis=-1)
    turn = turn / jnp.linalg.norm(turn, axis=-1, keepdims=True)
    translation = jnp.sum(rotation_matrix(turn) * pose_BS7[..., None, 4:], axis=-1) + step_BS6[..., 3:]
    quaternion = multiply(turn, pose_BS7[..., :4])
    quaternion = quaternion / jnp.linalg.norm(quaternion, axis=-1, keepdims=True)
    return jnp.concatenate([quaternion, translation], axis=-1)


def _newton_step(found: jax.Array, width_B: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Steps (6, B, S), and half of what they promise, (B, S)."""
    _, num_pairs, num_poses = found.shape
    found = found.reshape(len(found), -1)  # poses as one long axis
    gradient, hessian = found[GRADIENT], found[HESSIAN].reshape(6, 6, -1)
    scale = 1.0 / jnp.sqrt(jnp.maximum(found[SCALE], 1e-12))
    g, a = gradient * scale, -hessian * scale[:, None] * scale
    of_shift = _absolute_inverse(a[3:, 3:])
    mixed = _product(a[:3, 3:], of_shift)
    of_turn = _absolute_inverse(a[:3, :3] - _product(mixed, a[3:, :3]))
    turn = _apply(of_turn, g[:3] - _apply(mixed, g[3:]))
    shift = _apply(of_shift, g[3:]) - _apply(jnp.swapaxes(mixed, 0, 1), turn)
    step = jnp.concatenate([turn, shift]) * scale
    longest = jnp.repeat(_MAX_SHIFT * width_B, num_poses)
    length = jnp.sum(step[:3] ** 2, axis=0) / _MAX_TURN**2 + jnp.sum(step[3:] ** 2, axis=0) / longest**2
    step = step / jnp.sqrt(jnp.maximum(length, 1.0))
    gain = 0.5 * jnp.sum(step * gradient, axis=0)
    return step.reshape(6, num_pairs, num_poses), gain.reshape(num_pairs, num_poses)


def _absolute_inverse(a: jax.Array) -> jax.Array:
    """|A|⁻¹ of symmetric matrices (3, 3, ...), its eigenvalues at most 1 / `_LEAST_CURVATURE`.

    Eigenvalues by the cosines of Smith (1961); the function of the matrix by Newton's interpolation.
    """
    identity = jnp.eye(3).reshape(3, 3, *(1,) * (a.ndim - 2))
    mean = (a[0, 0] + a[1, 1] + a[2, 2]) / 3.0
    rest = a - mean * identity
    radius = jnp.sqrt(jnp.sum(rest * rest, axis=(0, 1)) / 6.0) + 1e-12
    cosine = 0.5 * jnp.sum(rest[0] * jnp.cross(rest[1], rest[2], axis=0), axis=0) / radius**3
    angle = jnp.arccos(jnp.clip(cosine, -1.0, 1.0)) / 3.0
    first = mean + 2.0 * radius * jnp.cos(angle)
    last = mean + 2.0 * radius * jnp.cos(angle + 2.0 * np.pi / 3.0)
    middle = 3.0 * mean - first - last
    f, g, h = (1.0 / jnp.maximum(jnp.abs(value), _LEAST_CURVATURE) for value in (first, middle, last))
    # Equal eigenvalues: the difference above is zero, too.
    fg = (f - g) / jnp.maximum(first - middle, 1e-6)
    gh = (g - h) / jnp.maximum(middle - last, 1e-6)
    fgh = (fg - gh) / jnp.maximum(first - last, 1e-6)
    by_first, by_middle = a - first * identity, a - middle * identity
    return f * identity + fg * by_first + fgh * _product(by_first, by_middle)


def _product(a: jax.Array, b: jax.Array) -> jax.Array:
    # Written out: XLA's reductions over axes this short are slow.
    return a[:, 0, None] * b[0] + a[:, 1, None] * b[1] + a[:, 2, None] * b[2]


def _apply(a: jax.Array, x: jax.Array) -> jax.Array:
    return a[:, 0] * x[0] + a[:, 1] * x[1] + a[:, 2] * x[2]
