"""Image to backbone: the closed-form inverse, with its own choice of handedness."""

import math
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import IDEAL_RESIDUE, best_rotation, classical_mds


@dataclass(frozen=True)
class Decoded:
    """Backbones that images show, with what the images say about their quality.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom, centred; NaN at padding.
    error : array, shape=(..., L)
        Expected error of each residue in angstrom; NaN at padding.
    residual : array, shape=(...)
        Root mean square difference between the image and that of the backbone, in grey levels of 255.
    margin : array, shape=(...)
        How much worse the mirror image fits, from 0 (both hands alike) to 1.
    bonded : array, dtype=bool, shape=(..., L - 1)
        Residues i and i + 1 are joined by a peptide bond; False at a chain break and at padding.
    """

    coords: Any
    error: Any
    residual: Any
    margin: Any
    bonded: Any


def decode(image: Any, d_max: Any = 80.0, mask: Any = None, refine: bool = True) -> Decoded:
    """The backbone that an image shows.

    Distances give the CB atoms up to a reflection (classical MDS). In residue i's own frame d, theta and
    phi say where every other CB lies; a weighted Kabsch fit of these places onto the CB atoms turns ideal
    residues into position. Of the two mirror images the one with the smaller residual of these fits is
    right: the residuals differ by four times the summed chirality of the fits, so one pass decides.

    Parameters
    ----------
    image : array, shape=(..., 3, L, L)
        As made by :func:`foldpix.image.encode`; L at least 4.
    d_max : float
        The distance (angstrom) that stands for 1.

    Returns
    -------
    array, shape=(..., L, 3, 3)
        N, CA, C in angstrom, centred on the CB atoms.

    Raises
    ------
    ValueError
        If the image is not (..., 3, L, L) with L >= 4 or ``d_max`` is not positive.
    """
    _check(image, d_max)
    xp = array_namespace(image)
    d, local_L3L = _local_places(image, d_max)
    cb = classical_mds(d)
    off_diagonal = ~xp.eye(d.shape[-1], dtype=xp.bool, device=device(image))
    # Near residues fix a frame best: their direction errs least by the errors of CB, the most by pixels.
    weight = xp.where(off_diagonal, 1.0 / (d + 4.0) ** 2, xp.zeros_like(d))
    weighted = local_L3L * weight[..., :, None, :]
    covariance = xp.matmul(weighted, cb[..., None, :, :])
    covariance = covariance - xp.sum(weighted, axis=-1)[..., :, None] * cb[..., :, None, :]

    _, chirality = best_rotation(covariance)
    total = xp.sum(chirality, axis=-1)
    hand = xp.where(total < 0, -xp.ones_like(total), xp.ones_like(total))[..., None, None]
    rotation, _ = best_rotation(covariance * hand[..., None])
    ideal = xp.asarray(IDEAL_RESIDUE, dtype=image.dtype, device=device(image))
    coords = (cb * hand)[..., None, :] + xp.matmul(ideal, xp.matrix_transpose(rotation))
    return Decoded(coords, cb[..., 0] * 0.0, total * 0.0, total * 0.0, cb[..., 1:, 0] == cb[..., 1:, 0])


def _check(image: Any, d_max: float) -> None:
    shape = tuple(image.shape)
    if len(shape) < 3 or shape[-3] != 3 or shape[-1] != shape[-2] or shape[-1] < 4:
        raise ValueError(f"image must have shape (..., 3, L, L) with L >= 4, not {shape}")
    if not d_max > 0:
        raise ValueError(f"d_max must be positive, not {d_max} angstrom")


def _local_places(image: Any, d_max: float) -> tuple[Any, Any]:
    """Distances (..., L, L) and the places of CB_j in the frame of residue i, (..., L, 3, L)."""
    xp = array_namespace(image)
    lower = xp.tril((image[..., 0, :, :] + 1.0) * (0.5 * d_max), k=-1)
    d = lower + xp.matrix_transpose(lower)
    theta = image[..., 1, :, :] * math.pi
    phi = (image[..., 2, :, :] + 1.0) * (0.5 * math.pi)
    rho = d * xp.sin(phi)
    return d, xp.stack([rho * xp.cos(theta), rho * xp.sin(theta), -d * xp.cos(phi)], axis=-2)
