"""Torsions to atoms where gradients are wanted, or a GPU: the walk's atoms for NumPy, PyTorch and JAX."""

import math
from typing import Any

from array_api_compat import array_namespace

from foldpix.generation.c_beta import handed_cb
from foldpix.geometry import build_backbone, place_atom
from foldpix.structure.oxygen import C_O, CA_C_O


def build_atoms(torsions: Any, is_d: Any = None) -> Any:
    """The atoms that :class:`foldpix.generation.BatchedGenerator` makes, as a function of the torsions.

    Parameters
    ----------
    torsions : array, shape=(..., L, 3)
        phi, psi, omega of each residue in radian; omega is that of the bond to the next residue. The first
        phi and the last omega are not used; the last psi turns the last O.
    is_d : array of bool, shape=(L,), optional
        Residues whose CB stands on the other side; none by default.

    Returns
    -------
    array, shape=(..., L, 5, 3)
        N, CA, C, O, CB in angstrom, of the dtype and on the device of `torsions`; the first residue lies in
        the xy plane with CA at the origin. CB is the virtual one, for glycine too.

    Raises
    ------
    ValueError
        If `torsions` are not floating-point numbers.
    """
    xp = array_namespace(torsions)
    if not xp.isdtype(torsions.dtype, "real floating"):
        raise ValueError(f"torsions are {torsions.dtype}; give radian in float32 or float64")
    coords = build_backbone(torsions)
    n, ca, c = coords[..., 0, :], coords[..., 1, :], coords[..., 2, :]
    o = place_atom(n, ca, c, C_O, CA_C_O, torsions[..., 1] + math.pi)
    return xp.stack([n, ca, c, o, handed_cb(coords, is_d)], axis=-2)
