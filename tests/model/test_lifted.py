import numpy as np
import pytest
import torch

from foldpix.generation import sample_backbones
from foldpix.image import encode
from foldpix.model.lifted import lifted_picture, without_diagonal
from foldpix.model.space import LiftedSpace
from tests.conftest import random_rotation


@pytest.fixture
def coords():
    return torch.from_numpy(np.stack([b.coords for b in sample_backbones(3, 45, 45, seed=2)]))


def test_it_is_the_lifted_image(coords):
    expected = without_diagonal(LiftedSpace().lift(encode(coords)))
    error = (lifted_picture(coords) - expected).abs()
    # Where a CB lies next to the axis of another residue, its azimuth is damped.
    assert error.amax(dim=(0, 2, 3))[0] < 1e-4
    assert error.flatten().quantile(0.999) < 1e-2 and error.mean() < 1e-4


def test_distances_go_on_beyond_d_max(coords):
    near, far = lifted_picture(coords, 80.0), lifted_picture(coords, 8.0)
    assert far[:, 0].max() > 1.5
    assert torch.allclose(near[:, 1:], far[:, 1:])


def test_rigid_motions_change_nothing_and_mirrors_do(coords, rng):
    rotation = torch.from_numpy(random_rotation(rng)).float()
    moved = coords @ rotation.T + torch.tensor([30.0, -20.0, 5.0])
    assert torch.allclose(lifted_picture(moved), lifted_picture(coords), atol=2e-3)
    mirrored = lifted_picture(coords * torch.tensor([-1.0, 1.0, 1.0]))
    assert (mirrored - lifted_picture(coords))[:, 3].abs().mean() > 0.1


def test_gradients_are_those_of_finite_differences(coords):
    weight = torch.randn(1, 6, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    inputs = coords[:1, :12].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: (lifted_picture(x) * weight).sum(), inputs, atol=1e-4)


@pytest.mark.parametrize("kind", ["collapsed", "straight", "coincident residues"])
def test_gradients_stay_finite_where_no_frame_is(coords, kind):
    inputs = coords[:1, :10].clone()
    if kind == "collapsed":
        inputs = torch.zeros_like(inputs)
    elif kind == "straight":
        inputs = torch.arange(30.0).reshape(1, 10, 3, 1) * torch.tensor([1.0, 2.0, 0.5])
    else:
        inputs[:, 1] = inputs[:, 0]
    inputs.requires_grad_()
    lifted_picture(inputs).square().sum().backward()
    assert inputs.grad.isfinite().all()
