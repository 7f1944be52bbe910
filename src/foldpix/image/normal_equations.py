"""Image and geometry together: one round of Gauss and Newton's method on the atoms."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import Bonds, frame_jacobian, peptide_terms, solve_tridiagonal
from foldpix.geometry.peptide import Terms
from foldpix.image.likelihood import Forces, Misfit, forces
from foldpix.image.views import Views

_DAMPING = 1e-6


def gauss_newton_step(coords: Any, found: Misfit, views: Views, bonds: Bonds, softness: Any) -> Any:
    """The shift of the atoms (..., L, 3, 3) that would lead to the minimum, were all terms quadratic."""
    system = normal_equations(coords, forces(found, views), bonds, softness)
    shift = solve_tridiagonal(system.diagonal, system.upper, -system.gradient)
    return array_namespace(coords).reshape(shift, coords.shape) * views.mask[..., None, None]


def normal_equations(coords: Any, image: Forces, bonds: Bonds, softness: Any) -> Terms:
    """First and second derivatives by the atoms of what image and geometry say together.

    Block tridiagonal: all of the geometry, and of the image what moves one residue while the others rest.
    """
    xp = array_namespace(coords)
    peptides = peptide_terms(coords, bonds, softness)
    jacobian = frame_jacobian(coords)
    by_atoms = xp.matrix_transpose(jacobian)
    gradient = peptides.gradient + (by_atoms @ image.gradient[..., None])[..., 0]
    diagonal = peptides.diagonal + by_atoms @ image.curvature @ jacobian
    return Terms(gradient, diagonal + damping(diagonal), peptides.upper)


def damping(matrix: Any) -> Any:
    """A little on the diagonal, which makes matrices (..., n, n) safe to invert, those of padding too."""
    xp, n = array_namespace(matrix), matrix.shape[-1]
    trace = sum(matrix[..., k, k] for k in range(n))[..., None, None]
    return _DAMPING * (trace + 1.0) * xp.eye(n, dtype=matrix.dtype, device=device(matrix))
