"""Cyclic reduction against dense linear algebra."""

import numpy as np
import pytest
import torch

from foldpix.geometry import inverse_diagonal, solve_tridiagonal


def random_system(
    length: int, rng: np.random.Generator, n: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks of a positive definite matrix and the matrix itself."""
    factor = np.zeros((2, length, n, length, n))
    for i in range(length):
        factor[:, i, :, i] = rng.normal(size=(2, n, n)) + 5.0 * np.eye(n)
        if i:
            factor[:, i, :, i - 1] = rng.normal(size=(2, n, n))
    dense = factor.reshape(2, length * n, -1)
    dense = dense @ dense.swapaxes(-1, -2)
    blocks = dense.reshape(2, length, n, length, n)
    i = np.arange(length)
    diagonal = blocks[:, i, :, i].swapaxes(0, 1)
    upper = blocks[:, i[:-1], :, i[1:]].swapaxes(0, 1)
    return diagonal, upper, dense


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 13, 64, 100])
def test_agrees_with_the_dense_solution(length, rng):
    diagonal, upper, dense = random_system(length, rng)
    right = rng.normal(size=(2, length, 3))
    expected = np.linalg.solve(dense, right.reshape(2, -1, 1)).reshape(2, length, 3)
    assert solve_tridiagonal(diagonal, upper, right) == pytest.approx(expected, abs=1e-9)
    on_torch = solve_tridiagonal(*(torch.from_numpy(x) for x in (diagonal, upper, right)))
    assert on_torch.numpy() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 13, 64, 100])
def test_inverse_has_the_diagonal_of_the_dense_one(length, rng):
    diagonal, upper, dense = random_system(length, rng)
    inverse = np.linalg.inv(dense).reshape(2, length, 3, length, 3)
    i = np.arange(length)
    expected = inverse[:, i, :, i].swapaxes(0, 1)
    assert inverse_diagonal(diagonal, upper) == pytest.approx(expected, abs=1e-9)
