from dataclasses import replace
from math import ceil

import numpy as np
import pytest
import torch

from foldpix.chain_code import load
from foldpix.evaluation.chains import Sample
from foldpix.evaluation.image_stage import through_pixels
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.evaluation.reconstruct import ChainRoundTrips, ImageRoundTrips
from foldpix.image import encode, to_pixels
from foldpix.model.config import HVQVAEConfig
from foldpix.model.hvqvae import HVQVAE
from tests.evaluation.conftest import random_chain


def sample(length, seed=0, d_max=80.0):
    coords = random_chain(length, seed)
    return Sample(f"{length}_{seed}", to_pixels(encode(coords, d_max)), d_max, coords)


@pytest.mark.parametrize("d_max", [60.0, 100.0])
def test_through_pixels_uses_the_sample_s_own_scale(d_max):
    chain = sample(45, d_max=d_max)
    trip = through_pixels(chain)
    assert backbone_rmsd(trip.coords, chain.truth) < 0.3
    assert trip.image.shape == (3, 45, 45)
    assert trip.num_tokens == 0


def test_tokens_that_cover_padding_alone_do_not_count(tokenizer):
    for length in (47, 48, 33):
        (trip,) = ImageRoundTrips(tokenizer)([sample(length)])
        assert [level.shape for level in trip.codes] == [(length, length)] * 3 + [(ceil(length / 4),) * 2]
        assert trip.num_tokens == 3 * length**2 + ceil(length / 4) ** 2
        assert trip.image.shape == (3, length, length)
        assert trip.coords.shape == (length, 3, 3)


def test_codes_are_of_the_eight_bit_image(tokenizer):
    chain = sample(40)
    (trip,) = ImageRoundTrips(tokenizer)([chain])
    expected = np.rint(chain.pixels / 127.5 * 31.5).astype(int)
    for channel in range(3):
        assert np.array_equal(trip.codes[channel], expected[..., channel])


def test_a_diverged_tokenizer_is_named(tokenizer, monkeypatch):
    monkeypatch.setattr(
        type(tokenizer),
        "decode",
        lambda self, codes, length: codes[0][:, None].expand(-1, 3, -1, -1) * np.nan,
    )
    with pytest.raises(ValueError, match="decoded of 48_0 is not finite"):
        ImageRoundTrips(tokenizer)([sample(48)])


def test_the_model_of_this_package_fits_and_batches_change_nothing():
    torch.manual_seed(0)
    model = HVQVAE(
        HVQVAEConfig(
            [4, 2], n_embd=32, latent_dim=32, n_head=2, mlp_hidden_dim=32, codebook_size=32, codebook_dim=4
        )
    ).eval()
    chains = [sample(41, 0), sample(47, 1), sample(48, 2)]
    together = ImageRoundTrips(model)(chains)
    for chain, trip in zip(chains, together, strict=True):
        (alone,) = ImageRoundTrips(model)([chain])
        assert [level.shape for level in trip.codes] == [(ceil(len(chain.pixels) / r),) * 2 for r in (4, 8)]
        assert all(np.array_equal(a, b) for a, b in zip(trip.codes, alone.codes, strict=True))
        assert np.allclose(trip.image, alone.image, atol=1e-5)


def test_chains_that_have_no_code_are_skipped():
    good, far = sample(41), sample(48)
    truth = far.truth.copy()
    truth[20:] += 400.0
    trip, skipped = ChainRoundTrips(load(16))([good, replace(far, truth=truth)])
    assert trip.num_bits == 41 * 4 and trip.num_entropy_bits < 41 * 8
    assert skipped.id == far.id and skipped.reason.startswith("chain_code_16: a chain break of")
