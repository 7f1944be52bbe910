"""The picture of a few chains: original image, decoded image, and the two traces one over the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from foldpix.geometry import superpose
from foldpix.image import to_pixels

_INK, _FAINT = "#22262b", "#8a9099"
#: Of what lies below.
GREY = (0.72, 0.74, 0.77)
_CHAIN_COLORS = colormaps["turbo"]
_STEPS = 8  # drawn segments between two CA
_RIM_DEPTH = 2.5  # angstrom
#: Angstrom by which what lies below steps back, so that it frames what fits.
BEHIND = 4.0


@dataclass(frozen=True)
class Panel:
    """A row of the picture.

    Parameters
    ----------
    label : str
        Why this chain is shown.
    id : str
    original, decoded : ndarray, shape=(3, L, L)
        Images in [-1, 1].
    truth, coords : ndarray, shape=(L, 3, 3)
        The true backbone and the decoded one, angstrom.
    ca_rmsd : float
        Angstrom.
    """

    label: str
    id: str
    original: np.ndarray
    decoded: np.ndarray
    truth: np.ndarray
    coords: np.ndarray
    ca_rmsd: float


def draw_reconstructions(path: Path, panels: Sequence[Panel]) -> None:
    """Draw the panels, one below the other, as PNG."""
    height = 2.9 * len(panels) + 0.62
    figure = Figure(figsize=(10.2, height), facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(panels), 3, width_ratios=(1, 1, 1.42), wspace=0.07, hspace=0.2,
        left=0.06, right=0.99, top=1 - 0.62 / height, bottom=0.12 / height,
    )  # fmt: skip
    for row, panel in enumerate(panels):
        axes = [figure.add_subplot(grid[row, column]) for column in range(3)]
        _draw_panel(axes, panel)
        if row == 0:
            _head(axes)
    figure.savefig(path, dpi=150)


def _head(axes: Sequence[Axes]) -> None:
    for axis, text in zip(axes, ("image", "decoded image", "backbone over the truth (grey)"), strict=True):
        axis.annotate(
            text, (0.5, 1), (0, 24), xycoords="axes fraction", textcoords="offset points",
            ha="center", va="bottom", fontsize=13, color=_INK,
        )  # fmt: skip


def _draw_panel(axes: Sequence[Axes], panel: Panel) -> None:
    for axis, image in zip(axes, (panel.original, panel.decoded), strict=False):
        axis.imshow(to_pixels(image), interpolation="auto")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
    axes[0].set_ylabel(panel.label, fontsize=13, color=_INK, labelpad=8)
    axes[0].set_title(f"{panel.id}, {len(panel.truth)} residues", fontsize=10, color=_FAINT)
    axes[2].set_title(f"CA RMSD {panel.ca_rmsd:.2f} Å", fontsize=11, color=_INK)
    draw_traces(axes[2], panel.truth[:, 1], panel.coords[:, 1])


def draw_traces(axis: Axes, truth: np.ndarray, decoded: np.ndarray) -> None:
    """Two CA traces (L, 3), superposed, along the thinnest axis: truth grey, decoded blue (N) to red (C)."""
    truth, decoded = (np.asarray(trace, dtype=np.float64) for trace in (truth, decoded))
    draw_overlaid_traces(axis, truth, superpose(decoded, truth))


def draw_overlaid_traces(axis: Axes, below: np.ndarray, above: np.ndarray) -> None:
    """Two CA traces as they lie, (L, 3), (M, 3), along the thinnest axis of the first: grey; blue to red."""
    view, centre = widest_view(below), below.mean(axis=0)
    curves = [_smooth((trace - centre) @ view.T) for trace in (below, above)]
    curves[0][:, 2] -= BEHIND
    along = np.linspace(0, 1, len(curves[1]) - 1)
    colors = [np.tile(GREY, (len(curves[0]) - 1, 1)), _CHAIN_COLORS(0.06 + 0.86 * along)[:, :3]]
    draw_tubes(axis, curves, colors, widths=(5.0, 2.3))


def draw_chain(axis: Axes, trace: np.ndarray, colors: np.ndarray) -> None:
    """A CA trace (L, 3) along its thinnest axis, a colour (L, 3; red, green, blue in [0, 1]) a residue."""
    trace = np.asarray(trace, dtype=np.float64)
    curve = _smooth((trace - trace.mean(axis=0)) @ widest_view(trace).T)
    nearest = np.round(np.arange(len(curve) - 1) / _STEPS).astype(int)
    draw_tubes(axis, [curve], [colors[nearest]], widths=(4.0,))


def widest_view(points: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that shows the largest extents in x and y and looks along the smallest."""
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=len(points) < 3)
    axes[2] *= np.sign(np.linalg.det(axes))
    return axes


def _smooth(points: np.ndarray) -> np.ndarray:
    """Catmull-Rom curve through the points, (L, 3) -> ((L - 1) * steps + 1, 3)."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    p0, p1, p2, p3 = (padded[k : len(points) - 1 + k, None] for k in range(4))
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None]
    curve = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3
    )
    return np.concatenate([curve.reshape(-1, 3), points[-1:]])


def draw_tubes(
    axis: Axes, curves: Sequence[np.ndarray], colors: Sequence[np.ndarray], widths: Sequence[float]
) -> None:
    """Polylines (n, 3) from back to front on axes of their own, a colour a segment, a width (points) a line.

    Each segment lies over a white rim: what is nearer passes over what is farther.
    """
    segments = np.concatenate([np.stack([curve[:-1], curve[1:]], axis=1) for curve in curves])
    width = np.repeat(widths, [len(curve) - 1 for curve in curves])
    depth = segments[:, :, 2].mean(axis=1)
    haze = 0.45 * (1 - (depth - depth.min()) / max(np.ptp(depth), 1e-9))[:, None]
    color = np.concatenate(colors) * (1 - haze) + haze
    # A rim lies a little deeper than its segment, or it would cut the neighbours along its own chain.
    order = np.argsort(np.concatenate([depth - _RIM_DEPTH, depth]), kind="stable")
    both_colors = np.concatenate([np.ones_like(color), color])[order]
    both_widths = np.concatenate([width + 1.2, width])[order]
    lines = np.concatenate([segments, segments])[order, :, :2]
    axis.add_collection(
        LineCollection(list(lines), colors=both_colors, linewidths=both_widths, capstyle="round")
    )
    axis.set_aspect("equal", adjustable="datalim")
    axis.autoscale_view()
    axis.set_axis_off()
