"""The picture of the documentation."""

import csv

import numpy as np
from PIL import Image

from benchmarks.image import draw_geometry
from benchmarks.image.decode_trials import SOLVERS
from foldpix.generation import sample_backbones
from foldpix.structure import write_structure


def test_every_panel_holds_something(tmp_path):
    for name, backbone in zip(
        (draw_geometry.COMPACT, draw_geometry.LONG), sample_backbones(2, 45, 60), strict=True
    ):
        write_structure(tmp_path / name, backbone)
    with (tmp_path / "trials.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "solver", "noise", "rmsd"])
        writer.writerows(["subset", solver, noise, 0.1 + noise] for solver in SOLVERS for noise in (0, 4))
    out = tmp_path / "x.png"
    draw_geometry.main([f"source={tmp_path}", f"trials={tmp_path / 'trials.csv'}", f"out={out}"])
    with Image.open(out) as image:
        ink = np.array(image.convert("L")) < 250
    height, width = ink.shape
    top, bottom = ink[: int(0.42 * height)], ink[int(0.46 * height) :]
    assert all(part.mean() > 0.01 for part in np.array_split(top, 4, axis=1))
    assert all(part.mean() > 0.01 for part in np.array_split(bottom, 2, axis=1))
    assert width > 1500


def test_mean_errors_are_those_of_the_chains_that_all_solvers_were_tried_on(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("set,solver,noise,rmsd\nall,fast,0,9\nsubset,fast,0,1\nsubset,fast,0,3\n")
    assert draw_geometry._rmsd(path) == {("fast", 0.0): [1.0, 3.0]}
