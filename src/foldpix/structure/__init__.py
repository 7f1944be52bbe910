"""Protein backbones, and the files they come from and go to."""

from foldpix.structure.backbone import Backbone
from foldpix.structure.error import StructureError
from foldpix.structure.oxygen import place_oxygen
from foldpix.structure.read import count_chains, read_structure
from foldpix.structure.write import write_structure

__all__ = ["Backbone", "StructureError", "count_chains", "place_oxygen", "read_structure", "write_structure"]
