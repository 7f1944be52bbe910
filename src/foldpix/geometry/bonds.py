"""Peptide bonds, found in coordinates that may be noisy."""

import math
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from foldpix.geometry.nerf import C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA
from foldpix.geometry.vector import dot

#: CA to CA across a trans peptide, angstrom.
TRANS_CA_CA = 3.8055
# Of 868,268 bonded neighbours in experimental chains CA are more than 4.25 A apart in 17, C and N never more
# than 2.2 A; of 703 gaps one or the other holds for 701.
_LONGEST_CA_CA, _LONGEST_C_N = 4.25, 2.2
# With fewer neighbours than this half of them may be gaps, which say nothing about scatter.
_ENOUGH = 8
# Scalar product of CA-C and N-CA where omega is 90 degrees, angstrom squared.
_PERPENDICULAR_OMEGA = math.cos(CA_C_N) * math.cos(C_N_CA) * CA_C * N_CA


class Bonds(NamedTuple):
    """Peptide bonds between residues i and i + 1: arrays, dtype=bool, shape=(..., L - 1)."""

    bonded: Any
    cis: Any


def peptide_bonds(coords: Any, mask: Any) -> Bonds:
    """Which neighbours are joined, in the light of how far the CA of the chain scatter, and how.

    Across a trans peptide the bonds CA-C and N-CA are parallel, across a cis one they are 120 degrees
    apart: that takes the frames alone, which noise hardly turns, while it moves CA by angstroms.

    Parameters
    ----------
    coords : array, shape=(..., L, 3, 3)
        N, CA, C in angstrom.
    mask : array, shape=(..., L)
        1 for residues, 0 for padding.
    """
    xp = array_namespace(coords)
    own, following, both = coords[..., :-1, :, :], coords[..., 1:, :, :], mask[..., 1:] * mask[..., :-1]
    ca_ca = _length(following[..., 1, :] - own[..., 1, :])
    c_n = _length(following[..., 0, :] - own[..., 2, :])
    reach = 3.0 * _scatter(xp.abs(ca_ca - TRANS_CA_CA), both)[..., None]
    bonded = (ca_ca < _LONGEST_CA_CA + reach) & (c_n < _LONGEST_C_N + reach) & (both > 0)
    parallel = dot(own[..., 2, :] - own[..., 1, :], following[..., 1, :] - following[..., 0, :])[..., 0]
    return Bonds(bonded, parallel < _PERPENDICULAR_OMEGA)


def _scatter(deviation: Any, both: Any) -> Any:
    """Standard deviation (...) by the median of absolute deviations (..., n), which gaps hardly move."""
    xp = array_namespace(deviation)
    num = xp.sum(both, axis=-1)
    ascending = xp.sort(xp.where(both > 0, deviation, xp.inf), axis=-1)
    place = xp.arange(deviation.shape[-1], device=device(deviation))
    middle = place == xp.astype(xp.clip(num - 1.0, 0.0, None) / 2.0, place.dtype)[..., None]
    median = xp.sum(xp.where(middle, ascending, 0.0), axis=-1)
    return xp.where(num < _ENOUGH, 0.0, 1.4826 * median)


def _length(vectors: Any) -> Any:
    return dot(vectors, vectors)[..., 0] ** 0.5
