"""What is known of any backbone: seven distances within and between neighbouring residues.

Two bonds and an angle within a residue, a bond, two angles and the planarity of the peptide group between
two residues: each is written as the distance of two atoms, so that all have the same simple derivatives.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from foldpix.geometry.bonds import TRANS_CA_CA, Bonds

_N, _CA, _C = range(3)
# Means and spreads (1.48 times the median absolute deviation) in angstrom, from the 656,428 trans and 1,969
# cis peptides of 3,088 experimental chains; the means agree with Engh & Huber (2001).
_WITHIN = ((_N, _CA, _N), (_CA, _C, _C))
_WITHIN_MEAN, _WITHIN_SPREAD = (1.4588, 1.5245, 2.4602), (0.0084, 0.0095, 0.0438)
_BETWEEN = ((_C, _CA, _C, _CA), (_N, _N, _CA, _CA))
_TRANS, _CIS = (1.3298, 2.4300, 2.4346, TRANS_CA_CA), (1.3298, 2.4616, 2.5077, 2.9550)
_BETWEEN_SPREAD = (0.0053, 0.0192, 0.0209, 0.0220)


# Atoms nearer than this (angstrom) count as this far apart: padding lies all in one place.
_COINCIDENT = 0.01


class Terms(NamedTuple):
    """A quadratic form in small shifts of the atoms, block tridiagonal over residues.

    Parameters
    ----------
    gradient : array, shape=(..., L, 9)
    diagonal : array, shape=(..., L, 9, 9)
    upper : array, shape=(..., L - 1, 9, 9)
        Couples residues i and i + 1.
    """

    gradient: Any
    diagonal: Any
    upper: Any


def peptide_terms(coords: Any, bonds: Bonds, softness: Any) -> Terms:
    """Half the squared deviations from the seven distances in units of their spreads, to second order.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.
    bonds : Bonds
    softness : array, shape=(...)
        Widens every spread: the root of the sum of squares, angstrom.

    Returns
    -------
    Terms
        The second derivative in Gauss and Newton's form.
    """
    xp = array_namespace(coords)
    variance = (softness * softness)[..., None, None]
    length, first, second = _distances(coords, coords, _WITHIN)
    own = first + second
    weight = 1.0 / (variance + _constant(_WITHIN_SPREAD, coords) ** 2)
    pull = weight * (length - _constant(_WITHIN_MEAN, coords))
    gradient, diagonal = pull[..., None, :] @ own, _product(own, weight, own)

    length, first, second = _distances(coords[..., :-1, :, :], coords[..., 1:, :, :], _BETWEEN)
    mean = xp.where(bonds.cis[..., None], _constant(_CIS, coords), _constant(_TRANS, coords))
    present = xp.astype(bonds.bonded, coords.dtype)[..., None]
    weight = present / (variance + _constant(_BETWEEN_SPREAD, coords) ** 2)
    pull = (weight * (length - mean))[..., None, :]
    gradient = gradient + _to_both(pull @ first, pull @ second)
    diagonal = diagonal + _to_both(_product(first, weight, first), _product(second, weight, second))
    return Terms(gradient[..., 0, :], diagonal, _product(first, weight, second))


def _distances(first: Any, second: Any, atoms: tuple[Sequence[int], Sequence[int]]) -> tuple[Any, Any, Any]:
    """K distances (..., L, K) between two residues' atoms; their derivatives by either's, (..., L, K, 9)."""
    xp = array_namespace(first)
    of_first, of_second = (xp.asarray(np.array(a), device=device(first)) for a in atoms)
    step = xp.take(second, of_second, axis=-2) - xp.take(first, of_first, axis=-2)
    length = xp.sqrt(xp.clip(xp.vecdot(step, step), _COINCIDENT**2, None))
    unit = step / length[..., None]
    return length, -_at(atoms[0], unit), _at(atoms[1], unit)


def _at(atoms: Sequence[int], vectors: Any) -> Any:
    """Vectors (..., K, 3) in the columns of their atoms, (..., K, 9)."""
    xp = array_namespace(vectors)
    chosen = _constant(np.eye(3)[list(atoms)], vectors)
    return xp.reshape(chosen[..., None] * vectors[..., None, :], (*vectors.shape[:-1], 9))


def _product(left: Any, weight: Any, right: Any) -> Any:
    xp = array_namespace(left)
    return xp.matrix_transpose(left * weight[..., None]) @ right


def _to_both(own: Any, following: Any) -> Any:
    """What bonds give to the residues before and after them: two (..., L - 1, n, m) -> (..., L, n, m)."""
    xp = array_namespace(own)
    nothing = xp.zeros_like(own[..., :1, :, :])
    return xp.concat([own, nothing], axis=-3) + xp.concat([nothing, following], axis=-3)


def _constant(values: Any, like: Any) -> Any:
    return array_namespace(like).asarray(np.asarray(values), dtype=like.dtype, device=device(like))
