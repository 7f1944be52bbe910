"""Backbone torsions of coordinates."""

import math
from typing import Any

from array_api_compat import array_namespace

from foldpix.geometry.dihedral import dihedral


def backbone_torsions(coords: Any) -> Any:
    """phi, psi and omega of each residue, as :func:`foldpix.geometry.build_backbone` takes them.

    Neighbours are taken for bonded: of a chain break the values mean nothing.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.

    Returns
    -------
    array, shape=(..., L, 3)
        Radian, in (-pi, pi]; omega is that of the bond to the next residue. NaN where there is no
        neighbour: the first phi, the last psi and omega, and beside residues that are NaN.
    """
    xp = array_namespace(coords)
    n, ca, c = coords[..., 0, :], coords[..., 1, :], coords[..., 2, :]
    own, following = (..., slice(None, -1), slice(None)), (..., slice(1, None), slice(None))
    phi = dihedral(c[own], n[following], ca[following], c[following])
    psi = dihedral(n[own], ca[own], c[own], n[following])
    omega = dihedral(ca[own], c[own], n[following], ca[following])
    none = xp.full_like(coords[..., :1, 0, 0], math.nan)
    columns = [xp.concat(parts, axis=-1) for parts in ([none, phi], [psi, none], [omega, none])]
    return xp.stack(columns, axis=-1)
