"""Kabsch against biotite and closed forms."""

import biotite.structure as struc
import numpy as np
import pytest
import torch

from foldpix.geometry import rmsd, superpose
from tests.conftest import random_rotation


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_biotite(seed):
    rng = np.random.default_rng(seed)
    target = rng.normal(0, 10, (40, 3))
    mobile = target @ random_rotation(rng).T + rng.normal(0, 5, 3) + rng.normal(0, 1, (40, 3))
    fitted, _ = struc.superimpose(target, mobile)
    assert superpose(mobile, target) == pytest.approx(fitted, abs=1e-4)  # biotite computes in float32
    assert rmsd(mobile, target) == pytest.approx(struc.rmsd(target, fitted), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_rigid_copy_has_no_deviation_and_a_mirror_image_has(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 10, (30, 3))
    assert rmsd(points @ random_rotation(rng).T + 7.0, points) < 1e-9
    assert rmsd(points * [1, 1, -1], points) > 1.0


def test_batches_and_torch(rng):
    mobile, target = rng.normal(size=(2, 4, 12, 3))
    singly = [rmsd(m, t) for m, t in zip(mobile, target, strict=True)]
    assert rmsd(mobile, target) == pytest.approx(singly)
    assert rmsd(torch.from_numpy(mobile), torch.from_numpy(target)).numpy() == pytest.approx(singly)
