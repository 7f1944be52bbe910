"""Images of a ragged batch, beside those of its chains one by one."""

import numpy as np
import pytest
import torch

from foldpix.batch import AtomicData, Batch, LevelSchema
from foldpix.generation import sample_backbones
from foldpix.image import encode
from foldpix.image.batches import encode_batch
from foldpix.structure import Backbone

LENGTHS = (50, 41, 50, 64, 41, 50, 1)
ROUNDING = 1e-9


@pytest.fixture(scope="module")
def backbones():
    whole = sample_backbones(len(LENGTHS), 64, 64, seed=1)
    return [Backbone(b.coords[:n], b.sequence[:n]) for b, n in zip(whole, LENGTHS, strict=True)]


def batch_of(backbones):
    """In float64, where rounding is small beside what a wrong residue does."""
    return Batch.from_backbones(backbones, cutoff=0.0).to("cpu", torch.float64)


def assert_those_of(images, backbones, d_max=80.0):
    for image, backbone in zip(images, backbones, strict=True):
        alone = encode(backbone.coords.astype(np.float64), d_max)
        assert image.shape == alone.shape
        assert np.abs(image.numpy() - alone).max() < ROUNDING


@pytest.mark.parametrize("d_max", [80.0, 20.0])
def test_images_are_those_of_the_chains_in_their_order(backbones, d_max):
    assert_those_of(encode_batch(batch_of(backbones), d_max), backbones, d_max)


def test_chains_of_five_atoms(backbones):
    """Rows of O and CB stand behind N, CA and C."""
    schema = LevelSchema().with_level("residue").with_field("coords", "residue", torch.float32, (5, 3))
    full = [torch.cat([torch.from_numpy(b.coords), torch.randn(len(b), 2, 3)], 1) for b in backbones]
    batch = Batch.from_data_list([AtomicData(schema=schema, coords=coords) for coords in full])
    for image, expected in zip(
        encode_batch(batch), encode_batch(Batch.from_backbones(backbones)), strict=True
    ):
        assert torch.equal(image, expected)


@pytest.mark.parametrize("limit", [100, 64 * 10, 2 * 50 * 50])
def test_little_is_worked_on_at_once(backbones, monkeypatch, limit):
    made = []

    def recording(*arguments):
        made.append(encode(*arguments))
        return made[-1]

    monkeypatch.setattr("foldpix.image.batches._MAX_PIXELS", limit)
    monkeypatch.setattr("foldpix.image.batches.encode", recording)
    assert_those_of(encode_batch(batch_of(backbones)), backbones)
    assert max(images.numel() for images in made) <= 3 * limit
    assert len(made) > len(set(LENGTHS))


def test_gradients_are_those_of_the_chains(backbones):
    batch = batch_of(backbones[:3])
    batch.coords.requires_grad_()
    weights = [torch.randn(3, n, n, dtype=torch.float64) for n in LENGTHS[:3]]
    images = encode_batch(batch)
    sum((weight * image).sum() for weight, image in zip(weights, images, strict=True)).backward()
    found = batch.coords.grad.split(batch.num_nodes_list)
    for grad, data, weight in zip(found, batch.to_data_list(), weights, strict=True):
        alone = data.coords.detach().clone().requires_grad_()
        (weight * encode(alone)).sum().backward()
        assert grad.any() and torch.allclose(grad, alone.grad, rtol=1e-6, atol=1e-9)


def test_what_has_no_image(backbones):
    with pytest.raises(ValueError, match="no coords"):
        encode_batch(Batch(device="cpu"))
    with pytest.raises(ValueError, match="several chains"):
        encode_batch(Batch.from_backbones([backbones[0], backbones[1:3]]))
    with pytest.raises(ValueError, match="d_max must be positive"):
        encode_batch(Batch.from_backbones(backbones), d_max=0.0)
    none = Batch.from_fields(
        {"coords": torch.zeros(2, 3, 3)}, {"node": [2, 0]}, LevelSchema().with_field("coords", "node")
    )
    with pytest.raises(ValueError, match="no residues"):
        encode_batch(none)
