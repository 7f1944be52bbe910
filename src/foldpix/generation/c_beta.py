"""The CB of L- and D-residues, whatever atoms they came with."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from foldpix.generation.atom_table import AtomTable
from foldpix.geometry import virtual_cb
from foldpix.geometry.vector import dot, unit


def c_beta(table: AtomTable, coords: np.ndarray) -> np.ndarray:
    """CB of each residue: its own, or the virtual one on the side of its hand.

    Parameters
    ----------
    table : AtomTable
    coords : ndarray, shape=(B, N, 3)
        Angstrom.

    Returns
    -------
    ndarray, shape=(B, L, 3)

    Raises
    ------
    ValueError
        If a residue lacks CB and one of N, CA and C.
    """
    rows = table.atom_rows("CB")
    if (rows >= 0).all():
        return coords[:, rows]
    backbone = coords[:, table.backbone_rows()]
    return np.where((rows >= 0)[:, None], coords[:, rows], handed_cb(backbone, table.is_d))


def handed_cb(coords: Any, is_d: Any = None) -> Any:
    """The virtual CB, in D-residues on the other side of the plane of N, CA and C.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.
    is_d : array of bool, shape=(L,), optional
        None by default.

    Returns
    -------
    array, shape=(..., L, 3)
    """
    cb = virtual_cb(coords)
    if is_d is None:
        return cb
    xp, ca = array_namespace(coords), coords[..., 1, :]
    normal = unit(xp.linalg.cross(ca - coords[..., 0, :], coords[..., 2, :] - ca))
    where = xp.asarray(is_d, device=device(coords))[:, None]
    return xp.where(where, cb - 2.0 * dot(cb - ca, normal) * normal, cb)
