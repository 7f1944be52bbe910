"""The channel spaces invert themselves on true images."""

import numpy as np
import pytest
import torch

from foldpix.generation import sample_backbones
from foldpix.geometry import orientation_maps
from foldpix.image import encode
from foldpix.model.space import LiftedSpace, PlainSpace


@pytest.fixture
def coords() -> np.ndarray:
    return np.stack([next(sample_backbones(1, 40, 40, seed=s)).coords for s in range(2)])


@pytest.mark.parametrize("space", [LiftedSpace(), PlainSpace()])
def test_lower_inverts_lift(coords, space):
    image = torch.from_numpy(encode(coords))
    channels = space.lift(image)
    assert channels.shape[1] == len(space.names) == len(space.weights)
    assert torch.allclose(space.lower(channels), image, atol=2e-4)


def test_lifted_channels_are_what_their_names_say(coords):
    coords = coords.astype(np.float64)  # float32 leaves 1.2e-5 in omega of a close pair
    d, omega, theta, phi = orientation_maps(coords)
    channels = dict(
        zip(LiftedSpace.names, LiftedSpace().lift(torch.from_numpy(encode(coords))).unbind(1), strict=True)
    )
    off = ~np.eye(40, dtype=bool)[None].repeat(2, axis=0)
    expected = {
        "d": 2 * d / 80 - 1,
        "sin_omega": np.sin(omega),
        "cos_omega": np.cos(omega),
        "sin_theta": np.sin(theta),
        "cos_theta": np.cos(theta),
        "cos_phi": np.cos(phi),
    }
    for name, values in expected.items():
        assert channels[name].numpy()[off] == pytest.approx(values[off], abs=1e-5), name


@pytest.mark.parametrize("space", [LiftedSpace(), PlainSpace()])
def test_any_output_lowers_to_an_image(space):
    channels = 3 * torch.randn(2, len(space.names), 8, 8, generator=torch.manual_seed(0))
    image = space.lower(channels)
    assert image.isfinite().all()
    assert image.abs().max() <= 1.0


def test_both_spaces_know_the_distance(coords):
    image = torch.from_numpy(encode(coords))
    expected = 2 * orientation_maps(coords)[0] / 80 - 1
    for space in (LiftedSpace(), PlainSpace()):
        assert space.distance(space.lift(image)).numpy() == pytest.approx(expected, abs=1e-5)
