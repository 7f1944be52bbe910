"""Overlays of point clouds on one another: molecules, surfaces, pharmacophores, proteins. Runs on JAX."""

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.overlaps import PHARMACOPHORES, Charged, Overlap, Pharmacophore, Volume
from foldpix.alignment.poses import apply
from foldpix.alignment.search import Alignment, align
from foldpix.alignment.similarity import SIMILARITIES
from foldpix.alignment.starts import spec_starts

__all__ = [
    "PHARMACOPHORES",
    "SIMILARITIES",
    "Alignment",
    "Charged",
    "Cloud",
    "Overlap",
    "Pharmacophore",
    "Volume",
    "align",
    "apply",
    "spec_starts",
]
