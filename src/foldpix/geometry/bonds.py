"""Peptide bonds, found in coordinates that may be noisy."""

import math
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from foldpix.geometry.nerf import C_N_CA, CA_C_N
from foldpix.geometry.residue import CA_C, N_CA
from foldpix.geometry.vector import dot

#: CA to CA across a trans peptide, angstrom.
TRANS_CA_CA = 3.8055
# Of 868,268 bonded neighbours in experimental chains CA are more than 4.25 A apart in 17, C and N never more
# than 2.2 A; of 703 gaps one or the other holds for 701.
_LONGEST_CA_CA, _LONGEST_C_N = 4.25, 2.2
# Deviations count up to this, angstrom: a gap is no scatter.
_LARGEST_DEVIATION = 2.0
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
    deviation = xp.clip(xp.abs(ca_ca - TRANS_CA_CA), None, _LARGEST_DEVIATION) * both
    # From the mean absolute deviation to the standard deviation of a Gaussian.
    scatter = 1.25 * xp.sum(deviation, axis=-1) / xp.clip(xp.sum(both, axis=-1), 1.0, None)
    reach = 3.0 * scatter[..., None]
    bonded = (ca_ca < _LONGEST_CA_CA + reach) & (c_n < _LONGEST_C_N + reach) & (both > 0)
    parallel = dot(own[..., 2, :] - own[..., 1, :], following[..., 1, :] - following[..., 0, :])[..., 0]
    return Bonds(bonded, parallel < _PERPENDICULAR_OMEGA)


def _length(vectors: Any) -> Any:
    return dot(vectors, vectors)[..., 0] ** 0.5
