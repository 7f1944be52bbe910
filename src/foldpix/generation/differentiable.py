"""Torsions to atoms where gradients are wanted, or a GPU: the walk's atoms for NumPy, PyTorch and JAX."""

import math
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import build_backbone, place_atom, virtual_cb
from foldpix.geometry.vector import dot, unit
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
    """
    xp = array_namespace(torsions)
    coords = build_backbone(torsions)
    n, ca, c = coords[..., 0, :], coords[..., 1, :], coords[..., 2, :]
    o = place_atom(n, ca, c, C_O, CA_C_O, torsions[..., 1] + math.pi)
    cb = virtual_cb(coords)
    if is_d is not None:
        normal = unit(xp.linalg.cross(n - ca, c - ca))
        across = dot(cb - ca, normal) * normal
        where = xp.asarray(is_d, device=device(torsions))[:, None]
        cb = xp.where(where, cb - 2.0 * across, cb)
    return xp.stack([n, ca, c, o, cb], axis=-2)
