"""Torsions drawn from their laws."""

from typing import Any

import numpy as np

from foldpix.generation.draws import Stream, normal, uniform
from foldpix.generation.laws import TorsionLaws


def draw_torsions(laws: TorsionLaws, seed: int, members: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    """Torsions of each member; those of member k depend on (seed, k) and the laws alone.

    Parameters
    ----------
    laws : TorsionLaws
        Of these members, or of all alike.
    seed : int
    members : ndarray of int, shape=(B,)
        Their numbers.
    dtype : float32 or float64

    Returns
    -------
    ndarray, shape=(B, L, 3)
        phi, psi, omega in radian; its transpose (L, 3, B) is contiguous.
    """
    if not laws.spread.any() and laws.cumulative.shape[1] == 1:
        torsions_ML3 = laws.mean[laws.which, 0].astype(dtype)
        return np.broadcast_to(torsions_ML3, (len(members), *torsions_ML3.shape[1:]))
    mean_L3B, spread_L4B = _chosen(laws, seed, members, dtype)
    z_L3B = normal(seed, members, Stream.TORSION, 3 * laws.which.shape[1]).T.reshape(-1, 3, len(members))
    if np.isfinite(laws.cutoff).any():
        np.clip(z_L3B, -laws.cutoff, laws.cutoff, out=z_L3B)
    shared = spread_L4B[:, 1] * z_L3B[:, 0]
    torsions_L3B = np.multiply(z_L3B, spread_L4B[:, [0, 2, 3]], out=z_L3B if z_L3B.dtype == dtype else None)
    torsions_L3B += mean_L3B
    torsions_L3B[:, 1] += shared
    return torsions_L3B.transpose(2, 0, 1)


def _chosen(laws: TorsionLaws, seed: int, members: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean (L, 3, B) and spread (L, 4, B) of the component that each residue takes; size 1 where all do."""
    which_LM = laws.which.T
    if laws.cumulative.shape[1] == 1:
        component = np.zeros_like(which_LM)
    else:
        u_LB = uniform(seed, members, Stream.MIXTURE, len(which_LM)).T
        component = (u_LB[..., None] >= laws.cumulative[which_LM][..., :-1]).sum(axis=-1)
    mean, spread = laws.mean[which_LM, component], laws.spread[which_LM, component]
    return mean.transpose(0, 2, 1).astype(dtype), spread.transpose(0, 2, 1).astype(dtype)
