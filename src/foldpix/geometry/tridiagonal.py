"""Symmetric positive definite block tridiagonal matrices, by cyclic reduction (Heller 1976).

All odd unknowns are eliminated at once, which leaves a matrix of the same kind and half the length, so a
chain of L blocks takes log2(L) steps of batched work. A matrix is given by its blocks on the diagonal,
(..., L, n, n), and by those of row i and column i + 1, (..., L - 1, n, n).
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device


class _Reduced(NamedTuple):
    """The matrix of the even unknowns; each odd one is ``alone - to_left x_left - to_right x_right``."""

    diagonal: Any
    upper: Any
    alone: Any
    to_left: Any
    to_right: Any


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
    reduced = _eliminate(diagonal, upper, right[..., 1::2, :, :])
    from_left = upper[..., 0::2, :, :] @ reduced.alone
    from_right = _delay(_leftward(upper) @ reduced.alone)
    even = _solve(reduced.diagonal, reduced.upper, right[..., 0::2, :, :] - from_left - from_right)
    odd = reduced.alone - reduced.to_left @ even - reduced.to_right @ _append(even[..., 1:, :, :], 0.0)
    return _interleave(even, odd)


def _invert(diagonal: Any, upper: Any) -> tuple[Any, Any]:
    """Blocks of the inverse on the diagonal and at row i, column i + 1."""
    xp, length, n = array_namespace(diagonal), diagonal.shape[-3], diagonal.shape[-1]
    if length == 1:
        return xp.linalg.inv(diagonal), upper
    if length % 2:
        inverse, above = _invert(_append(diagonal, 1.0), _append(upper, 0.0))
        return inverse[..., :-1, :, :], above[..., :-1, :, :]
    identity = xp.eye(n, dtype=diagonal.dtype, device=device(diagonal))
    reduced = _eliminate(diagonal, upper, xp.zeros_like(diagonal[..., 1::2, :, :]) + identity)
    left, between = _invert(reduced.diagonal, reduced.upper)
    right, between = _append(left[..., 1:, :, :], 0.0), _append(between, 0.0)
    with_left = -reduced.to_left @ left - reduced.to_right @ xp.matrix_transpose(between)
    with_right = -reduced.to_left @ between - reduced.to_right @ right
    to_left, to_right = (xp.matrix_transpose(x) for x in (reduced.to_left, reduced.to_right))
    odd = reduced.alone - with_left @ to_left - with_right @ to_right
    above = _interleave(xp.matrix_transpose(with_left), with_right)[..., :-1, :, :]
    return _interleave(left, odd), above


def _eliminate(diagonal: Any, upper: Any, right: Any) -> _Reduced:
    xp, n = array_namespace(diagonal), diagonal.shape[-1]
    rightward, leftward = upper[..., 0::2, :, :], _leftward(upper)
    coupling = xp.concat([xp.matrix_transpose(rightward), xp.matrix_transpose(leftward), right], axis=-1)
    solved = xp.linalg.solve(diagonal[..., 1::2, :, :], coupling)
    to_left, to_right, alone = solved[..., :n], solved[..., n : 2 * n], solved[..., 2 * n :]
    remaining = diagonal[..., 0::2, :, :] - rightward @ to_left - _delay(leftward @ to_right)
    return _Reduced(remaining, -(rightward @ to_right)[..., :-1, :, :], alone, to_left, to_right)


def _leftward(upper: Any) -> Any:
    """Blocks of an even row and the odd column before it, by the odd; the last has no even one after it."""
    return _append(array_namespace(upper).matrix_transpose(upper[..., 1::2, :, :]), 0.0)


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
