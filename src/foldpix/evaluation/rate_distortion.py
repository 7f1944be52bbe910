"""How exactly backbones come back at how many bits a residue, beside what others have published."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_INK, _FAINT, _OURS = "#22262b", "#8a9099", "#c8442b"


class Published(NamedTuple):
    """Mean backbone RMSD (angstrom) of a published tokenizer at its bits a residue."""

    name: str
    bits_per_residue: float
    backbone_rmsd: float


#: On the CASP14 targets. All but the InstaDeep rows are of table 2 of the GCP-VQVAE paper (2025), which
#: measured all with one protocol; those are what Gaujac et al. report of their released weights (1, 1/2 and
#: 1/4 token a residue).
PUBLISHED = (
    Published("GCP-VQVAE Large", 12, 0.543),
    Published("GCP-VQVAE Lite", 12, 0.844),
    Published("AIDO.StructureTokenizer", 9, 0.659),
    Published("ESM3 VQ-VAE", 12, 1.097),
    Published("DPLM-2", 13, 2.090),
    Published("FoldToken4", 8, 2.003),
    Published("InstaDeep", 12, 1.23),
    Published("InstaDeep", 15.97, 0.97),
    Published("InstaDeep", 6, 1.79),
    Published("InstaDeep", 3, 3.11),
)


def draw_rate_distortion(path: Path, summary: Mapping[str, float]) -> None:
    """Draw the tokenizers of a summary among the published ones, as PNG."""
    figure = Figure(figsize=(7.2, 4.6), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for each in PUBLISHED:
        axes.plot(each.bits_per_residue, each.backbone_rmsd, "o", color=_FAINT, markersize=5)
        axes.annotate(
            each.name, (each.bits_per_residue, each.backbone_rmsd), (5, 4),
            textcoords="offset points", fontsize=7.5, color=_FAINT,
        )  # fmt: skip
    ours = sorted(_points(summary))
    axes.plot([x for x, _ in ours], [y for _, y in ours], "o-", color=_OURS, markersize=6, label="here")
    axes.set(yscale="log", ylim=(0.05, 8), xlim=(0, 18))
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
    axes.set_xlabel("bits a residue, of indices", color=_INK)
    axes.set_ylabel("N, CA, C RMSD, mean, Å", color=_INK)
    axes.grid(color="#e4e6e9", linewidth=0.7)
    handles = axes.get_lines()
    axes.legend([handles[0], handles[-1]], ["published, CASP14", "here, these chains"], frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=140)


def _points(summary: Mapping[str, float]) -> list[tuple[float, float]]:
    """Bits a residue and mean RMSD of each tokenizer."""
    names = [name.removesuffix("/tokens_per_residue") for name in summary if name.count("/") == 1]
    return [
        (summary[f"{name}/bits_per_residue"], summary[f"{name}/backbone_rmsd"])
        for name in names
        if f"{name}/tokens_per_residue" in summary
    ]
