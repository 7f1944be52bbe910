"""The differentiable walk: gradients against differences, atoms against the compiled walk."""

import numpy as np
import pytest
import torch

from foldpix.generation.differentiable import build_atoms
from foldpix.generation.walk import walk
from foldpix.geometry import superpose
from tests.conftest import run_jax


@pytest.fixture
def torsions(rng):
    return rng.uniform(-np.pi, np.pi, (3, 17, 3))


def test_gradients_are_those_of_finite_differences(torsions):
    is_d = torch.arange(6) == 2
    angles = torch.tensor(torsions[:1, :6], requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: build_atoms(t, is_d), (angles,))


def test_atoms_are_those_of_the_compiled_walk(torsions, rng):
    is_d = rng.random(17) < 0.3
    walked = np.empty((3, 17, 5, 3))
    walk(torsions, is_d, walked)
    built = build_atoms(torch.from_numpy(torsions), torch.from_numpy(is_d)).numpy()
    moved = superpose(built.reshape(3, -1, 3), walked.reshape(3, -1, 3))
    assert moved == pytest.approx(walked.reshape(3, -1, 3), abs=1e-9)


def test_whole_numbers_are_no_angles():
    with pytest.raises(ValueError, match="torsions are int64; give radian in float32 or float64"):
        build_atoms(np.zeros((4, 3), dtype=np.int64))


@pytest.mark.slow
def test_jax_builds_the_same(torsions):
    found = run_jax(
        "build_atoms(x)",
        torsions.astype(np.float32),
        "from foldpix.generation.differentiable import build_atoms",
    )
    assert found == pytest.approx(build_atoms(torsions), abs=1e-3)


def test_a_torsion_can_be_learnt_from_a_distance():
    """Gradient descent on psi alone brings the ends of a chain to a distance that was asked for."""
    torsions = torch.tensor([[-1.0, 0.8, np.pi]] * 8).repeat(2, 1, 1)
    psi = torsions[..., 1].clone().requires_grad_()
    optimizer = torch.optim.Adam([psi], lr=0.05)
    for _ in range(150):
        atoms = build_atoms(torch.stack([torsions[..., 0], psi, torsions[..., 2]], dim=-1))
        distance = (atoms[:, -1, 1] - atoms[:, 0, 1]).norm(dim=-1)
        loss = (distance - torch.tensor([12.0, 18.0])).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert distance.detach().numpy() == pytest.approx([12.0, 18.0], abs=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_builds_the_same(torsions):
    found = build_atoms(torch.from_numpy(torsions).cuda())
    assert found.is_cuda
    assert found.cpu().numpy() == pytest.approx(build_atoms(torsions), abs=1e-9)
