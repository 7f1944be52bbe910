"""Pure array maths, written once for NumPy, PyTorch and JAX (array API), batched over leading axes."""

from foldpix.geometry.dihedral import dihedral
from foldpix.geometry.mds import classical_mds
from foldpix.geometry.nerf import build_backbone, place_atom
from foldpix.geometry.orientation import orientation_maps
from foldpix.geometry.residue import IDEAL_RESIDUE, residue_frames, virtual_cb
from foldpix.geometry.superposition import best_rotation, rmsd, superpose
from foldpix.geometry.torsion import backbone_torsions

__all__ = [
    "IDEAL_RESIDUE",
    "backbone_torsions",
    "best_rotation",
    "build_backbone",
    "classical_mds",
    "dihedral",
    "orientation_maps",
    "place_atom",
    "residue_frames",
    "rmsd",
    "superpose",
    "virtual_cb",
]
