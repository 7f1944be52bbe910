"""Batches of peptides as NumPy suggests them: a step of Python per residue, arrays of all pairs."""

import math

import numpy as np

from benchmarks.reference.orientation import angles, dihedrals
from foldpix.geometry.nerf import C_N, C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA, N_CA_C
from foldpix.structure.oxygen import C_O, CA_C_O

#: phi, psi, omega of an alpha helix, degrees.
HELIX = (-57.0, -47.0, 180.0)
_OMEGA_DRIFT = 2.0


def draw_torsions(num: int, length: int, drift: float, seed: int) -> np.ndarray:
    """phi, psi, omega (B, L, 3) in radian of helices that scatter by ``drift`` degrees."""
    rng = np.random.default_rng(seed)
    torsions = np.tile(np.array(HELIX), (num, length, 1))
    if drift > 0:
        torsions += rng.normal(0, 1, (num, length, 3)) * np.array([drift, drift, _OMEGA_DRIFT])
    return np.radians(torsions)


def build(torsions: np.ndarray) -> np.ndarray:
    """N, CA, C, O (B, L, 4, 3) from phi, psi, omega (B, L, 3), float64."""
    num, length, _ = torsions.shape
    coords = np.zeros((num, length, 4, 3))
    coords[:, 0, 1] = N_CA, 0, 0
    coords[:, 0, 2] = N_CA - CA_C * math.cos(N_CA_C), CA_C * math.sin(N_CA_C), 0
    for i in range(length):
        phi, psi, _ = torsions[:, i].T
        if i > 0:
            _, before, omega = torsions[:, i - 1].T
            last_n, last_ca, last_c = (coords[:, i - 1, atom] for atom in range(3))
            n = place(last_n, last_ca, last_c, C_N, CA_C_N, before)
            ca = place(last_ca, last_c, n, N_CA, C_N_CA, omega)
            coords[:, i, 0], coords[:, i, 1] = n, ca
            coords[:, i, 2] = place(last_c, n, ca, CA_C, N_CA_C, phi)
        n, ca, c = (coords[:, i, atom] for atom in range(3))
        coords[:, i, 3] = place(n, ca, c, C_O, CA_C_O, psi + math.pi)
    return coords


def place(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, length: float, angle: float, torsion: np.ndarray
) -> np.ndarray:
    """Fourth points (B, 3) of chains a-b-c-d."""
    along = c - b
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sideways = np.cross(normal, along)
    x = np.full_like(torsion, -length * math.cos(angle))
    y, z = (length * math.sin(angle) * turn(torsion) for turn in (np.cos, np.sin))
    return c + x[:, None] * along + y[:, None] * sideways + z[:, None] * normal


def orientations(n: np.ndarray, ca: np.ndarray, cb: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distance, omega, theta, phi (B, L, L) in degrees, from points of all pairs (B, L, L, 3)."""
    num, length, _ = cb.shape
    shape = (num, length, length, 3)
    n_i, ca_i, cb_i = (np.broadcast_to(points[:, :, None], shape) for points in (n, ca, cb))
    ca_j, cb_j = (np.broadcast_to(points[:, None], shape) for points in (ca, cb))
    with np.errstate(invalid="ignore", divide="ignore"):  # the diagonal
        maps = (
            np.linalg.norm(cb_j - cb_i, axis=-1),
            np.degrees(dihedrals(ca_i, cb_i, cb_j, ca_j)),
            np.degrees(dihedrals(n_i, ca_i, cb_i, cb_j)),
            np.degrees(angles(ca_i, cb_i, cb_j)),
        )
    for each in maps:
        each[:, np.arange(length), np.arange(length)] = 0
    return maps


def medoid(coords: np.ndarray) -> tuple[int, np.ndarray]:
    """The member with the least sum of RMSDs, and all RMSDs (B, B): one Kabsch fit after the other."""
    rmsd = np.zeros((len(coords), len(coords)))
    for i in range(len(coords)):
        for j in range(i):
            rmsd[i, j] = rmsd[j, i] = fitted_rmsd(coords[i], coords[j])
    return int(np.argmin(rmsd.sum(axis=1))), rmsd


def fitted_rmsd(mobile: np.ndarray, target: np.ndarray) -> float:
    """RMSD of points (N, 3) after Kabsch's fit."""
    mobile, target = mobile - mobile.mean(axis=0), target - target.mean(axis=0)
    u, _, vt = np.linalg.svd(mobile.T @ target)
    hand = np.diag([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    return float(np.sqrt(np.mean(np.sum((mobile @ u @ hand @ vt - target) ** 2, axis=1))))
