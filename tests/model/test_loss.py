"""Losses against NumPy on the unpadded part."""

import numpy as np
import pytest
import torch

from foldpix.model.loss import channel_errors, gram_error

LENGTHS = (5, 8)


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.manual_seed(0)
    predicted, target = torch.rand(2, 2, 3, 8, 8, generator=generator) * 2 - 1
    mask = torch.arange(8) < torch.tensor(LENGTHS)[:, None]
    return predicted, target, mask


def test_channel_errors_are_means_over_residue_pairs(pair):
    predicted, target, mask = pair
    errors = channel_errors(predicted, target, mask[:, :, None] & mask[:, None, :])
    for channel in range(3):
        total = sum(
            float(((predicted - target) ** 2)[b, channel, :n, :n].sum()) for b, n in enumerate(LENGTHS)
        )
        assert float(errors[channel]) == pytest.approx(total / sum(n * n for n in LENGTHS), rel=1e-5)


def test_gram_error_is_that_of_the_centred_matrices(pair):
    predicted, target, mask = (x[:, 0] if x.ndim == 4 else x for x in pair)
    total = 0.0
    for b, n in enumerate(LENGTHS):
        centring = np.eye(n) - 1 / n
        grams = []
        for scaled in (predicted, target):
            d = (scaled[b, :n, :n].double().numpy() + 1) * 40.0 / 20.0  # units of 20 angstrom
            grams.append(-0.5 * centring @ (d * d) @ centring)
        total += np.square(grams[0] - grams[1]).sum()
    assert float(gram_error(predicted, target, mask)) == pytest.approx(
        total / sum(n * n for n in LENGTHS), rel=1e-4
    )


def test_perfect_images_have_no_error(pair):
    _, target, mask = pair
    assert channel_errors(target, target, mask[:, :, None] & mask[:, None, :]).sum() == 0
    assert gram_error(target[:, 0], target[:, 0], mask) == 0
