"""Image to backbone."""

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import peptide_bonds
from foldpix.image.closed_form import closed_form
from foldpix.image.errors import expected_error, unrefined_error
from foldpix.image.likelihood import hand_margin, levels, misfit
from foldpix.image.refinement import refine as refined
from foldpix.image.views import read_views

# An image that leaves more grey levels, or fits its mirror image nearly as well, is none of a chain: noise
# of 32 levels leaves less, while random images leave more and constant ones have no hand.
_IMPLAUSIBLE_RESIDUAL, _LEAST_MARGIN = 40.0, 0.02
# Chains are decoded a few at a time: on a CPU the maps of more leave the cache, elsewhere they fill memory.
_PIXELS_AT_ONCE, _PIXELS_ON_ACCELERATORS = 2**16, 2**24


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
        Root mean square difference between the distances and directions of the image and those of the
        backbone, in grey levels of 255; infinite where no distance is below ``d_max``.
    margin : array, shape=(...)
        How much worse the mirror image fits: 1 leaves no doubt about the hand, 0 fits alike, and less than 0
        is the wrong hand. It takes four residues; 1 for fewer.
    bonded : array, dtype=bool, shape=(..., L - 1)
        Residues i and i + 1 are joined by a peptide bond; False at a chain break and at padding.
    """

    coords: Any
    error: Any
    residual: Any
    margin: Any
    bonded: Any

    @property
    def plausible(self) -> Any:
        """False where the image is not that of a chain, so that nothing can be trusted: bool, shape=(...)."""
        return (self.residual < _IMPLAUSIBLE_RESIDUAL) & (self.margin > _LEAST_MARGIN)


def decode(image: Any, d_max: Any = 80.0, mask: Any = None, refine: bool = True) -> Decoded:
    """The backbone that an image shows.

    From angles and distances in closed form, then refined (see ``docs/geometry.md``). Distances at or beyond
    ``d_max`` are not needed, chain breaks are found, and noise is measured and allowed for.

    Parameters
    ----------
    image : array, shape=(..., 3, L, L)
        As made by :func:`foldpix.image.encode`; L at least 2.
    d_max : float or array, shape=(...)
        The distance (angstrom) that stands for 1.
    mask : array, shape=(..., L), optional
        True for residues, which come first, and False for padding, whose pixels do not matter.
    refine : bool
        False stops after the closed form: two to four times quicker, 0.075 angstrom off instead of 0.03.

    Returns
    -------
    Decoded

    Raises
    ------
    ValueError
        If the image is not (..., 3, L, L) with L >= 2 in single or double precision, or not finite, its mask
        leaves fewer than two residues, or ``d_max`` is not positive and finite.
    """
    image, d_max, mask = _checked(image, d_max, mask)
    xp, leading, length = array_namespace(image), tuple(image.shape[:-3]), image.shape[-1]
    images, masks = xp.reshape(image, (-1, 3, length, length)), xp.reshape(mask, (-1, length))
    limits = xp.reshape(xp.broadcast_to(d_max, leading), (-1,))
    at_once = max(1, (_PIXELS_AT_ONCE if _on_cpu(image) else _PIXELS_ON_ACCELERATORS) // length**2)
    parts = [
        _decode(images[i : i + at_once], limits[i : i + at_once], masks[i : i + at_once], refine)
        for i in range(0, max(1, images.shape[0]), at_once)
    ]
    columns = (xp.concat(column, axis=0) for column in zip(*parts, strict=True))
    return Decoded(*(xp.reshape(column, (*leading, *column.shape[1:])) for column in columns))


def _decode(image: Any, d_max: Any, mask: Any, refine: bool) -> tuple[Any, Any, Any, Any, Any]:
    """The fields of Decoded for images (B, 3, L, L)."""
    xp, real = array_namespace(image), mask > 0
    views = read_views(image, d_max[:, None, None], mask)
    coords, known, found = closed_form(views)
    bonds = peptide_bonds(coords, mask)
    if refine:
        coords = refined(coords, found, views, known, bonds)
        found = misfit(coords, views, known)
        error = expected_error(coords, found, views, bonds)
    else:
        error = unrefined_error(coords, found, views, bonds)
    coords = xp.where(real[..., None, None], coords, xp.nan)
    error = xp.where(real, error, xp.nan)
    return coords, error, levels(found, views, known), hand_margin(found, views), bonds.bonded


def _on_cpu(image: Any) -> bool:
    return "cpu" in str(device(image)).lower()


def _checked(image: Any, d_max: Any, mask: Any) -> tuple[Any, Any, Any]:
    """The image with zeros at padding, d_max, and the mask in floating point."""
    xp, shape = array_namespace(image), tuple(image.shape)
    if len(shape) < 3 or shape[-3] != 3 or shape[-1] != shape[-2] or shape[-1] < 2:
        raise ValueError(f"image must have shape (..., 3, L, L) with L >= 2, not {shape}")
    if image.dtype not in (xp.float32, xp.float64):
        raise ValueError(f"image must hold float32 or float64 in [-1, 1], not {image.dtype}; see from_pixels")
    d_max = xp.asarray(d_max, dtype=image.dtype, device=device(image))
    if not bool(xp.all((d_max > 0) & xp.isfinite(d_max))):
        raise ValueError(f"d_max must be positive and finite, not {d_max} angstrom")
    of_residues = (*shape[:-3], shape[-1])
    real = xp.ones(of_residues, dtype=xp.bool, device=device(image)) if mask is None else mask > 0
    if tuple(real.shape) != of_residues:
        raise ValueError(f"mask has shape {tuple(real.shape)}; an image of shape {shape} needs {of_residues}")
    if not bool(xp.all(real[..., :2])) or bool(xp.any(real[..., 1:] & ~real[..., :-1])):
        raise ValueError("mask must begin with the residues, two or more, and end with the padding")
    if mask is not None:
        pairs = real[..., None] & real[..., None, :]
        image = xp.where(pairs[..., None, :, :], image, xp.zeros_like(image))
    if not bool(xp.all(xp.isfinite(image))):
        raise ValueError("image holds values that are not finite")
    return image, d_max, xp.astype(real, image.dtype)
