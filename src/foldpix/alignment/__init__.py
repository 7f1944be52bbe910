"""Overlays of point clouds on one another: molecules, surfaces, pharmacophores, proteins. Runs on JAX."""

from importlib import import_module
from typing import Any

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.overlaps import PHARMACOPHORES, Charged, Overlap, Pharmacophore, Volume
from foldpix.alignment.poses import apply
from foldpix.alignment.search import Alignment, align
from foldpix.alignment.shmap import (
    optimize_pharm_overlay_jax_pharm_shmap,
    optimize_ROCS_esp_overlay_jax_surf_esp_shmap,
    optimize_ROCS_esp_overlay_jax_vol_esp_shmap,
    optimize_ROCS_overlay_jax_surf_shmap,
    optimize_ROCS_overlay_jax_vol_shmap,
)
from foldpix.alignment.similarity import SIMILARITIES
from foldpix.alignment.starts import spec_starts

# Imported when they are asked for: they need RDKit, which backbones do without.
_OF_MOLECULES = {"Molecule": "molecule", "MoleculePair": "pair", "MoleculePairBatch": "batch"}

__all__ = [
    "PHARMACOPHORES",
    "SIMILARITIES",
    "Alignment",
    "Charged",
    "Cloud",
    "Molecule",
    "MoleculePair",
    "MoleculePairBatch",
    "Overlap",
    "Pharmacophore",
    "Volume",
    "align",
    "apply",
    "optimize_ROCS_esp_overlay_jax_surf_esp_shmap",
    "optimize_ROCS_esp_overlay_jax_vol_esp_shmap",
    "optimize_ROCS_overlay_jax_surf_shmap",
    "optimize_ROCS_overlay_jax_vol_shmap",
    "optimize_pharm_overlay_jax_pharm_shmap",
    "spec_starts",
]


def __getattr__(name: str) -> Any:
    if name in _OF_MOLECULES:
        return getattr(import_module(f"foldpix.alignment.{_OF_MOLECULES[name]}"), name)
    raise AttributeError(f"module 'foldpix.alignment' has no attribute '{name}'")
