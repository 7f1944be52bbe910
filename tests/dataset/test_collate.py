import numpy as np
import pytest
import torch

from foldpix.dataset.collate import collate_with_padding
from foldpix.dataset.reader import Sample, Skipped
from tests.dataset.handmade import make_picture


def make_samples(*lengths):
    return [Sample(f"s{n}", make_picture(f"s{n}", n).pixels, 80.0 - n) for n in lengths]


@pytest.mark.parametrize(
    ("lengths", "multiple", "padded"),
    [((40, 64), 16, 64), ((40, 65), 16, 80), ((41,), 1, 41), ((128, 50), 32, 128), ((129,), 32, 160)],
)
def test_pads_to_the_longest_rounded_up(lengths, multiple, padded):
    batch = collate_with_padding(make_samples(*lengths), multiple)
    assert batch.image.shape == (len(lengths), 3, padded, padded) and batch.image.dtype == torch.float32
    assert batch.mask.shape == (len(lengths), padded) and batch.mask.dtype == torch.bool
    assert batch.lengths.tolist() == list(lengths) and batch.lengths.dtype == torch.int64


def test_values_mask_and_names():
    samples = make_samples(41, 50)
    batch = collate_with_padding(samples, 16)
    for i, sample in enumerate(samples):
        length = len(sample.pixels)
        expected = sample.pixels.transpose(2, 0, 1) / 127.5 - 1
        np.testing.assert_allclose(batch.image[i, :, :length, :length], expected, atol=1e-6)
        padding = batch.image[i].clone()
        padding[:, :length, :length] = 0
        assert not padding.any()
        assert batch.mask[i].tolist() == [True] * length + [False] * (64 - length)
    assert batch.names == ["s41", "s50"] and batch.skipped == []
    assert batch.d_max.tolist() == [39.0, 30.0]


def test_skipped_samples_make_the_batch_smaller():
    lost = Skipped("bad", "no PNG")
    batch = collate_with_padding([lost, *make_samples(41)], 16)
    assert batch.image.shape == (1, 3, 48, 48)
    assert batch.names == ["s41"] and batch.skipped == [lost]
