import numpy as np
import pytest

from foldpix.evaluation.pairs import side_by_side
from foldpix.image import to_pixels


def test_every_image_stands_whole_on_white():
    rng = np.random.default_rng(0)
    originals = [rng.uniform(-1, 0.9, (3, side, side)) for side in (5, 9)]
    decoded = [rng.uniform(-1, 0.9, (3, side, side)) for side in (5, 9)]
    canvas = side_by_side(originals, decoded)
    for image in originals + decoded:
        side = image.shape[-1]
        windows = np.lib.stride_tricks.sliding_window_view(canvas, (side, side, 3)).reshape(-1, side, side, 3)
        assert (windows == to_pixels(image)).all(axis=(1, 2, 3)).sum() == 1
    assert (canvas == 255).all(axis=-1).sum() == canvas.shape[0] * canvas.shape[1] - 2 * (25 + 81)
    assert (canvas[0] == 255).all() and (canvas[:, -1] == 255).all()


def test_originals_above_decoded():
    black, grey = np.full((3, 4, 4), -1.0), np.zeros((3, 4, 4))
    canvas = side_by_side([black], [grey])
    half = canvas.shape[0] // 2
    assert canvas[:half].min() == 0 and canvas[half:].min() == 128


def test_unequal_numbers_are_refused():
    image = np.zeros((3, 4, 4))
    with pytest.raises(ValueError, match="zip"):
        side_by_side([image, image], [image])
