"""Padding, its inverse, and values of whole graphs, beside loops over graphs."""

import pytest
import torch

from tests.batch.oracle import batch_of, graph


@pytest.fixture(params=range(3))
def graphs(request):
    return [graph(10 * request.param + number) for number in range(5)]


def test_to_dense_and_back(graphs, device):
    batch = batch_of(graphs).to(device)
    for key, level in (("positions", "node"), ("half", "node"), ("code", "residue"), ("energies", "system")):
        dense, mask = batch.to_dense(key, pad=7)
        longest = max(len(fields[key]) for fields in graphs)
        assert dense.shape == (5, longest, *graphs[0][key].shape[1:])
        for number, fields in enumerate(graphs):
            many = len(fields[key])
            assert torch.equal(dense[number, :many].cpu(), fields[key])
            assert (dense[number, many:] == 7).all()
            assert mask[number].tolist() == [True] * many + [False] * (longest - many)
        assert torch.equal(batch.from_dense(dense, level), batch[key])
        assert torch.equal(dense[mask], batch[key])


def test_from_dense_wants_the_shape_of_the_batch(graphs):
    batch = batch_of(graphs)
    with pytest.raises(ValueError, match=r"needs \(5, \d+\) in front"):
        batch.from_dense(torch.zeros(5, 99))


@pytest.mark.parametrize("how", ["sum", "mean", "max", "min"])
def test_reduce(how, device):
    graphs = [graph(seed, (seed + 1, 4, 2, 1)) for seed in range(4)]
    batch = batch_of(graphs).to(device)
    loop = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin}[how]
    expected = torch.stack([loop(fields["positions"], 0) for fields in graphs])
    assert torch.allclose(batch.reduce("positions", how).cpu(), expected, atol=1e-6)
    if how in ("sum", "max"):
        wanted = torch.stack([loop(fields["code"], 0) for fields in graphs])
        assert torch.equal(batch.reduce("code", how).cpu(), wanted.to(torch.int8))


def test_reduce_of_no_rows():
    batch = batch_of([graph(0, (2, 0, 1, 0)), graph(1, (0, 0, 0, 0))])
    assert not batch.reduce("positions")[1].any()
    assert batch.reduce("positions", "mean")[1].isnan().all()
    with pytest.raises(ValueError, match="max of positions over a graph without rows"):
        batch.reduce("positions", "max")
    with pytest.raises(ValueError, match="how='median'"):
        batch.reduce("positions", "median")


def test_gradients_flow():
    batch = batch_of([graph(seed, (3, 0, 1, 0)) for seed in range(2)])
    batch.positions = batch.positions.requires_grad_()
    dense, _ = batch.to_dense("positions")
    (batch.from_dense(dense * 2).sum() + batch.reduce("positions", "mean").sum()).backward()
    assert torch.allclose(batch.positions.grad, torch.full((6, 3), 2 + 1 / 3))
