"""Torsions drawn from their laws."""

from typing import Any

import numpy as np
from numba import njit

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
    laws_L7B = _chosen(laws, seed, members, dtype)
    z_L3B = normal(seed, members, Stream.TORSION, 3 * laws.which.shape[1]).T.reshape(-1, 3, len(members))
    if np.isfinite(laws.cutoff).any():
        np.clip(z_L3B, -laws.cutoff, laws.cutoff, out=z_L3B)
    torsions_L3B = z_L3B.astype(dtype, copy=False)
    _spread(torsions_L3B, laws_L7B)
    return torsions_L3B.transpose(2, 0, 1)


def _chosen(laws: TorsionLaws, seed: int, members: np.ndarray, dtype: Any) -> np.ndarray:
    """Mean and spread of the component that each residue takes: (L, 7, B or, where all are alike, 1)."""
    which_LM = laws.which.T
    if laws.cumulative.shape[1] == 1:
        component = np.zeros_like(which_LM)
    else:
        u_LB = uniform(seed, members, Stream.MIXTURE, len(which_LM)).T
        component = (u_LB[..., None] >= laws.cumulative[which_LM][..., :-1]).sum(axis=-1)
    table = np.concatenate([laws.mean, laws.spread], axis=-1).astype(dtype)
    return np.ascontiguousarray(table[which_LM, component].transpose(0, 2, 1))


@njit(cache=True, fastmath={"contract"})
def _spread(z_L3B: np.ndarray, laws_L7B: np.ndarray) -> None:
    """Normal numbers to torsions, in place."""
    alike = laws_L7B.shape[2] == 1
    for i in range(len(z_L3B)):
        phi, psi, omega = z_L3B[i, 0], z_L3B[i, 1], z_L3B[i, 2]
        if alike:
            law = _law(laws_L7B[i], 0)
            for b in range(len(phi)):
                phi[b], psi[b], omega[b] = _torsions(phi[b], psi[b], omega[b], law)
        else:
            for b in range(len(phi)):
                phi[b], psi[b], omega[b] = _torsions(phi[b], psi[b], omega[b], _law(laws_L7B[i], b))


@njit(cache=True, fastmath={"contract"})
def _law(own_7B: np.ndarray, b: int) -> tuple:
    return own_7B[0, b], own_7B[1, b], own_7B[2, b], own_7B[3, b], own_7B[4, b], own_7B[5, b], own_7B[6, b]


@njit(cache=True, fastmath={"contract"})
def _torsions(z1: float, z2: float, z3: float, law: tuple) -> tuple:
    phi, psi, omega, own, shared, rest, turn = law
    return phi + own * z1, psi + shared * z1 + rest * z2, omega + turn * z3
