"""Alignment of flat batches of padded arrays, spread over devices with `jax.shard_map`.

The names, orders and shapes of shepherd-score's functions. They run Adam with a fixed step unless told
``method="newton"``. Any number of pairs will do: what the devices do not divide is padded inside.

Letters of shapes: P pairs, N points of references, M points of fits, R starts; masks are 1 where points are
real.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.overlaps import Charged, Overlap, Pharmacophore, Volume
from foldpix.alignment.poses import apply
from foldpix.alignment.search import align

Poses = tuple[np.ndarray, np.ndarray, np.ndarray]


def optimize_ROCS_overlay_jax_vol_shmap(
    ref_batch: Any,
    fit_batch: Any,
    mask_ref_batch: Any,
    mask_fit_batch: Any,
    VAA_batch: Any,
    VBB_batch: Any,
    se3_init_batch: Any,
    alpha: float,
    lr: float,
    max_num_steps: int,
    *,
    method: str = "adam",
    devices: Sequence[jax.Device] | None = None,
) -> Poses:
    """Volumes on one another.

    Parameters
    ----------
    ref_batch, fit_batch : array, shape=(P, N, 3), (P, M, 3)
        Positions in Å.
    mask_ref_batch, mask_fit_batch : array, shape=(P, N), (P, M)
    VAA_batch, VBB_batch : array, shape=(P,)
        Overlaps of molecules with themselves; found again inside, so that they cannot disagree.
    se3_init_batch : array, shape=(P, R, 7)
        Starts: quaternion, scalar first, and translation.
    alpha : float
        Width of the Gaussians in Å⁻².
    lr : float
        Step of Adam.
    max_num_steps : int
    method : {"adam", "newton"}
    devices : sequence of jax.Device, optional
        All by default.

    Returns
    -------
    aligned_pts : ndarray, shape=(P, M, 3), dtype=float32
    se3_transform : ndarray, shape=(P, 4, 4), dtype=float32
    scores : ndarray, shape=(P,), dtype=float32
        NaN for a pair that cannot be aligned; its transform is the identity.
    """
    del VAA_batch, VBB_batch
    refs, fits = _clouds(mask_ref_batch, points=ref_batch), _clouds(mask_fit_batch, points=fit_batch)
    return _run(refs, fits, Volume(alpha), fit_batch, se3_init_batch, lr, max_num_steps, method, devices)


def optimize_ROCS_esp_overlay_jax_vol_esp_shmap(
    ref_batch: Any,
    fit_batch: Any,
    ref_charges_batch: Any,
    fit_charges_batch: Any,
    mask_ref_batch: Any,
    mask_fit_batch: Any,
    VAA_batch: Any,
    VBB_batch: Any,
    se3_init_batch: Any,
    alpha: float,
    lam: float,
    lr: float,
    max_num_steps: int,
    *,
    method: str = "adam",
    devices: Sequence[jax.Device] | None = None,
) -> Poses:
    """Volumes with partial charges, (P, N, 1) or (P, N); else as `optimize_ROCS_overlay_jax_vol_shmap`."""
    del VAA_batch, VBB_batch
    refs = _clouds(mask_ref_batch, points=ref_batch, charges=_flat(ref_charges_batch))
    fits = _clouds(mask_fit_batch, points=fit_batch, charges=_flat(fit_charges_batch))
    overlap = Charged(alpha, lam)
    return _run(refs, fits, overlap, fit_batch, se3_init_batch, lr, max_num_steps, method, devices)


def optimize_ROCS_overlay_jax_surf_shmap(
    ref_batch: Any,
    fit_batch: Any,
    VAA_batch: Any,
    VBB_batch: Any,
    se3_init_batch: Any,
    alpha: float,
    lr: float,
    max_num_steps: int,
    *,
    method: str = "adam",
    devices: Sequence[jax.Device] | None = None,
) -> Poses:
    """Surfaces of one number of points; else as `optimize_ROCS_overlay_jax_vol_shmap`."""
    del VAA_batch, VBB_batch
    refs, fits = _clouds(None, points=ref_batch), _clouds(None, points=fit_batch)
    return _run(refs, fits, Volume(alpha), fit_batch, se3_init_batch, lr, max_num_steps, method, devices)


def optimize_ROCS_esp_overlay_jax_surf_esp_shmap(
    ref_batch: Any,
    fit_batch: Any,
    ref_charges_batch: Any,
    fit_charges_batch: Any,
    VAA_batch: Any,
    VBB_batch: Any,
    se3_init_batch: Any,
    alpha: float,
    lam: float,
    lr: float,
    max_num_steps: int,
    *,
    method: str = "adam",
    devices: Sequence[jax.Device] | None = None,
) -> Poses:
    """Surfaces with potentials, (P, N) or (P, N, 1); else as `optimize_ROCS_overlay_jax_vol_shmap`."""
    del VAA_batch, VBB_batch
    refs = _clouds(None, points=ref_batch, charges=_flat(ref_charges_batch))
    fits = _clouds(None, points=fit_batch, charges=_flat(fit_charges_batch))
    overlap = Charged(alpha, lam)
    return _run(refs, fits, overlap, fit_batch, se3_init_batch, lr, max_num_steps, method, devices)


def optimize_pharm_overlay_jax_pharm_shmap(
    ref_pharms_batch: Any,
    fit_pharms_batch: Any,
    ref_anchors_batch: Any,
    fit_anchors_batch: Any,
    ref_vectors_batch: Any,
    fit_vectors_batch: Any,
    mask_ref_batch: Any,
    mask_fit_batch: Any,
    ref_self_batch: Any,
    fit_self_batch: Any,
    se3_init_batch: Any,
    similarity: str,
    extended_points: bool,
    only_extended: bool,
    lr: float,
    max_num_steps: int,
    *,
    method: str = "adam",
    devices: Sequence[jax.Device] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pharmacophores on one another.

    Parameters
    ----------
    ref_pharms_batch, fit_pharms_batch : array, shape=(P, N), (P, M), dtype=int32
        Kinds, places in `foldpix.alignment.PHARMACOPHORES`.
    ref_anchors_batch, ref_vectors_batch : array, shape=(P, N, 3)
        Positions and directions; those of fits (P, M, 3).
    mask_ref_batch, mask_fit_batch : array, shape=(P, N), (P, M)
    ref_self_batch, fit_self_batch : array, shape=(P,)
        Found again inside.
    se3_init_batch : array, shape=(P, R, 7)
    similarity : {"tanimoto", "tversky", "tversky_ref", "tversky_fit"}
    extended_points, only_extended : bool
        See `foldpix.alignment.Pharmacophore`.
    lr, max_num_steps, method, devices
        As of `optimize_ROCS_overlay_jax_vol_shmap`.

    Returns
    -------
    aligned_anchors, aligned_vectors : ndarray, shape=(P, M, 3), dtype=float32
    se3_transform : ndarray, shape=(P, 4, 4), dtype=float32
    scores : ndarray, shape=(P,), dtype=float32
    """
    del ref_self_batch, fit_self_batch
    refs = _clouds(
        mask_ref_batch, points=ref_anchors_batch, types=ref_pharms_batch, vectors=ref_vectors_batch
    )
    fits = _clouds(
        mask_fit_batch, points=fit_anchors_batch, types=fit_pharms_batch, vectors=fit_vectors_batch
    )
    overlap = Pharmacophore(similarity, extended_points, only_extended)
    anchors, transforms, scores = _run(
        refs, fits, overlap, fit_anchors_batch, se3_init_batch, lr, max_num_steps, method, devices
    )
    vectors = np.asarray(fit_vectors_batch) @ np.swapaxes(transforms[:, :3, :3], 1, 2)
    return anchors, vectors.astype(np.float32), transforms, scores


def _clouds(mask: Any, **columns: Any) -> list[Cloud]:
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    num_pairs, num_points = arrays["points"].shape[:2]
    real = np.ones((num_pairs, num_points), bool) if mask is None else np.asarray(mask) > 0
    return [Cloud(**{name: x[k][real[k]] for name, x in arrays.items()}) for k in range(num_pairs)]


def _flat(charges: Any) -> np.ndarray:
    charges = np.asarray(charges)
    return charges[..., 0] if charges.ndim == 3 else charges


def _run(
    refs: list[Cloud],
    fits: list[Cloud],
    overlap: Overlap,
    fit_batch: Any,
    starts: Any,
    lr: float,
    max_num_steps: int,
    method: str,
    devices: Sequence[jax.Device] | None,
) -> Poses:
    found = align(
        refs,
        fits,
        overlap,
        method=method,
        starts=list(np.asarray(starts)),
        lr=lr,
        max_num_steps=max_num_steps,
        devices=devices,
    )
    aligned = apply(found.transforms, np.asarray(fit_batch, np.float64))
    return (
        aligned.astype(np.float32),
        found.transforms.astype(np.float32),
        found.scores.astype(np.float32),
    )
