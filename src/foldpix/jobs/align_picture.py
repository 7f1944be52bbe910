"""The picture of an overlay: the reference grey, the fit in colours over it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from foldpix.alignment.screening import Hit
from foldpix.evaluation.drawing import BEHIND, GREY, draw_overlaid_traces, draw_tubes, widest_view
from foldpix.jobs.align_inputs import EntryPair
from foldpix.jobs.align_poses import moved_backbone
from foldpix.structure import Backbone

if TYPE_CHECKING:
    from foldpix.alignment.molecule import Molecule

# The usual colours of elements, darker for white paper; carbon, and what is not here, is teal.
_COLORS = {"N": "#2f5fd0", "O": "#d03a2f", "S": "#c9a200", "F": "#3a9d3a", "Cl": "#3a9d3a", "P": "#d07a1f"}
_CARBON = "#1d8a8a"
_REF_WIDTH, _FIT_WIDTH = 7.0, 3.0  # points


def draw_overlay(path: Path, hit: Hit[EntryPair]) -> None:
    """Draw a fit on its reference as PNG."""
    ref, fit = hit.fit
    figure = Figure(figsize=(7, 6), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.set_title(f"{fit.name} on {ref.name} (grey): {hit.score:.3f}", fontsize=11)
    if isinstance(ref.item, Backbone) and isinstance(fit.item, Backbone):
        moved = moved_backbone(fit.item, hit.transform)
        draw_overlaid_traces(axis, ref.item.coords[:, 1], moved.coords[:, 1])
    else:
        _draw_molecules(axis, ref.item, fit.item.transformed(hit.transform))  # type: ignore[union-attr, arg-type]
    figure.savefig(path, dpi=150)


def _draw_molecules(axis: Axes, ref: "Molecule", fit: "Molecule") -> None:
    coords = ref.get_positions(no_H=False)
    view, centre = widest_view(coords), coords.mean(axis=0)
    curves, colors, widths = [], [], []
    for molecule, width, behind in ((ref, _REF_WIDTH, BEHIND), (fit, _FIT_WIDTH, 0.0)):
        for curve, color in _sticks(molecule):
            curves.append((curve - centre) @ view.T - np.array([0.0, 0.0, behind]))
            colors.append(np.tile(GREY, (len(color), 1)) if molecule is ref else color)
            widths.append(width)
    draw_tubes(axis, curves, colors, widths)


def _sticks(molecule: "Molecule") -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Polylines and colours of their segments: a dot an atom, each bond in two halves; no hydrogens."""
    coords = molecule.get_positions(no_H=False)
    shown = [
        atom for atom in molecule.mol.GetAtoms() if atom.GetAtomicNum() != 1 or len(molecule.atom_pos) == 0
    ]
    color = {atom.GetIdx(): to_rgb(_COLORS.get(atom.GetSymbol(), _CARBON)) for atom in shown}
    for k in color:
        yield coords[[k, k]], np.array([color[k]])
    for bond in molecule.mol.GetBonds():
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if begin in color and end in color:
            middle = (coords[begin] + coords[end]) / 2.0
            yield np.array([coords[begin], middle, coords[end]]), np.array([color[begin], color[end]])
