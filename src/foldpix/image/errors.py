"""The error to expect of each residue, without knowing the truth."""

from typing import Any

from array_api_compat import array_namespace

from foldpix.geometry import Bonds, inverse_diagonal
from foldpix.image.likelihood import Forces, Misfit, explained, forces
from foldpix.image.normal_equations import damping, gauss_newton_step, normal_equations
from foldpix.image.views import Views

# Mean square force on a frame, in units of its curvature, of independent errors: of its six degrees of
# freedom about two stand against the geometry (1.2 to 2.2 measured with noise of 0 to 16 grey levels).
_INDEPENDENT = 2.0


def unrefined_error(coords: Any, found: Misfit, views: Views, bonds: Bonds) -> Any:
    """How far one round at full hardness would move each residue, its error without refinement: (..., L)."""
    xp = array_namespace(coords)
    shift = gauss_newton_step(coords, found, views, bonds, xp.zeros_like(found.distance))
    return xp.sqrt(xp.sum(shift * shift, axis=(-2, -1)) / 3.0)


def expected_error(coords: Any, found: Misfit, views: Views, bonds: Bonds) -> Any:
    """Root mean square error to expect of each residue's atoms, in angstrom: array, shape=(..., L).

    From the inverse of the normal equations (Laplace's approximation), times the misfit of the residue's own
    view. Errors of pixels that go together, as a tokenizer's do, average out less than independent ones; what
    shows them is that the image pulls harder at the frames that geometry holds, and all errors are raised by
    as much.
    """
    xp = array_namespace(coords)
    image = forces(found, views)
    system = normal_equations(coords, image, bonds, xp.zeros_like(found.distance))
    blocks = inverse_diagonal(system.diagonal, system.upper)
    variance = sum(blocks[..., k, k] for k in range(9)) / 3.0 * explained(found, views)
    return xp.sqrt(xp.clip(variance * _correlation(image, views)[..., None], 0.0, None))


def _correlation(image: Forces, views: Views) -> Any:
    """How much larger the squared forces of the image are than independent errors make them: (...), >= 1."""
    xp = array_namespace(views.mask)
    damped = image.curvature + damping(image.curvature)
    pull = image.gradient[..., None]
    square = xp.sum(pull * xp.linalg.solve(damped, pull), axis=(-2, -1)) * views.mask
    return xp.clip(xp.sum(square, axis=-1) / (_INDEPENDENT * xp.sum(views.mask, axis=-1)), 1.0, None)
