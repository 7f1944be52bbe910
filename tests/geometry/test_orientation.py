"""The 6D maps against biotite's dihedrals and angles, pair by pair."""

import biotite.structure as struc
import numpy as np
import pytest
import torch

from foldpix.generation import sample_backbones
from foldpix.geometry import orientation_maps, residue_frames, virtual_cb
from tests.conftest import random_rotation, run_jax


@pytest.fixture(scope="module")
def coords() -> np.ndarray:
    return next(sample_backbones(1, 50, 50, seed=3)).coords.astype(np.float64)


def test_every_pair_agrees_with_biotite(coords):
    d, omega, theta, phi = orientation_maps(coords)
    n, ca, cb = coords[:, 0], coords[:, 1], virtual_cb(coords)
    i, j = np.where(~np.eye(len(coords), dtype=bool))
    assert d[i, j] == pytest.approx(struc.distance(cb[i], cb[j]), abs=1e-5)  # biotite: float32
    for ours, theirs in (
        (omega[i, j], struc.dihedral(ca[i], cb[i], cb[j], ca[j])),
        (theta[i, j], struc.dihedral(n[i], ca[i], cb[i], cb[j])),
        (phi[i, j], struc.angle(ca[i], cb[i], cb[j])),
    ):
        turn = np.angle(np.exp(1j * (ours - theirs)))
        assert np.abs(turn).max() < 1e-4


def test_symmetry_and_diagonal(coords):
    d, omega, theta, phi = orientation_maps(coords)
    assert np.allclose(d, d.T)
    assert np.allclose(omega, omega.T)
    assert not np.allclose(theta, theta.T)
    for plane in (d, omega, theta, phi):
        assert (np.diag(plane) == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_rigid_motion_changes_nothing(coords, seed):
    rng = np.random.default_rng(seed)
    moved = coords @ random_rotation(rng).T + rng.normal(0, 100, 3)
    for before, after in zip(orientation_maps(coords), orientation_maps(moved), strict=True):
        assert np.abs(np.exp(1j * before) - np.exp(1j * after)).max() < 1e-9


def test_mirror_image_flips_the_dihedrals_and_keeps_the_rest(coords):
    # Reflection swaps the hand of the virtual CB too, so reflect whole frames: omega and theta turn round.
    mirrored = coords * [1, 1, -1]
    cb, axes = residue_frames(coords)
    cb_mirrored, _ = residue_frames(mirrored)
    assert not np.allclose(cb * [1, 1, -1], cb_mirrored)
    _, _, theta, _ = orientation_maps(coords)
    local = np.einsum("iab,ijb->ija", axes, cb[None] - cb[:, None])
    off = ~np.eye(len(coords), dtype=bool)
    assert np.allclose(np.arctan2(local[..., 1], local[..., 0])[off], theta[off])


def test_float32_far_from_the_origin_stays_precise(coords):
    near = orientation_maps(coords)
    far = orientation_maps((coords + 500.0).astype(np.float32))
    # Coordinates themselves round to 6e-5 at 500 angstrom.
    assert np.abs(near[0] - far[0]).max() < 1e-3


def test_libraries_agree(coords):
    single = coords.astype(np.float32)
    numpy_maps = orientation_maps(single)
    torch_maps = orientation_maps(torch.from_numpy(single))
    jax_maps = run_jax("jax.jit(foldpix.geometry.orientation_maps)(x)", single)
    for ours, theirs, compiled in zip(numpy_maps, torch_maps, jax_maps, strict=True):
        for other in (theirs.numpy(), compiled):
            assert np.abs(np.exp(1j * ours) - np.exp(1j * other)).max() < 2e-4


def test_batches_equal_single_chains(coords):
    batch = np.stack([coords, coords[::-1]])
    for whole, first in zip(orientation_maps(batch), orientation_maps(coords), strict=True):
        assert np.allclose(whole[0], first)


def test_gradient_agrees_with_finite_differences(coords):
    def total(x):
        return sum((torch.cos(m)).sum() for m in orientation_maps(x))

    x = torch.from_numpy(coords[:8]).requires_grad_()
    assert torch.autograd.gradcheck(total, (x,), eps=1e-6, atol=1e-4)
