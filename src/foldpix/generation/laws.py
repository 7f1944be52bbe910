"""Laws of torsions: what the torsions of every residue of every member are drawn from."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from foldpix.generation.conformations import (
    IDEAL,
    PROLINE_PHI,
    PROLINE_RANGE,
    given_torsions,
    label_torsions,
)

#: Degrees of omega where phi and psi of an ideal conformation or of given torsions drift.
OMEGA_DRIFT = 2.0


class TorsionLaws(NamedTuple):
    """What each residue's torsions are drawn from: mixtures of K normal distributions of phi, psi, omega.

    Parameters
    ----------
    which : ndarray, dtype=int32, shape=(M, L)
        Row of the tables below for each residue; M is 1 where all members are alike, else B.
    cumulative : ndarray, dtype=float32, shape=(T, K)
        Cumulative weights of the components; the last is 1.
    mean : ndarray, dtype=float64, shape=(T, K, 3)
        Radian.
    spread : ndarray, dtype=float64, shape=(T, K, 4)
        a, b, c, d in radian: with standard normal z, phi is its mean + a z1, psi its mean + b z1 + c z2,
        omega its mean + d z3.
    """

    which: np.ndarray
    cumulative: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def laws_of(
    conformation: Any,
    chains: Sequence[Sequence[str]],
    seed: int,
    members: np.ndarray,
    drift: float = 0.0,
    cis_proline: float = 0.0,
) -> tuple[TorsionLaws, list[str]]:
    lengths = [len(chain) for chain in chains]
    if isinstance(conformation, str):
        return _ideal_laws(conformation, chains, members, drift)
    torsions_BL3 = given_torsions(conformation, lengths, len(members))
    return _given_laws(torsions_BL3, len(members), drift)


def _ideal_laws(
    name: str, chains: Sequence[Sequence[str]], members: np.ndarray, drift: float
) -> tuple[TorsionLaws, list[str]]:
    phi, psi, label = IDEAL[name]
    names = [residue for chain in chains for residue in chain]
    proline = phi if PROLINE_RANGE[0] <= phi <= PROLINE_RANGE[1] else PROLINE_PHI
    mean = np.radians([[phi, psi, 180], [-phi, -psi, 180], [proline, psi, 180], [-proline, -psi, 180]])
    rows = [2 * residue.endswith("PRO") + residue.startswith("D-") for residue in names]
    laws = TorsionLaws(
        np.array([rows], dtype=np.int32),
        np.ones((4, 1), dtype=np.float32),
        mean[:, None],
        np.broadcast_to(_drift_spread(drift), (4, 1, 4)),
    )
    return laws, [label * len(names)] * len(members)


def _given_laws(torsions_BL3: np.ndarray, num_members: int, drift: float) -> tuple[TorsionLaws, list[str]]:
    num, length = torsions_BL3.shape[:2]
    rows = np.arange(num * length, dtype=np.int32).reshape(num, length)
    laws = TorsionLaws(
        rows,
        np.ones((num * length, 1), dtype=np.float32),
        torsions_BL3.reshape(-1, 1, 3),
        np.broadcast_to(_drift_spread(drift), (num * length, 1, 4)),
    )
    labels = label_torsions(torsions_BL3)
    return laws, labels if num == num_members else labels * num_members


def _drift_spread(drift: float) -> np.ndarray:
    omega = OMEGA_DRIFT if drift > 0.0 else 0.0
    return np.radians([drift, 0.0, drift, omega])
