"""The picture of the docs: ``python -m benchmarks.image.draw_geometry source=DIR trials=CSV out=PNG``.

``source`` holds the two chains it shows, ``trials`` is what ``benchmarks.image.decode_accuracy`` wrote.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle

from benchmarks.image.decode_trials import SOLVERS, noisy_image
from foldpix.evaluation.drawing import draw_traces
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.geometry import synchronize, virtual_cb
from foldpix.image import Decoded, to_pixels
from foldpix.image.views import Views, read_views
from foldpix.structure import Backbone, read_structure

COMPACT, LONG = "1b3a_A.pdb.gz", "1cun_A.pdb.gz"
NOISE_OF_LONG = 8.0
STRIPS = ("MDS", "fast", "refined")
INK, FAINT = "#22262b", "#8a9099"
VIEW_COLORS = ("#1f6fb4", "#e07b1a", "#2f9e5b")
#: Colour, dashes, and points by which the label moves up to stay clear of others.
SOLVER_STYLES = {
    "MDS": ("#9aa0a8", ":", 0),
    "SMACOF": ("#9aa0a8", "--", 6),
    "frameLS": ("#6b727b", "-", 0),
    "fast": ("#1f6fb4", "-", -6),
    "refined": ("#c92a2a", "-", 0),
}


def main(arguments: Sequence[str]) -> None:
    """Draw it."""
    options = dict(argument.split("=", 1) for argument in arguments)
    source = Path(options["source"])
    figure = Figure(figsize=(13.2, 9.0), facecolor="white")
    FigureCanvasAgg(figure)
    rows = figure.add_gridspec(
        2, 1, height_ratios=(1, 1.28), hspace=0.2, left=0.03, right=0.985, top=0.93, bottom=0.065
    )
    _draw_method(figure, rows[0].subgridspec(1, 4, wspace=0.08), read_structure(source / COMPACT)[0])
    below = rows[1].subgridspec(1, 2, width_ratios=(1.5, 1), wspace=0.13)
    _draw_long(figure, below[0].subgridspec(len(STRIPS), 1, hspace=0.1), read_structure(source / LONG)[0])
    _draw_noise(figure.add_subplot(below[1]), Path(options["trials"]))
    figure.savefig(options["out"], dpi=130)


def _draw_method(figure: Figure, grid: GridSpec, backbone: Backbone) -> None:
    """The picture with three rows marked; what these residues see; the same turned, and laid on CB."""
    image = noisy_image(backbone, 0, "")
    views = read_views(image, np.full((1, 1), 80.0), np.ones(len(backbone)))
    axes, _ = synchronize(views.rotation, views.mask)
    seen = _seen(views, [round(part * len(backbone)) for part in (0.2, 0.5, 0.8)])
    chosen = sorted(seen)
    turned = {i: places @ axes[i] for i, places in seen.items()}
    look = _widest_view(turned[chosen[0]])
    panels = [figure.add_subplot(cell) for cell in grid]
    _draw_picture(panels[0], image, chosen)
    _draw_views(panels[1], [seen[i] for i in chosen], chosen)
    _draw_views(panels[2], [turned[i] @ look.T for i in chosen], chosen)
    together = [(turned[i] - turned[i].mean(axis=0)) @ look.T for i in chosen]
    _draw_views(panels[3], together, chosen, widths=(5.5, 3.2, 1.2))
    titles = (
        "a row is one residue's view",
        "three views, as seen",
        "turned alike by the angles",
        "moved together",
    )
    for number, (panel, title) in enumerate(zip(panels, titles, strict=True), start=1):
        panel.set_title(f"{number}   {title}", fontsize=12, color=INK, pad=9)


def _seen(views: Views, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """Where the residues see all CB, (L, 3) each; themselves at the origin."""
    return {i: (views.direction[i] * views.distance[i]).T for i in rows}


def _widest_view(points: np.ndarray) -> np.ndarray:
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    return axes


def _draw_picture(axis: Axes, image: np.ndarray, rows: Sequence[int]) -> None:
    axis.imshow(to_pixels(image), interpolation="nearest")
    size = image.shape[-1]
    for row, color in zip(rows, VIEW_COLORS, strict=True):
        frame = Rectangle((-0.5, row - 0.5), size, 1, fill=False, edgecolor="white", linewidth=3.4)
        axis.add_patch(frame)
        axis.add_patch(Rectangle((-0.5, row - 0.5), size, 1, fill=False, edgecolor=color, linewidth=1.8))
        axis.annotate(f"{row + 1}", (-1.5, row), ha="right", va="center", color=color, fontsize=11,
                      fontweight="bold", annotation_clip=False)  # fmt: skip
    axis.set_anchor("N")
    axis.set_axis_off()


def _draw_views(
    axis: Axes,
    views: Sequence[np.ndarray],
    rows: Sequence[int],
    widths: tuple[float, float, float] = (2.2, 2.2, 2.2),
) -> None:
    """CB traces, with a dot at the residue that looks; where they coincide, widths must differ to show it."""
    for view, row, color, width in zip(views, rows, VIEW_COLORS, widths, strict=True):
        axis.plot(*view[:, :2].T, color=color, linewidth=width, solid_joinstyle="round", alpha=0.92)
        axis.plot(*view[row, :2], "o", color=color, markersize=9, markeredgecolor="white", zorder=5)
    axis.set_aspect("equal", adjustable="datalim")
    axis.margins(0.04)
    axis.set_axis_off()


def _draw_long(figure: Figure, grid: GridSpec, backbone: Backbone) -> None:
    """A chain beyond d_max, brought back from a noisy picture, over the truth."""
    image = noisy_image(backbone, NOISE_OF_LONG, LONG)
    for row, solver in enumerate(STRIPS):
        answer = SOLVERS[solver](image)
        coords = answer.coords if isinstance(answer, Decoded) else answer
        axis = figure.add_subplot(grid[row])
        draw_traces(axis, backbone.coords[:, 1], coords[:, 1])
        rmsd = backbone_rmsd(coords, backbone.coords)
        axis.text(0.0, 0.5, solver, transform=axis.transAxes, ha="left", va="bottom", fontsize=12, color=INK)
        axis.text(0.0, 0.47, f"{rmsd:.2f} Å", transform=axis.transAxes, ha="left", va="top", fontsize=11,
                  color=FAINT)  # fmt: skip
        if row == 0:
            axis.set_title(_long_title(backbone), fontsize=12, color=INK, pad=9)


def _long_title(backbone: Backbone) -> str:
    cb = virtual_cb(backbone.coords)
    reach = np.max(np.linalg.norm(cb[:, None] - cb[None], axis=-1))
    return (
        f"{len(backbone)} residues over {reach:.0f} Å, distances cut off at 80 Å,"
        f" noise of {NOISE_OF_LONG:g} grey levels; truth grey"
    )


def _draw_noise(axis: Axes, trials: Path) -> None:
    """Mean error of each solver against noise; levels evenly spaced, as each doubles the last."""
    errors = _rmsd(trials)
    levels = sorted({noise for _, noise in errors})
    for solver, (color, style, up) in SOLVER_STYLES.items():
        values = [np.mean(errors[solver, noise]) for noise in levels]
        axis.plot(values, style, color=color, linewidth=2.2, marker="o", markersize=5)
        axis.annotate(solver, (len(levels) - 1, values[-1]), (8, up), textcoords="offset points",
                      va="center", color=color, fontsize=11)  # fmt: skip
    axis.set_yscale("log")
    ticks = (0.03, 0.1, 0.3, 1, 3)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_yticks([], minor=True)
    axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    axis.set_xlim(-0.25, len(levels) + 0.05)
    axis.set_xlabel("noise, grey levels", fontsize=11, color=INK)
    num = len(errors["refined", 0.0])
    axis.set_title(f"N, CA, C RMSD in Å against noise, mean of {num} chains", fontsize=12, color=INK, pad=9)
    axis.grid(axis="y", color="#e6e8eb", linewidth=0.8)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(length=0, labelcolor=INK)


def _rmsd(trials: Path) -> dict[tuple[str, float], list[float]]:
    """By solver and noise, of the chains that all solvers were tried on."""
    errors: dict[tuple[str, float], list[float]] = defaultdict(list)
    with trials.open() as file:
        for row in csv.DictReader(file):
            if row["set"] == "subset":
                errors[row["solver"], float(row["noise"])].append(float(row["rmsd"]))
    return errors


if __name__ == "__main__":
    main(sys.argv[1:])
