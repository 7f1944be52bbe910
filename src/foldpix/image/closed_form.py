"""A backbone from an image in closed form: two ways, one led by the angles, one by the distances."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import IDEAL_RESIDUE, best_rotation, classical_mds, complete_distances, synchronize
from foldpix.image.likelihood import Misfit, evidence, levels, misfit
from foldpix.image.views import DISAGREEMENT_A_LEVEL, Views

# Grey levels of misfit above which the angles may be too poor to lead.
_NOISY = 2.0


def closed_form(views: Views) -> tuple[Any, Any, Misfit]:
    """The likelier of the two, for each chain.

    Returns
    -------
    coords : array, shape=(..., L, 3, 3)
    known : array, dtype=bool, shape=(..., L, L)
        Pairs whose distance is in the image, as far as its noise allows to say.
    found : Misfit
        Of these coordinates.
    """
    xp = array_namespace(views.mask)
    coords, known = from_rotations(views)
    found = misfit(coords, views, known)
    noisy = levels(found, views, known) > _NOISY
    if bool(xp.any(noisy)):
        others = from_distances(views, known)
        better = noisy & (evidence(misfit(others, views, known)) > evidence(found))
        coords = xp.where(better[..., None, None, None], others, coords)
        found = misfit(coords, views, known)
    return coords, known, found


def from_rotations(views: Views) -> tuple[Any, Any]:
    """Frames by rotation synchronisation, then CB by the mean of what all residues say of its place.

    The way of choice for an exact image: the angles know the hand, and every pair is measured twice.

    Returns
    -------
    coords : array, shape=(..., L, 3, 3)
    known : array, dtype=bool, shape=(..., L, L)
        Pairs whose distance is in the image, as far as the noise that the rotations show allows to say.
    """
    xp = array_namespace(views.mask)
    axes, disagreement = synchronize(views.rotation, views.mask)
    known = views.known(disagreement / DISAGREEMENT_A_LEVEL)
    place = _places(views, known)
    turned = xp.matrix_transpose(axes) @ place
    num = xp.sum(views.mask, axis=-1)[..., None, None]
    cb = (xp.matrix_transpose(xp.sum(turned, axis=-3)) - xp.sum(turned, axis=-1)) / (2.0 * num)
    return _residues(cb, axes), known


def from_distances(views: Views, known: Any) -> Any:
    """CB by multidimensional scaling, then frames by superposing each residue's view onto CB.

    The better start where angles err more than distances, as in what a tokenizer makes. Of the two mirror
    images the one whose views fit better is right.
    """
    xp = array_namespace(views.mask)
    place = _places(views, known)
    distance = xp.sqrt(xp.sum(place * place, axis=-2))
    cb = classical_mds(distance, views.mask)
    covariance = _covariance(place, cb, views.pairs)
    _, singular = best_rotation(covariance)
    hand = xp.where(xp.sum(singular[..., 2], axis=-1) < 0, -1.0, 1.0)
    hand = xp.astype(hand, cb.dtype)[..., None, None]
    rotation, _ = best_rotation(covariance * hand[..., None])
    return _residues(cb * hand, xp.matrix_transpose(rotation))


def _places(views: Views, known: Any) -> Any:
    """CB_j in the frame of residue i by the image, (..., L, 3, L); 0 where there is no pair."""
    pairs = views.pairs
    distance = complete_distances(views.distance, views.direction, known, pairs > 0)
    return views.direction * (distance * pairs)[..., None, :]


def _covariance(place: Any, cb: Any, pairs: Any) -> Any:
    """Of what each residue sees with where CB is, (..., L, 3, 3).

    Near residues fix a frame best, as their direction errs least by pixels, but not those so near that the
    errors of CB turn it: weights ``1 / (d + 4)^2``.
    """
    xp = array_namespace(cb)
    weighted = place * (pairs / (xp.sqrt(xp.sum(place * place, axis=-2)) + 4.0) ** 2)[..., None, :]
    around = xp.sum(weighted, axis=-1)[..., :, None] * cb[..., :, None, :]
    return weighted @ cb[..., None, :, :] - around


def _residues(cb: Any, axes: Any) -> Any:
    """Ideal residues in their frames: (..., L, 3), (..., L, 3, 3) -> (..., L, 3, 3)."""
    ideal = array_namespace(cb).asarray(IDEAL_RESIDUE, dtype=cb.dtype, device=device(cb))
    return cb[..., None, :] + ideal @ axes
