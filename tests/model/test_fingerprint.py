"""Fingerprints of weights."""

import copy

import pytest
import torch
from torch import nn

from foldpix.model.fingerprint import weights_fingerprint
from foldpix.model.hvqvae import HVQVAE
from tests.training.tiny import tiny_model


@pytest.fixture
def model():
    torch.manual_seed(0)
    return HVQVAE(tiny_model())


def test_equal_weights_have_one_fingerprint(model):
    found = weights_fingerprint(model)
    assert len(found) == 64 and int(found, 16) >= 0
    assert weights_fingerprint(copy.deepcopy(model).train()) == found
    other = HVQVAE(tiny_model())
    assert weights_fingerprint(other) != found
    other.load_state_dict(model.state_dict())
    assert weights_fingerprint(other) == found


@pytest.mark.parametrize(
    "name", ["quantizers.0.codebook", "quantizers.1.project.weight", "quantizers.1.started"]
)
def test_any_value_counts(model, name):
    before, tensor = weights_fingerprint(model), model.state_dict()[name]
    tensor.view(-1)[0] = 1 if tensor.dtype == torch.bool else 7
    assert weights_fingerprint(model) != before


def test_types_and_shapes_count():
    layers = [
        nn.Linear(2, 3, bias=False),
        nn.Linear(3, 2, bias=False),
        nn.Linear(2, 3, bias=False).bfloat16(),
    ]
    for layer in layers:
        nn.init.zeros_(layer.weight)
    assert len({weights_fingerprint(layer) for layer in layers}) == 3
