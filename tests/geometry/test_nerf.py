"""Chains built from torsions, measured by biotite."""

import biotite.structure as struc
import numpy as np
import pytest
import torch

from foldpix.geometry import build_backbone


@pytest.fixture
def torsions(rng) -> np.ndarray:
    angles = rng.uniform(-np.pi, np.pi, (2, 30, 3))
    angles[..., 2] = np.pi
    return angles


def test_torsions_bonds_and_angles_are_the_requested_ones(torsions):
    for angles, coords in zip(torsions, build_backbone(torsions), strict=True):
        n, ca, c = coords[:, 0], coords[:, 1], coords[:, 2]
        phi = struc.dihedral(c[:-1], n[1:], ca[1:], c[1:])
        psi = struc.dihedral(n[:-1], ca[:-1], c[:-1], n[1:])
        omega = struc.dihedral(ca[:-1], c[:-1], n[1:], ca[1:])
        for measured, asked in ((phi, angles[1:, 0]), (psi, angles[:-1, 1]), (omega, angles[:-1, 2])):
            assert (
                np.abs(np.exp(1j * measured) - np.exp(1j * asked)).max() < 2e-5
            )  # biotite computes in float32
        assert np.linalg.norm(ca - n, axis=1) == pytest.approx(1.459, abs=1e-5)
        assert np.linalg.norm(c - ca, axis=1) == pytest.approx(1.525, abs=1e-5)
        assert np.linalg.norm(n[1:] - c[:-1], axis=1) == pytest.approx(1.331, abs=1e-5)
        assert np.degrees(struc.angle(n, ca, c)) == pytest.approx(111.0, abs=1e-3)
        assert np.degrees(struc.angle(ca[:-1], c[:-1], n[1:])) == pytest.approx(117.0, abs=1e-3)
        assert np.degrees(struc.angle(c[:-1], n[1:], ca[1:])) == pytest.approx(121.6, abs=1e-3)
        # Trans peptides put neighbouring CA atoms 3.8 angstrom apart.
        assert np.linalg.norm(ca[1:] - ca[:-1], axis=1) == pytest.approx(3.80, abs=0.03)


def test_torch_gives_the_same_and_carries_gradients(torsions):
    angles = torch.from_numpy(torsions).requires_grad_()
    coords = build_backbone(angles)
    assert coords.detach().numpy() == pytest.approx(build_backbone(torsions), abs=1e-9)
    coords.square().sum().backward()
    assert angles.grad.isfinite().all()
    assert angles.grad.abs().sum() > 0
