"""Made-up but protein-like backbones, for demos, tests and training without any data."""

from foldpix.generation.chains import sample_backbones
from foldpix.generation.segments import sample_labels
from foldpix.generation.torsions import sample_torsions

__all__ = ["sample_backbones", "sample_labels", "sample_torsions"]
