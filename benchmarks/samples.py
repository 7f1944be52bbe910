"""The chains that are measured on."""

from pathlib import Path

from foldpix.generation import sample_backbones
from foldpix.structure import Backbone, read_structure


def chain(length: int, source: Path | None = None) -> Backbone:
    """A made-up chain, or the beginning of the first real one in a folder of files that is long enough."""
    if source is None:
        return next(sample_backbones(1, length, length))
    for path in sorted(source.iterdir()):
        backbone = read_structure(path)[0]
        if len(backbone) >= length:
            return Backbone(backbone.coords[:length], backbone.sequence[:length], backbone.name, "A")
    raise ValueError(f"no chain of {length} residues or more in {source}")
