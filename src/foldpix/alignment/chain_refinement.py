"""Superpositions of two chains improved towards a higher TM-score."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from foldpix.alignment.correspondence import Sums, fill, make_sums, matched_residues, traced
from foldpix.alignment.poses import apply
from foldpix.geometry import tm_scale

# Terms of Gaussian overlaps with a larger exponent than this are less than 1e-8.
_MOST_EXPONENT = 18.5
# All poses get the first rounds; the best goes on, until a round gains less than the share of its score.
_FIRST_ROUNDS, _MOST_ROUNDS = 3, 20
_LEAST_GAIN = 1e-3
# Superpositions from one matching of residues: a few bring most of what many would.
_NUM_SUPERPOSITIONS = 3
#: Residues nearer than this (angstrom) lie on each other; TM-align marks those pairs, too.
MATCHED = 5.0


class Superposition(NamedTuple):
    """A pose of one chain on another.

    Attributes
    ----------
    transform : ndarray, shape=(4, 4), dtype=float64
        x' = R x + t moves the fit onto the reference.
    tm_score : float
        In this pose, over the residues that `matched_residues` pairs, by the length of the shorter chain.
    rmsd : float
        In this pose, angstrom, over the pairs nearer than 5 angstrom; NaN where there is none.
    num_matched : int
        Those pairs.
    """

    transform: np.ndarray
    tm_score: float
    rmsd: float
    num_matched: int


def measured(ref_N3: np.ndarray, fit_M3: np.ndarray, transform: np.ndarray) -> Superposition:
    """What a pose is worth; chains of CA in angstrom."""
    moved_M3 = apply(transform, fit_M3)
    scale = tm_scale(min(len(ref_N3), len(fit_M3)))
    ref, fit = matched_residues(ref_N3, moved_M3, scale).T
    square_K = np.sum((ref_N3[ref] - moved_M3[fit]) ** 2, axis=-1)
    tm_score = np.sum(1.0 / (1.0 + square_K / scale**2)) / min(len(ref_N3), len(fit_M3))
    near = square_K[square_K < MATCHED**2]
    return Superposition(
        transform, float(tm_score), float(np.mean(near) ** 0.5) if len(near) else np.nan, len(near)
    )


@njit(cache=True)
def gaussian_overlap(ref_N3: np.ndarray, fit_M3: np.ndarray, alpha: float) -> float:
    """Sum over all pairs of points of exp(-α/2 d²); α in Å⁻²."""
    total = 0.0
    for i in range(len(ref_N3)):
        for j in range(len(fit_M3)):
            exponent = 0.0
            for k in range(3):
                exponent += 0.5 * alpha * (ref_N3[i, k] - fit_M3[j, k]) ** 2
            if not exponent > _MOST_EXPONENT:  # so that NaN stays NaN
                total += np.exp(-exponent)
    return total


def refined(ref_N3: np.ndarray, fit_M3: np.ndarray, transforms: Sequence[np.ndarray]) -> Superposition:
    """The best superposition that poses lead to.

    As in TM-align (Zhang & Skolnick 2005) residues are matched in a pose, superposed, and matched again. The
    superposition weighs each pair with the slope of its closeness, which can only raise the score.

    Parameters
    ----------
    ref_N3, fit_M3 : ndarray, dtype=float64
        CA in angstrom.
    transforms : sequence of ndarray, shape=(4, 4)
        Poses to begin with, at least one.
    """
    center = ref_N3.mean(axis=0)
    ref = np.ascontiguousarray((ref_N3 - center).T)
    fit = np.ascontiguousarray(fit_M3.T)
    sharpness = 1.0 / tm_scale(min(len(ref_N3), len(fit_M3))) ** 2
    sums = make_sums(len(ref_N3), len(fit_M3))
    to_center = np.eye(4)
    to_center[:3, 3] = -center
    poses = [to_center @ transform for transform in transforms]
    scored = [_improved(ref, fit, pose, sharpness, _FIRST_ROUNDS, sums) for pose in poses]
    first = max(scored, key=lambda found: found[0])[1]
    _, pose = _improved(ref, fit, first, sharpness, _MOST_ROUNDS, sums)
    return measured(ref_N3, fit_M3, np.linalg.inv(to_center) @ pose)


@njit(cache=True)
def _improved(
    ref: np.ndarray, fit: np.ndarray, pose: np.ndarray, sharpness: float, num_rounds: int, sums: Sums
) -> tuple[float, np.ndarray]:
    """The best sum of closeness on the way, and its pose."""
    best, best_pose = -1.0, pose
    ref_f4 = ref.astype(np.float32)
    for _ in range(num_rounds):
        moved = _moved(fit, pose)
        fill(ref_f4, moved.astype(np.float32), np.float32(sharpness), sums)
        pairs = traced(sums)
        weight = _closeness(ref, moved, pairs, sharpness)
        score = weight.sum()
        if score > best:
            better, best_pose = score - best, pose
            best = score
        else:
            better = 0.0
        if better < _LEAST_GAIN * best:
            break
        for _ in range(_NUM_SUPERPOSITIONS):
            pose = _superposed(ref, fit, pairs, weight**2)
            weight = _closeness(ref, _moved(fit, pose), pairs, sharpness)
    return best, best_pose


@njit(cache=True)
def _moved(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    moved = np.empty_like(points)
    for j in range(points.shape[1]):
        for k in range(3):
            moved[k, j] = (
                pose[k, 0] * points[0, j] + pose[k, 1] * points[1, j] + pose[k, 2] * points[2, j] + pose[k, 3]
            )
    return moved


@njit(cache=True)
def _closeness(ref: np.ndarray, fit: np.ndarray, pairs: np.ndarray, sharpness: float) -> np.ndarray:
    closeness = np.empty(len(pairs))
    for n, (i, j) in enumerate(pairs):
        square = (ref[0, i] - fit[0, j]) ** 2 + (ref[1, i] - fit[1, j]) ** 2 + (ref[2, i] - fit[2, j]) ** 2
        closeness[n] = 1.0 / (1.0 + square * sharpness)
    return closeness


@njit(cache=True)
def _superposed(ref: np.ndarray, fit: np.ndarray, pairs: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The superposition of weighted pairs with the least sum of squares, by Horn's quaternion (1987)."""
    total, ref_mean, fit_mean = 0.0, np.zeros(3), np.zeros(3)
    for n, (i, j) in enumerate(pairs):
        total += weight[n]
        for k in range(3):
            ref_mean[k] += weight[n] * ref[k, i]
            fit_mean[k] += weight[n] * fit[k, j]
    for k in range(3):
        ref_mean[k], fit_mean[k] = ref_mean[k] / total, fit_mean[k] / total
    covariance = np.zeros((3, 3))
    for n, (i, j) in enumerate(pairs):
        for k in range(3):
            for m in range(3):
                covariance[k, m] += weight[n] * (ref[k, i] - ref_mean[k]) * (fit[m, j] - fit_mean[m])
    pose = _best_rotation(covariance)
    for k in range(3):
        pose[k, 3] = ref_mean[k]
        for m in range(3):
            pose[k, 3] -= pose[k, m] * fit_mean[m]
    return pose


@njit(cache=True)
def _best_rotation(c: np.ndarray) -> np.ndarray:
    """The rotation R with the largest trace of R Cᵀ, as a pose (4, 4)."""
    m = np.zeros((4, 4))
    m[0, 0] = c[0, 0] + c[1, 1] + c[2, 2]
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        m[i + 1, 0] = c[k, j] - c[j, k]
        m[i + 1, i + 1] = 2.0 * c[i, i] - m[0, 0]
        m[j + 1, i + 1] = m[i + 1, j + 1] = c[i, j] + c[j, i]
        m[0, i + 1] = m[i + 1, 0]
    q = np.linalg.eigh(m)[1][:, 3]
    pose = np.eye(4)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        pose[i, i] = 1.0 - 2.0 * (q[j + 1] ** 2 + q[k + 1] ** 2)
        pose[j, i] = 2.0 * (q[i + 1] * q[j + 1] + q[0] * q[k + 1])
        pose[i, j] = 2.0 * (q[i + 1] * q[j + 1] - q[0] * q[k + 1])
    return pose
