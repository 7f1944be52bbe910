"""The closed form that the maps' definition suggests: CB by their distances, then a frame for every residue.

Each residue sees the CB of the others: their distances and directions are in its row. Superposing what it
sees onto the CB gives its frame, and the hand with the smaller residual is the right one. Then everything
is pulled together by linear least squares.
"""

import numpy as np

from benchmarks.reference.mds import decode_cb, read_distances
from benchmarks.reference.smacof import decode_cb_known, known_pairs
from foldpix.geometry import IDEAL_RESIDUE

_ROUNDS = 3


def decode_mds(image: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """Image (3, L, L) to N, CA, C (L, 3, 3): classical MDS, cut-off distances as they are, then frames."""
    views, weights = _views(image, d_max)
    return _residues(*_right_hand(decode_cb(image, d_max), views, weights))


def decode_smacof(image: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """The same with SMACOF on the distances that are known."""
    views, weights = _views(image, d_max)
    return _residues(*_right_hand(decode_cb_known(image, d_max), views, weights))


def decode_frame_ls(image: np.ndarray, d_max: float = 80.0) -> np.ndarray:
    """The same, then least squares of ``CB_j = CB_i + R_i v_ij`` over known pairs, and new frames."""
    views, weights = _views(image, d_max)
    cb, rotations = _right_hand(decode_cb_known(image, d_max), views, weights)
    known = weights * known_pairs(read_distances(image, d_max), d_max)
    laplacian = np.diag((known + known.T).sum(axis=1)) - known - known.T
    inverse = np.linalg.pinv(laplacian, rcond=1e-9, hermitian=True)
    for _ in range(_ROUNDS):
        steps = np.einsum("iab,ijb->ija", rotations, views) * known[..., None]
        cb = inverse @ (steps.sum(axis=0) - steps.sum(axis=1))
        rotations, _ = _fitted(cb, views, weights)
    return _residues(cb, rotations)


def _views(image: np.ndarray, d_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Where residue i sees CB_j, (L, L, 3), and what that counts, (L, L)."""
    theta, phi = image[1] * np.pi, (image[2] + 1) * np.pi / 2
    toward = np.stack([np.sin(phi) * np.cos(theta), np.sin(phi) * np.sin(theta), -np.cos(phi)], axis=-1)
    distances = read_distances(image, d_max)
    weights = 1 / (distances + 4) ** 2
    np.fill_diagonal(weights, 0)
    return toward * distances[..., None], weights


def _right_hand(cb: np.ndarray, views: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    fits = [(hand * cb, *_fitted(hand * cb, views, weights)) for hand in (1, -1)]
    cb, rotations, _ = min(fits, key=lambda fit: fit[2])
    return cb, rotations


def _fitted(cb: np.ndarray, views: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Rotations (L, 3, 3) from local to global coordinates by Kabsch, and the squared residual."""
    seen = cb[None] - cb[:, None]
    u, _, vt = np.linalg.svd(np.einsum("ij,ija,ijb->iab", weights, views, seen))
    vt[:, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))[:, None]
    rotations = np.swapaxes(u @ vt, 1, 2)
    missed = np.einsum("iab,ijb->ija", rotations, views) - seen
    return rotations, float(np.sum(weights[..., None] * missed**2))


def _residues(cb: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    return cb[:, None] + np.einsum("iab,kb->ika", rotations, IDEAL_RESIDUE)
