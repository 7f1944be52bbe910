"""The picture of made-up chains."""

import numpy as np
from PIL import Image

from benchmarks.generation import draw_generation
from foldpix.generation import sample_backbones
from foldpix.structure import write_structure


def test_every_panel_holds_something(tmp_path):
    folder = tmp_path / "chains"
    folder.mkdir()
    for backbone in sample_backbones(4, 45, 60):
        write_structure(folder / f"{backbone.name}.pdb", backbone)
    out = tmp_path / "x.png"
    draw_generation.main([f"source={folder}", f"out={out}", "num=6"])
    with Image.open(out) as image:
        ink = np.array(image.convert("L")) < 250
    height, width = ink.shape
    top, bottom = ink[: height // 2], ink[int(0.55 * height) :]
    assert all(part.mean() > 0.01 for part in np.array_split(top, 4, axis=1))
    assert all(part.mean() > 0.01 for part in np.array_split(bottom, 3, axis=1))
    assert width > 1500
