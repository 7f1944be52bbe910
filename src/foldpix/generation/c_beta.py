"""The CB of every residue of a molecule, whatever atoms it came with."""

import numpy as np

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
    cb = np.where(table.is_d[:, None], _mirrored_cb(backbone), virtual_cb(backbone))
    return np.where((rows >= 0)[:, None], coords[:, rows], cb)


def _mirrored_cb(backbone: np.ndarray) -> np.ndarray:
    """The virtual CB on the other side of the plane of N, CA and C, where D-residues have it."""
    cb, ca = virtual_cb(backbone), backbone[..., 1, :]
    normal = unit(np.cross(ca - backbone[..., 0, :], backbone[..., 2, :] - ca))
    return cb - 2 * dot(cb - ca, normal) * normal
