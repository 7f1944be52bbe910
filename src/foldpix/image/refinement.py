"""The most likely backbone: free atoms under an image and the geometry of peptides (Gauss-Newton)."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from foldpix.geometry import frame_jacobian, inverse_diagonal, peptide_terms, solve_tridiagonal
from foldpix.geometry.peptide import TRANS_CA_CA, Terms
from foldpix.geometry.residue import CA_C, N_CA
from foldpix.image.likelihood import Forces, Misfit, evidence, explained, forces, misfit
from foldpix.image.views import Views

_ROUNDS = 14
#: No atom moves further at once, angstrom.
_LONGEST_STEP = 2.0
#: A chain that moves less is done, angstrom.
_DONE = 0.003
# The geometry is soft at first, by this part of the spread of distances, and twice as hard every round.
_SOFTNESS = 0.2
# How much worse the image may fit in the end, in the logarithm of the likelihood of a pair times residues:
# hard geometry takes about four degrees of freedom a residue, which makes 2.4; odd residues take some.
_SLACK = 20.0
_DAMPING = 1e-6
# Mean square force on a frame, in units of its curvature, of independent errors: of its six degrees of
# freedom about two stand against the geometry (1.2 to 2.2 measured with noise of 0 to 16 grey levels).
_INDEPENDENT = 2.0
# Bonds of 658,918 pairs of neighbours in experimental chains: CA to CA is below 4.25 A in all but 20, and
# above it in 98.5 % of 703 gaps; most other gaps show in C to N.
_LONGEST_CA_CA, _LONGEST_C_N, _FARTHEST = 4.25, 2.2, 2.0
# Scalar product of CA-C and N-CA where omega is 90 degrees, by the ideal angles, angstrom squared.
_PERPENDICULAR_OMEGA = 0.238 * CA_C * N_CA


class Bonds(NamedTuple):
    """Peptide bonds between residues i and i + 1: arrays, dtype=bool, shape=(..., L - 1)."""

    bonded: Any
    cis: Any


def refine(coords: Any, found: Misfit, views: Views, known: Any, bonds: Bonds) -> Any:
    """Coordinates (..., L, 3, 3) nearer to the truth than those they start from, whose misfit is ``found``.

    Each round solves the block tridiagonal part of the normal equations: all of the geometry, and of the
    image what moves one residue while the others rest. As every residue is held by all others, that is
    nearly all of it. The spreads of the image are those that the present backbone leaves; the geometry
    tightens round by round. A chain whose image fits notably worse in the end stays as it was.
    """
    xp = array_namespace(coords)
    start, least = coords, evidence(found) - _SLACK / xp.sum(views.mask, axis=-1)
    for number in range(_ROUNDS):
        softness = found.distance * (_SOFTNESS * 0.5**number)
        shift = _step(coords, found, views, bonds, softness)
        coords = coords + shift
        found = misfit(coords, views, known)
        if bool(xp.all(xp.abs(shift) < _DONE)) and bool(xp.all(softness < _DONE)):
            break
    better = evidence(found) >= least
    return xp.where(better[..., None, None, None], coords, start)


def unrefined_error(coords: Any, found: Misfit, views: Views, bonds: Bonds) -> Any:
    """What refinement would move at once, as the error to expect without it: array, shape=(..., L)."""
    xp = array_namespace(coords)
    shift = _step(coords, found, views, bonds, xp.zeros_like(found.distance))
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
    system = _system(coords, image, bonds, xp.zeros_like(found.distance))
    blocks = inverse_diagonal(system.diagonal, system.upper)
    variance = sum(blocks[..., k, k] for k in range(9)) / 3.0 * explained(found, views)
    return xp.sqrt(xp.clip(variance * _correlation(image, views)[..., None], 0.0, None))


def _correlation(image: Forces, views: Views) -> Any:
    """How much larger the squared forces of the image are than independent errors make them: (...), >= 1."""
    xp = array_namespace(views.mask)
    damped = image.curvature + _damping(image.curvature)
    pull = image.gradient[..., None]
    square = xp.sum(pull * xp.linalg.solve(damped, pull), axis=(-2, -1)) * views.mask
    return xp.clip(xp.sum(square, axis=-1) / (_INDEPENDENT * xp.sum(views.mask, axis=-1)), 1.0, None)


def peptide_bonds(coords: Any, mask: Any) -> Bonds:
    """Which neighbours are joined, in the light of how far the CA of the chain scatter, and how.

    Across a trans peptide the bonds CA-C and N-CA are parallel, across a cis one they are 120 degrees
    apart: that takes the frames alone, which noise hardly turns, while it moves CA by angstroms.
    """
    xp = array_namespace(coords)
    own, following, both = coords[..., :-1, :, :], coords[..., 1:, :, :], mask[..., 1:] * mask[..., :-1]
    ca_ca = _length(following[..., 1, :] - own[..., 1, :])
    c_n = _length(following[..., 0, :] - own[..., 2, :])
    deviation = xp.clip(xp.abs(ca_ca - TRANS_CA_CA), None, _FARTHEST) * both
    # From the mean absolute deviation to the standard deviation of a Gaussian.
    scatter = 1.25 * xp.sum(deviation, axis=-1) / xp.clip(xp.sum(both, axis=-1), 1.0, None)
    reach = 3.0 * scatter[..., None]
    bonded = (ca_ca < _LONGEST_CA_CA + reach) & (c_n < _LONGEST_C_N + reach) & (both > 0)
    parallel = xp.vecdot(own[..., 2, :] - own[..., 1, :], following[..., 1, :] - following[..., 0, :])
    return Bonds(bonded, parallel < _PERPENDICULAR_OMEGA)


def _step(coords: Any, found: Misfit, views: Views, bonds: Bonds, softness: Any) -> Any:
    """The shift of the atoms (..., L, 3, 3) by which one round improves ``coords``."""
    xp = array_namespace(coords)
    system = _system(coords, forces(found, views), bonds, softness)
    shift = solve_tridiagonal(system.diagonal, system.upper, -system.gradient)
    shift = xp.reshape(shift, coords.shape) * views.mask[..., None, None]
    longest = xp.max(xp.abs(shift), axis=(-3, -2, -1), keepdims=True)
    return shift * xp.clip(_LONGEST_STEP / xp.clip(longest, 1e-6, None), None, 1.0)


def _system(coords: Any, image: Forces, bonds: Bonds, softness: Any) -> Terms:
    xp = array_namespace(coords)
    peptides = peptide_terms(coords, bonds.bonded, bonds.cis, softness)
    jacobian = frame_jacobian(coords)
    by_atoms = xp.matrix_transpose(jacobian)
    gradient = peptides.gradient + (by_atoms @ image.gradient[..., None])[..., 0]
    diagonal = peptides.diagonal + by_atoms @ image.curvature @ jacobian
    return Terms(gradient, diagonal + _damping(diagonal), peptides.upper)


def _damping(matrix: Any) -> Any:
    """A little on the diagonal, which makes matrices (..., n, n) safe to invert, those of padding too."""
    xp, n = array_namespace(matrix), matrix.shape[-1]
    trace = sum(matrix[..., k, k] for k in range(n))[..., None, None]
    return _DAMPING * (trace + 1.0) * xp.eye(n, dtype=matrix.dtype, device=device(matrix))


def _length(vectors: Any) -> Any:
    return array_namespace(vectors).vecdot(vectors, vectors) ** 0.5
