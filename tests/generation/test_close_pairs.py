import numpy as np
import pytest

from foldpix.generation.close_pairs import close_pairs


def brute_force(coords, radius):
    found = {}
    for member, points in enumerate(coords.astype(np.float64)):
        distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
        for i, j in np.argwhere(np.triu(distance < radius, k=1)).tolist():
            found[member, i, j] = distance[i, j]
    return found


@pytest.mark.parametrize("radius", [0.7, 2.2])
@pytest.mark.parametrize("size", [1.0, 8.0, 300.0])
@pytest.mark.parametrize("seed", range(3))
def test_brute_force(seed, size, radius):
    rng = np.random.default_rng(seed)
    coords = rng.uniform(-size, size, (4, 40, 3)) * rng.uniform(0.1, 1, (4, 1, 3))
    coords[:, 20:25] = coords[:, :5] + rng.normal(size=(4, 5, 3))
    coords = coords.astype(np.float32) + 1000 * rng.standard_normal((4, 1, 3))
    *pairs, distance = close_pairs(coords, radius)
    expected = brute_force(coords, radius)
    triples = list(zip(*(numbers.tolist() for numbers in pairs), strict=True))
    assert len(set(triples)) == len(triples)
    assert dict(zip(triples, distance, strict=True)) == pytest.approx(expected)


def test_on_the_edges_of_cells_and_alone():
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(1, -1, 3)
    member, *_ = close_pairs(grid, 1.0 + 1e-9)
    assert len(member) == 3 * 4 * 4 * 3
    assert all(len(column) == 0 for column in close_pairs(grid[:, :1], 1.0))
