"""Symmetric positive definite block tridiagonal matrices, by cyclic reduction (Heller 1976).

All odd unknowns are eliminated at once, which leaves a matrix of the same kind and half the length, so a
chain of L blocks takes log2(L) steps of batched work. A matrix is given by its blocks on the diagonal,
(..., L, n, n), and by those of row i and column i + 1, (..., L - 1, n, n).
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device


class _Reduced(NamedTuple):
    """The system of the even unknowns, and the odd ones as ``alone - to_others [x_left, x_right]``."""

    diagonal: Any
    upper: Any
    right: Any
    alone: Any
    to_others: Any


def solve_tridiagonal(diagonal: Any, upper: Any, right: Any) -> Any:
    """Solution x (..., L, n) for the right-hand side ``right`` (..., L, n)."""
    return _solve(diagonal, upper, right[..., None])[..., 0]


def inverse_diagonal(diagonal: Any, upper: Any) -> Any:
    """Blocks on the diagonal of the inverse, (..., L, n, n)."""
    return _invert(diagonal, upper)[0]


def _solve(diagonal: Any, upper: Any, right: Any) -> Any:
    xp, length = array_namespace(diagonal), diagonal.shape[-3]
    if length == 1:
        return xp.linalg.solve(diagonal, right)
    if length % 2:
        return _solve(_append(diagonal, 1.0), _append(upper, 0.0), _append(right, 0.0))[..., :-1, :, :]
    reduced = _eliminate(diagonal, upper, right)
    even = _solve(reduced.diagonal, reduced.upper, reduced.right)
    others = xp.concat([even, _append(even[..., 1:, :, :], 0.0)], axis=-2)
    return _interleave(even, reduced.alone - reduced.to_others @ others)


def _invert(diagonal: Any, upper: Any) -> tuple[Any, Any]:
    """Blocks of the inverse on the diagonal and at row i, column i + 1."""
    xp, length, n = array_namespace(diagonal), diagonal.shape[-3], diagonal.shape[-1]
    if length == 1:
        return xp.linalg.inv(diagonal), upper
    if length % 2:
        inverse, above = _invert(_append(diagonal, 1.0), _append(upper, 0.0))
        return inverse[..., :-1, :, :], above[..., :-1, :, :]
    identity = xp.eye(n, dtype=diagonal.dtype, device=device(diagonal))
    reduced = _eliminate(diagonal, upper, xp.zeros_like(diagonal) + identity)
    left, between = _invert(reduced.diagonal, reduced.upper)
    right, between = _append(left[..., 1:, :, :], 0.0), _append(between, 0.0)
    # Of the two even neighbours of an odd unknown with each other, and then of it with them.
    others = xp.concat(
        [
            xp.concat([left, between], axis=-1),
            xp.concat([xp.matrix_transpose(between), right], axis=-1),
        ],
        axis=-2,
    )
    with_others = -reduced.to_others @ others
    odd = reduced.alone - with_others @ xp.matrix_transpose(reduced.to_others)
    above = _interleave(xp.matrix_transpose(with_others[..., :n]), with_others[..., n:])
    return _interleave(left, odd), above[..., :-1, :, :]


def _eliminate(diagonal: Any, upper: Any, right: Any) -> _Reduced:
    xp, n = array_namespace(diagonal), diagonal.shape[-1]
    rightward, backward = upper[..., 0::2, :, :], _append(upper[..., 1::2, :, :], 0.0)
    leftward = xp.matrix_transpose(backward)
    coupling = xp.concat([xp.matrix_transpose(rightward), backward, right[..., 1::2, :, :]], axis=-1)
    solved = (
        xp.linalg.inv(diagonal[..., 1::2, :, :]) @ coupling
    )  # twice as fast as to solve for 2 n + 1 sides
    # Even unknowns lose what both their odd neighbours take over.
    after, before = rightward @ solved, _delay(leftward @ solved)
    return _Reduced(
        diagonal[..., 0::2, :, :] - after[..., :n] - before[..., n : 2 * n],
        -after[..., :-1, :, n : 2 * n],
        right[..., 0::2, :, :] - after[..., 2 * n :] - before[..., 2 * n :],
        solved[..., 2 * n :],
        solved[..., : 2 * n],
    )


def _append(blocks: Any, value: float) -> Any:
    """One more block, ``value`` times the identity; those that are not square get zeros only."""
    xp, (rows, columns) = array_namespace(blocks), blocks.shape[-2:]
    last = value * xp.eye(rows, columns, dtype=blocks.dtype, device=device(blocks))
    return xp.concat([blocks, xp.broadcast_to(last, (*blocks.shape[:-3], 1, rows, columns))], axis=-3)


def _delay(blocks: Any) -> Any:
    """Each block moved one place on; the first becomes zero, the last is dropped."""
    xp = array_namespace(blocks)
    return xp.concat([xp.zeros_like(blocks[..., :1, :, :]), blocks[..., :-1, :, :]], axis=-3)


def _interleave(even: Any, odd: Any) -> Any:
    shape = (*even.shape[:-3], 2 * even.shape[-3], *even.shape[-2:])
    return array_namespace(even).reshape(array_namespace(even).stack([even, odd], axis=-3), shape)
