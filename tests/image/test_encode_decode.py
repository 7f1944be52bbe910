"""Backbone to image and back."""

import numpy as np
import pytest
import torch

from foldpix.generation import sample_backbones
from foldpix.geometry import orientation_maps, rmsd
from foldpix.image import decode, encode, from_pixels, to_pixels
from foldpix.structure import read_structure
from tests.conftest import random_rotation, run_jax


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    return float(rmsd(np.reshape(a, (-1, 3)).astype(float), np.reshape(b, (-1, 3)).astype(float)))


@pytest.fixture(scope="module")
def coords() -> np.ndarray:
    return next(sample_backbones(1, 60, 60, seed=1)).coords


def test_channels_hold_what_the_format_says(coords):
    image = encode(coords, d_max=40.0)
    d, omega, theta, phi = orientation_maps(coords)
    below, above = np.tril_indices(60, -1), np.triu_indices(60, 1)
    assert image[0][below] == pytest.approx(2 * np.minimum(d[below], 40.0) / 40.0 - 1)
    assert image[0][above] == pytest.approx(omega[above] / np.pi)
    off = ~np.eye(60, dtype=bool)
    assert image[1][off] == pytest.approx(theta[off] / np.pi)
    assert image[2][off] == pytest.approx(2 * phi[off] / np.pi - 1)
    assert (np.diagonal(image, axis1=1, axis2=2) == [[-1.0], [0.0], [0.0]]).all()
    assert image.dtype == np.float32
    assert np.abs(image).max() <= 1


@pytest.mark.parametrize("seed", range(8))
def test_ideal_backbones_come_back_exactly_with_their_hand(seed):
    backbone = next(sample_backbones(1, 40, 64, seed=seed)).coords.astype(np.float64)
    decoded = decode(encode(backbone)).coords
    assert deviation(decoded, backbone) < 1e-3  # NeRF residues are ideal ones
    assert deviation(decoded, backbone * [1, 1, -1]) > 1


@pytest.mark.parametrize("seed", range(4))
def test_mirrored_coordinates_come_back_mirrored(seed, coords):
    mirrored = coords * np.float32([1, 1, -1])
    decoded = decode(encode(mirrored)).coords
    assert deviation(decoded[:, 1], mirrored[:, 1]) < deviation(decoded[:, 1], coords[:, 1])


def test_rigid_motion_changes_nothing(coords, rng):
    moved = coords @ random_rotation(rng).T + 30.0
    assert np.abs(np.exp(1j * np.pi * encode(coords)) - np.exp(1j * np.pi * encode(moved))).max() < 1e-3


def test_libraries_agree(coords):
    image = encode(coords)
    reference = decode(image).coords
    assert deviation(decode(torch.from_numpy(image)).coords.numpy(), reference) < 1e-3
    assert deviation(run_jax("jax.jit(foldpix.image.decode)(x)", image), reference) < 1e-3
    assert deviation(decode(image.astype(np.float64)).coords, reference) < 1e-2


def test_batches_equal_single_images(coords):
    other = coords[::-1].copy()
    batch = decode(encode(np.stack([coords, other])[None])).coords
    assert batch.shape == (1, 2, 60, 3, 3)
    assert deviation(batch[0, 1], decode(encode(other)).coords) < 1e-3


def test_eight_bits_cost_little_on_real_chains(real_structures):
    paths = sorted((real_structures / "chains").glob("*.pdb.gz"))[::150]
    deviations, right = [], []
    for path in paths:
        truth = read_structure(path)[0].coords
        image = encode(truth)
        if np.tril(image[0]).max() >= 1.0:
            continue  # beyond d_max the closed form is another matter
        decoded = decode(from_pixels(to_pixels(image))).coords
        deviations.append(deviation(decoded, truth))
        right.append(deviations[-1] < deviation(decoded, truth * [1, 1, -1]))
    assert len(deviations) > 15
    assert np.mean(deviations) < 0.12
    assert all(right)


@pytest.mark.parametrize("shape", [(3,), (60, 3), (60, 4, 3), (60, 3, 2)])
def test_wrong_coordinates_are_told(shape):
    with pytest.raises(ValueError, match=r"coords must have shape \(..., L, 3, 3\)"):
        encode(np.zeros(shape))


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 10, 9), (1, 10, 10), (10, 10)])
def test_wrong_images_are_told(shape):
    with pytest.raises(ValueError, match="image must have shape"):
        decode(np.zeros(shape))


@pytest.mark.parametrize("d_max", [0.0, -1.0, float("nan")])
def test_d_max_must_be_positive(coords, d_max):
    with pytest.raises(ValueError, match="d_max must be positive"):
        encode(coords, d_max)
    with pytest.raises(ValueError, match="d_max must be positive"):
        decode(np.zeros((3, 8, 8)), d_max)
