"""The picture of the docs: ``python -m benchmarks.generation.draw_generation source=DIR out=PNG [num=400]``.

``source`` is a folder of real chains, which the made-up ones stand beside.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from foldpix.evaluation.drawing import draw_chain
from foldpix.generation import MadeChain, sample_chains
from foldpix.geometry import backbone_torsions
from foldpix.structure import Backbone, read_structure

INK, MADE, REAL = "#22262b", "#c92a2a", "#1f6fb4"
_COLOR_NAMES = {"H": "#c92a2a", "G": "#e8883a", "E": "#1f6fb4", "T": "#2f9e5b", "C": "#aab0b7"}
LABEL_COLORS = {label: to_rgb(name) for label, name in _COLOR_NAMES.items()}
MIN_LENGTH, MAX_LENGTH = 40, 256


def main(arguments: Sequence[str]) -> None:
    """Draw it."""
    options = dict(argument.split("=", 1) for argument in arguments)
    num = int(options.get("num", "400"))
    made = list(sample_chains(range(num), MIN_LENGTH, MAX_LENGTH))
    real = _real_chains(Path(options["source"]), num)
    figure = Figure(figsize=(13.2, 8.6), facecolor="white")
    FigureCanvasAgg(figure)
    rows = figure.add_gridspec(
        2, 1, height_ratios=(1.25, 1), hspace=0.16, left=0.05, right=0.985, top=0.95, bottom=0.07
    )
    _draw_chains(figure, rows[0].subgridspec(1, 4, wspace=0.02), made)
    below = rows[1].subgridspec(1, 3, width_ratios=(1, 1, 1.25), wspace=0.2)
    _draw_ramachandran(figure.add_subplot(below[0]), real, f"phi and psi of {len(real)} real chains")
    backbones = [chain.backbone for chain in made]
    _draw_ramachandran(figure.add_subplot(below[1]), backbones, f"of {len(made)} made-up chains")
    _draw_sizes(figure.add_subplot(below[2]), real, backbones)
    figure.savefig(options["out"], dpi=130)


def _real_chains(folder: Path, num: int) -> list[Backbone]:
    """Every so many of the folder, of the lengths that are made."""
    paths = sorted(folder.iterdir())
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, min(2 * num, len(paths))).astype(int)]
    chains = (read_structure(path)[0] for path in chosen)
    return [chain for chain in chains if MIN_LENGTH <= len(chain) <= MAX_LENGTH][:num]


def _draw_chains(figure: Figure, grid: object, made: Sequence[MadeChain]) -> None:
    """Four chains of growing length, coloured by label."""
    by_length = sorted(made, key=lambda chain: len(chain.backbone))
    for place, part in enumerate((0.05, 0.3, 0.6, 0.95)):
        axes = figure.add_subplot(grid[place])  # type: ignore[index]
        _draw_trace(axes, by_length[int(part * (len(made) - 1))])


def _draw_trace(axes: Axes, chain: MadeChain) -> None:
    draw_chain(axes, chain.backbone.coords[:, 1], np.array([LABEL_COLORS[label] for label in chain.labels]))
    length = len(chain.backbone)
    axes.set_title(f"{length} residues, radius of gyration {chain.radius:.1f} Å", fontsize=10, color=INK)


def _draw_ramachandran(axes: Axes, chains: Sequence[Backbone], title: str) -> None:
    angles = [np.degrees(backbone_torsions(chain.coords))[1:-1, :2] for chain in chains]
    phi, psi = np.concatenate(angles).T
    known = np.isfinite(phi) & np.isfinite(psi)
    edges = np.linspace(-180, 180, 121)
    counts, _, _ = np.histogram2d(phi[known], psi[known], bins=(edges, edges))
    axes.pcolormesh(edges, edges, np.log1p(counts.T), cmap="Greys", rasterized=True)
    axes.set(
        title=title, xlabel="phi", ylabel="psi", xticks=range(-180, 181, 90), yticks=range(-180, 181, 90)
    )
    axes.set_aspect("equal")


def _draw_sizes(axes: Axes, real: Sequence[Backbone], made: Sequence[Backbone]) -> None:
    for chains, color, name in ((real, REAL, "real"), (made, MADE, "made up")):
        lengths = [len(chain) for chain in chains]
        sizes = [_radius_of_gyration(chain.coords[:, 1]) for chain in chains]
        axes.scatter(lengths, sizes, s=9, color=color, alpha=0.5, lw=0, label=name)
    length = np.arange(MIN_LENGTH, MAX_LENGTH + 1)
    axes.plot(length, 2.2 * length**0.38, color=INK, lw=1.2, label="2.2 L^0.38")
    axes.set(title="radius of gyration, Å", xlabel="residues", ylim=(8, 40))
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def _radius_of_gyration(points: np.ndarray) -> float:
    return float(np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1).mean()))


if __name__ == "__main__":
    main(sys.argv[1:])
