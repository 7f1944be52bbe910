"""How close a decoded backbone is to the true one."""

from dataclasses import dataclass

import numpy as np
from biotite.structure import AtomArray, lddt

from foldpix.geometry import best_rotation, rmsd, tm_scale

# Window lengths L, L/2, ... L/16 from which the search for the best TM-score starts.
_NUM_WINDOW_LENGTHS = 5
_NUM_REFINEMENTS = 30
# Above this score the superposition of the whole chain needs no rival: on real chains none was ever better.
_NEARLY_IDENTICAL = 0.99


@dataclass(frozen=True)
class Closeness:
    """A decoded backbone against the truth.

    Parameters
    ----------
    backbone_rmsd : float
        Over N, CA, C after their superposition, angstrom.
    ca_rmsd : float
        Over CA after their own superposition, angstrom.
    tm_score : float
        Over CA, residues paired by their number.
    lddt : float
        Over N, CA, C; blind to mirror images.
    right_handed : bool
        Whether the truth is closer than its mirror image.
    """

    backbone_rmsd: float
    ca_rmsd: float
    tm_score: float
    lddt: float
    right_handed: bool


def compare(decoded: np.ndarray, truth: np.ndarray) -> Closeness:
    """All figures of one chain; both arrays of N, CA, C with shape (L, 3, 3), angstrom."""
    return Closeness(
        backbone_rmsd=backbone_rmsd(decoded, truth),
        ca_rmsd=ca_rmsd(decoded, truth),
        tm_score=tm_score(decoded[:, 1], truth[:, 1]),
        lddt=backbone_lddt(decoded, truth),
        right_handed=is_right_handed(decoded, truth),
    )


def backbone_rmsd(decoded: np.ndarray, truth: np.ndarray) -> float:
    """RMSD over N, CA, C after superposition, never a reflection: (L, 3, 3) x 2 -> angstrom."""
    return float(rmsd(_points(decoded), _points(truth)))


def ca_rmsd(decoded: np.ndarray, truth: np.ndarray) -> float:
    """RMSD over CA after the superposition of CA alone: (L, 3, 3) x 2 -> angstrom."""
    return backbone_rmsd(decoded[:, 1:2], truth[:, 1:2])


def is_right_handed(decoded: np.ndarray, truth: np.ndarray) -> bool:
    """Whether the truth is closer than its mirror image (RMSD over N, CA, C): (L, 3, 3) x 2."""
    mirrored = truth * np.array([-1.0, 1.0, 1.0])
    return backbone_rmsd(decoded, truth) < backbone_rmsd(decoded, mirrored)


def backbone_lddt(decoded: np.ndarray, truth: np.ndarray) -> float:
    """lDDT over N, CA, C (Mariani et al. 2013; contacts within 15 A): (L, 3, 3) x 2 -> [0, 1]."""
    reference = AtomArray(3 * len(truth))
    reference.coord = _points(truth).astype(np.float32)
    reference.res_id = np.repeat(np.arange(1, len(truth) + 1), 3)
    return float(lddt(reference, _points(decoded).astype(np.float32)))


def tm_score(decoded: np.ndarray, truth: np.ndarray) -> float:
    """TM-score of two traces whose residues are paired by number, under its best superposition.

    Kabsch's superposition minimises the RMSD and so lets one flipped end spoil the score. As in the TM-score
    program (Zhang & Skolnick 2004) the search starts from superpositions of windows along the chain. Each
    is then improved by minorisation: the score is convex in the squared distances, hence a superposition
    weighted by its slope, 1 / (1 + (d / d0)^2)^2, can only raise it. Where the whole chain leads to nearly 1,
    windows are left out.

    Parameters
    ----------
    decoded, truth : ndarray, shape=(L, 3)
        CA in angstrom.

    Returns
    -------
    float
        In (0, 1], normalised by L; never below the score under Kabsch's superposition.
    """
    mobile, target = _points(decoded), _points(truth)
    score = _best_score(np.ones((1, len(target))), mobile, target)
    return score if score > _NEARLY_IDENTICAL else _best_score(_windows(len(target)), mobile, target)


def _points(coords: np.ndarray) -> np.ndarray:
    return np.asarray(coords, dtype=np.float64).reshape(-1, 3)


def _best_score(weight_SL: np.ndarray, mobile: np.ndarray, target: np.ndarray) -> float:
    """The best score that superpositions with S initial weights (S, L) lead to."""
    scale = tm_scale(len(target)) ** 2
    for _ in range(_NUM_REFINEMENTS):
        closeness_SL = 1.0 / (1.0 + _squared_distances(weight_SL, mobile, target) / scale)
        weight_SL = closeness_SL**2
    return float(np.max(np.mean(closeness_SL, axis=-1)))


def _windows(length: int) -> np.ndarray:
    """Indicators (S, L) of windows of L, L/2, L/4, ... residues, each half a window further than the last."""
    rows = []
    for halvings in range(_NUM_WINDOW_LENGTHS):
        size = max(length >> halvings, min(4, length))
        starts = {*range(0, length - size + 1, max(size // 2, 1)), length - size}
        offset = np.arange(length) - np.array(sorted(starts))[:, None]
        rows.append((offset >= 0) & (offset < size))
    return np.concatenate(rows).astype(np.float64)


def _squared_distances(weight_SL: np.ndarray, mobile: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Squared distances (S, L) of the pairs after each of S weighted superpositions."""
    share = weight_SL / np.sum(weight_SL, axis=-1, keepdims=True)
    mobile_SL3 = mobile - (share @ mobile)[:, None]
    target_SL3 = target - (share @ target)[:, None]
    covariance = np.swapaxes(mobile_SL3 * share[..., None], -1, -2) @ target_SL3
    rotation, _ = best_rotation(covariance)
    deviation = mobile_SL3 @ np.swapaxes(rotation, -1, -2) - target_SL3
    return np.sum(deviation**2, axis=-1)
