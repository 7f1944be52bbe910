"""How well a backbone explains an image, and where its residues should move.

The negative logarithm of the likelihood is, up to constants, the sum over pairs i < j of known distance of
``(|r| - d)^2 / (2 s^2)`` plus the sum over all ordered pairs of ``(1 - cos) / t^2``: Gaussian distances and
von Mises-Fisher directions. Here r goes from CB_i to CB_j, cos is that of the angle between r and its
direction in the image, and s and t are the spreads of distances and directions.
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from foldpix.geometry import residue_frames
from foldpix.geometry.vector import cross_matrix, smallest_eigenvalue
from foldpix.image.views import GREY_LEVELS, RADIAN_A_LEVEL, ROUNDING, Views

# Residues nearer than this (angstrom) count as this far apart; constant images put all in one place.
_COINCIDENT = 0.01


class Misfit(NamedTuple):
    """The views of a backbone beside those of an image.

    Parameters
    ----------
    axes : array, shape=(..., L, 3, 3)
        Frames of the backbone.
    unit : array, shape=(..., L, 3, L)
        Direction from CB_i to CB_j of the backbone in the frame of residue i, at [..., i, :, j].
    inverse, cosine : array, shape=(..., L, L)
        1 / |r|, and the cosine of the angle between r and the image's direction; 0 where there is no pair,
        as is ``unit``.
    stretch : array, shape=(..., L, L)
        |r| - d in angstrom, where that counts.
    ranged : array, shape=(..., L, L)
        1 where it counts: the distance is known, or |r| is too short for an unknown one. Else 0.
    distance, direction : array, shape=(...)
        Their root mean squares, angstrom and radian (along either tangent): s and t, but never below what
        rounding to 8 bits leaves.
    """

    axes: Any
    unit: Any
    inverse: Any
    cosine: Any
    stretch: Any
    ranged: Any
    distance: Any
    direction: Any


class Forces(NamedTuple):
    """First and second derivative by shifts and small rotations of the frames, both along their own axes.

    Parameters
    ----------
    gradient : array, shape=(..., L, 6)
    curvature : array, shape=(..., L, 6, 6)
        By the frame of one residue while the others rest, in Gauss and Newton's form.
    """

    gradient: Any
    curvature: Any


def misfit(coords: Any, views: Views, known: Any) -> Misfit:
    """Compare coords (..., L, 3, 3) with an image whose pairs ``known``, bool (..., L, L),
    have a distance.
    """
    xp, pairs = array_namespace(coords), views.pairs
    cb, axes = residue_frames(coords)
    place = _places(cb, axes)
    squared = xp.clip(xp.sum(place * place, axis=-2), _COINCIDENT**2, None)
    inverse = pairs / xp.sqrt(squared)
    unit = place * inverse[..., None, :]
    cosine = xp.sum(views.direction * unit, axis=-2)
    stretch = squared * inverse - views.distance * pairs
    ranged = xp.astype(known | (stretch < 0), stretch.dtype)
    stretch = stretch * ranged
    distance = xp.sqrt(_total(stretch * stretch) / xp.clip(_total(ranged), 1.0, None))
    direction = xp.sqrt(xp.clip(_total(pairs - cosine) / xp.clip(_total(pairs), 1.0, None), 0.0, None))
    floor = ROUNDING * views.d_max[..., 0, 0] / GREY_LEVELS
    distance, direction = xp.maximum(distance, floor), xp.clip(direction, ROUNDING * RADIAN_A_LEVEL, None)
    return Misfit(axes, unit, inverse, cosine, stretch, ranged, distance, direction)


def forces(found: Misfit, views: Views) -> Forces:
    """Where an image pulls the frames of the backbone that ``found`` tells of."""
    stiff, sharp = (found.distance**-2)[..., None, None], (found.direction**-2)[..., None, None]
    turn = sharp * found.inverse
    radial = 0.5 * stiff * found.stretch + turn * found.cosine
    pull = radial[..., None, :] * found.unit - turn[..., None, :] * views.direction
    twist = sharp[..., None] * _products(found, views)
    return Forces(_gradient(pull, twist, found.axes), _curvature(found, stiff, sharp, turn))


def explained(found: Misfit, views: Views) -> Any:
    """Mean square misfit of each residue's view in units of the spreads, about 1: array, shape=(..., L)."""
    xp = array_namespace(found.stretch)
    stiff, sharp = (found.distance**-2)[..., None, None], (found.direction**-2)[..., None, None]
    square = stiff * found.stretch * found.stretch + 2.0 * sharp * (views.pairs - found.cosine)
    return xp.sum(square, axis=-1) / xp.clip(xp.sum(found.ranged + 2.0 * views.pairs, axis=-1), 1.0, None)


def hand_margin(found: Misfit, views: Views) -> Any:
    """How much worse the directions fit the mirror image, with frames turned to fit it: array, shape=(...).

    ``(mirrored - right) / (mirrored + right)`` of the sums of ``1 - cos``: 1 where the image leaves no doubt,
    0 where both hands fit alike, below 0 where the mirror image fits better. With C the sum over j of the
    products of expected and found directions, the cosines of a frame sum up to the trace of C, the sum of
    its eigenvalues; after a reflection no turn makes more than that less twice the smallest of them.
    The CB of three residues or fewer lie in a plane, so that there is nothing to compare: 1.
    """
    xp = array_namespace(found.cosine)
    products = _products(found, views)
    smallest = smallest_eigenvalue(0.5 * (products + xp.matrix_transpose(products)))
    lost = xp.sum(smallest, axis=-1)
    margin = lost / xp.clip(_total(views.pairs - found.cosine) + lost, 1e-6, None)
    return xp.where(xp.sum(views.mask, axis=-1) > 3, margin, xp.ones_like(margin))


def levels(found: Misfit, views: Views, known: Any) -> Any:
    """Root mean square misfit of distances and directions in grey levels (...).

    Rounding alone leaves 0.29. It is infinite where no distance is ``known``, bool (..., L, L).
    """
    xp = array_namespace(found.distance)
    distance = found.distance / (views.d_max[..., 0, 0] / GREY_LEVELS)
    direction = found.direction / RADIAN_A_LEVEL
    both = xp.sqrt((distance * distance + 2.0 * direction * direction) / 3.0)
    return xp.where(xp.any(known, axis=(-2, -1)), both, xp.inf)


def evidence(found: Misfit) -> Any:
    """How well spreads speak for a backbone (...): logarithms, a distance one number, a direction two."""
    xp = array_namespace(found.distance)
    return -xp.log(found.distance) - 2.0 * xp.log(found.direction)


def _products(found: Misfit, views: Views) -> Any:
    """Expected times found directions, summed over j: (..., L, 3, 3)."""
    return found.unit @ array_namespace(found.unit).matrix_transpose(views.direction)


def _gradient(pull: Any, twist: Any, axes: Any) -> Any:
    """Force and torque on each frame from the derivatives ``pull`` (..., L, 3, L) by the places."""
    xp = array_namespace(pull)
    seen = xp.matrix_transpose(_flat(pull)) @ _flat(axes)  # what the others do to residue j, global
    force = (axes @ seen[..., None])[..., 0] - xp.sum(pull, axis=-1)
    torque = [twist[..., a, b] - twist[..., b, a] for a, b in ((1, 2), (2, 0), (0, 1))]
    return xp.concat([force, xp.stack(torque, axis=-1)], axis=-1)


def _curvature(found: Misfit, stiff: Any, sharp: Any, turn: Any) -> Any:
    """Pairs resist with ``stiff`` along r and ``sharp / |r|^2`` across it, there from both ends."""
    xp, unit = array_namespace(turn), found.unit
    seen = xp.matrix_transpose(unit)
    identity = xp.eye(3, dtype=unit.dtype, device=device(unit))
    across = turn * found.inverse
    along = stiff * found.ranged - 2.0 * across
    shift = (along[..., None, :] * unit) @ seen + 2.0 * xp.sum(across, axis=-1)[..., None, None] * identity
    turned = unit @ seen
    num = turned[..., 0, 0] + turned[..., 1, 1] + turned[..., 2, 2]
    turned = sharp[..., None] * (num[..., None, None] * identity - turned)
    both = cross_matrix((unit @ turn[..., None])[..., 0])
    upper = xp.concat([shift, xp.matrix_transpose(both)], axis=-1)
    return xp.concat([upper, xp.concat([both, turned], axis=-1)], axis=-2)


def _places(cb: Any, axes: Any) -> Any:
    """CB_j in the frame of residue i: (..., L, 3), (..., L, 3, 3) -> (..., L, 3, L)."""
    xp = array_namespace(cb)
    along_axes = _flat(axes) @ xp.matrix_transpose(cb)
    return xp.reshape(along_axes, (*axes.shape[:-1], cb.shape[-2])) - axes @ cb[..., None]


def _flat(of_residues: Any) -> Any:
    """(..., L, 3, n) -> (..., 3 L, n)."""
    shape = of_residues.shape
    return array_namespace(of_residues).reshape(of_residues, (*shape[:-3], 3 * shape[-3], shape[-1]))


def _total(of_pairs: Any) -> Any:
    return array_namespace(of_pairs).sum(of_pairs, axis=(-2, -1))
