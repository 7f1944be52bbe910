import math

import numpy as np
import pytest
from PIL import Image

from foldpix.evaluation.chains import Sample
from foldpix.evaluation.drawing import Panel, draw_reconstructions
from foldpix.evaluation.image_stage import Record
from foldpix.evaluation.metrics import Closeness
from foldpix.evaluation.panels import extreme_records, panels
from foldpix.evaluation.reconstruct import ImageRoundTrips
from foldpix.image import encode, to_pixels
from tests.evaluation.conftest import random_chain, rigidly_moved


def record(name, ca_rmsd, stage="image"):
    return Record(
        name, stage, 50, Closeness(ca_rmsd, ca_rmsd, 1.0, 1.0, True), 0, 1.0, math.nan, False, "structure"
    )


def panel(truth, coords):
    return Panel("best", "x", encode(truth), encode(coords), truth, coords, 0.0)


def drawn(path, *rows):
    draw_reconstructions(path, rows)
    with Image.open(path) as file:
        return np.array(file.convert("RGB"))


@pytest.mark.parametrize("num_panels", [1, 3])
def test_the_picture_shows_images_and_both_traces(tmp_path, num_panels):
    truth = random_chain(60, 0)
    pixels = drawn(tmp_path / "a.png", *[panel(truth, truth + np.float32(0.3))] * num_panels)
    width = pixels.shape[1]
    images, traces = pixels[:, : int(0.6 * width)], pixels[:, int(0.64 * width) :].astype(int)
    ink = (images != 255).any(axis=-1).mean(axis=1)
    assert (ink > 0.5).mean() > 0.6  # most rows of pixels cross two images
    spread = np.ptp(traces, axis=-1)
    assert (spread > 100).sum() > 2000 * num_panels  # coloured: decoded
    assert ((spread < 20) & (traces.max(axis=-1) < 230)).sum() > 1000 * num_panels  # grey: truth
    assert (pixels[:3] == 255).all() and (pixels[-3:] == 255).all()


def test_a_decoded_backbone_is_drawn_where_its_truth_is(tmp_path):
    truth = random_chain(60, 1)
    in_place = drawn(tmp_path / "a.png", panel(truth, truth))
    moved = drawn(tmp_path / "b.png", panel(truth, rigidly_moved(truth, 3)))
    assert (in_place != moved).any(axis=-1).mean() < 0.001


def test_best_median_and_worst():
    records = [record(name, rmsd) for name, rmsd in zip("abcde", [3.0, 1.0, 5.0, 2.0, 4.0], strict=True)]
    picked = [(label, each.id) for label, each in extreme_records(records)]
    assert picked == [("best", "b"), ("median", "a"), ("worst", "c")]
    assert [label for label, _ in extreme_records(records[:2])] == ["best", "worst"]
    assert [label for label, _ in extreme_records(records[:1])] == ["best"]


def test_the_tokenizer_s_figures_rank_where_there_are_any():
    records = [
        record("a", 9.0),
        record("b", 1.0),
        record("a", 0.1, "tokenizer"),
        record("b", 2.0, "tokenizer"),
    ]
    assert [each.id for _, each in extreme_records(records)] == ["a", "b"]


def test_panels_hold_what_the_stage_gave(tokenizer):
    coords = random_chain(41, 0)
    pixels = to_pixels(encode(coords))

    class OneChain:
        id, length = "a", 41

        def load(self):
            return Sample("a", pixels, 80.0, coords)

    (alone,) = panels([OneChain()], [record("a", 1.0)], None)
    (through,) = panels([OneChain()], [record("a", 1.0)], ImageRoundTrips(tokenizer))
    assert np.array_equal(to_pixels(alone.original), pixels)
    assert alone.ca_rmsd < through.ca_rmsd
    assert through.label == "best"
