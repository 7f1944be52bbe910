"""Pure array maths, written once for NumPy, PyTorch and JAX (array API), batched over leading axes."""

from foldpix.geometry.bonds import Bonds, peptide_bonds
from foldpix.geometry.completion import complete_distances
from foldpix.geometry.dihedral import dihedral
from foldpix.geometry.mds import classical_mds
from foldpix.geometry.nerf import build_backbone, place_atom
from foldpix.geometry.orientation import orientation_maps
from foldpix.geometry.peptide import peptide_terms
from foldpix.geometry.residue import IDEAL_RESIDUE, frame_jacobian, residue_frames, virtual_cb
from foldpix.geometry.superposition import best_rotation, rmsd, superpose, tm_scale
from foldpix.geometry.synchronization import relative_rotations, synchronize
from foldpix.geometry.torsion import backbone_torsions
from foldpix.geometry.tridiagonal import inverse_diagonal, solve_tridiagonal

__all__ = [
    "IDEAL_RESIDUE",
    "Bonds",
    "backbone_torsions",
    "best_rotation",
    "build_backbone",
    "classical_mds",
    "complete_distances",
    "dihedral",
    "frame_jacobian",
    "inverse_diagonal",
    "orientation_maps",
    "peptide_bonds",
    "peptide_terms",
    "place_atom",
    "relative_rotations",
    "residue_frames",
    "rmsd",
    "solve_tridiagonal",
    "superpose",
    "synchronize",
    "tm_scale",
    "virtual_cb",
]
