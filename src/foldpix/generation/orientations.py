"""The 6D maps of a batch with CB given, in one pass.

The formulas are those of :func:`foldpix.geometry.orientation_maps`. That makes its CB from N, CA, C, as those
of L-residues, and its maps one after the other; here the CB are those of the chain, of D-residues too, each
pair is visited once, and arc tangents are polynomials, which the compiler can vectorise.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.polynomial import Chebyshev, Polynomial

from foldpix.geometry.vector import orthonormal

#: Names of the maps, in the order of trRosetta (Yang et al., PNAS 2020).
MAPS = ("dist", "omega", "theta", "phi")
_UNITS = {"degrees": 180.0 / math.pi, "radians": 1.0}

# Arc tangents are needed of 0 to tan(22.5 degrees) alone: the rest follows from symmetries.
_FOLD = math.tan(math.pi / 8)


def _arctan_coefficients() -> np.ndarray:
    """Of arctan(t) / t as a polynomial in t^2, highest power first; 10 give float64 to its last place."""
    nodes = Chebyshev.interpolate(lambda u: np.arctan(np.sqrt(u)) / np.sqrt(u), 9, domain=[0.0, _FOLD**2])
    return nodes.convert(kind=Polynomial).coef[::-1]


_CONSTANTS = (_FOLD, math.pi / 4, *_arctan_coefficients())


def orientation_maps_6d(
    n_BL3: np.ndarray,
    ca_BL3: np.ndarray,
    cb_BL3: np.ndarray,
    units: str = "degrees",
    out: dict[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Distances and angles between all pairs of residues of each member, as trRosetta defines them.

    Parameters
    ----------
    n_BL3, ca_BL3, cb_BL3 : ndarray, shape=(B, L, 3)
        Angstrom, all float32 or all float64; of glycine the virtual CB.
    units : {"degrees", "radians"}
        Of the angles; trRosetta's own are radian.
    out : dict, optional
        Arrays to fill, as returned before: C-contiguous, (B, L, L), of the dtype of the coordinates.

    Returns
    -------
    dict of ndarray, shape=(B, L, L)
        Of the dtype of the coordinates, 0 on the diagonal. Angles of float32 are right to 0.0001 degrees, and
        to a few thousandths where CB_j lies nearly on the line CA_i CB_i.

        - ``dist``: CB_i CB_j in angstrom; symmetric.
        - ``omega``: dihedral CA_i, CB_i, CB_j, CA_j; symmetric.
        - ``theta``: dihedral N_i, CA_i, CB_i, CB_j.
        - ``phi``: angle CA_i, CB_i, CB_j, at least 0.

    Raises
    ------
    ValueError
        If the units are unknown, or ``out`` does not fit.
    """
    if units not in _UNITS:
        raise ValueError(f"no units {units!r}; there are {', '.join(_UNITS)}")
    num, length, dtype = *cb_BL3.shape[:2], cb_BL3.dtype
    shape = (num, length, length)
    maps = _empty(shape, dtype) if out is None else _checked(out, shape, dtype)
    axes_BL33 = orthonormal(n_BL3 - ca_BL3, cb_BL3 - ca_BL3)
    # Residues last, so that neighbours in the inner loop are neighbours in memory.
    cb_B3L = np.ascontiguousarray(np.moveaxis(cb_BL3, 1, -1))
    axes_B33L = np.ascontiguousarray(np.moveaxis(axes_BL33, 1, -1))
    # A constant of another type would make all arithmetic float64.
    constants = tuple(dtype.type(value) for value in (_UNITS[units], np.finfo(dtype).tiny, *_CONSTANTS))
    _fill(cb_B3L, axes_B33L, constants, *(maps[name] for name in MAPS))
    return maps


def _empty(shape: tuple[int, ...], dtype: np.dtype) -> dict[str, np.ndarray]:
    return {name: np.empty(shape, dtype) for name in MAPS}


def _checked(out: dict[str, np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> dict[str, np.ndarray]:
    for name in MAPS:
        if name not in out:
            raise ValueError(f"out has no {name}; it must hold {', '.join(MAPS)}")
        given = out[name]
        if (given.shape, given.dtype) != (shape, dtype) or not given.flags.c_contiguous:
            was = f"{given.dtype} {given.shape}"
            raise ValueError(f"out[{name!r}] is {was}; it must be C-contiguous {dtype} {shape}")
    return out


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _arctan2(y: Any, x: Any, constants: Any) -> Any:
    """Without branches, and 0 of 0 and 0."""
    tiny, fold, eighth = constants[1], constants[2], constants[3]
    low, high = min(abs(y), abs(x)), max(abs(y), abs(x))
    folded = low > fold * high
    # arctan(a) = 45 degrees + arctan((a - 1) / (a + 1))
    t = (low - high if folded else low) / ((low + high if folded else high) + tiny)
    polynomial = constants[4]
    for coefficient in constants[5:]:
        polynomial = polynomial * (t * t) + coefficient
    angle = t * polynomial
    angle = angle + eighth if folded else angle
    angle = eighth + eighth - angle if abs(y) > abs(x) else angle
    angle = 4 * eighth - angle if x < 0 else angle
    return math.copysign(angle, y)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _fill(cb: Any, axes: Any, constants: Any, dist: Any, omega: Any, theta: Any, phi: Any) -> None:
    """All pairs: CB (B, 3, L), rows x, y, z of the frames (B, 3, 3, L) to the maps (B, L, L)."""
    unit = constants[0]
    for b in range(cb.shape[0]):
        px, py, pz = cb[b, 0], cb[b, 1], cb[b, 2]
        lx, ly, lz = axes[b, 2, 0], axes[b, 2, 1], axes[b, 2, 2]
        for i in range(cb.shape[2]):
            xx, xy, xz = axes[b, 0, 0, i], axes[b, 0, 1, i], axes[b, 0, 2, i]
            yx, yy, yz = axes[b, 1, 0, i], axes[b, 1, 1, i], axes[b, 1, 2, i]
            zx, zy, zz = lx[i], ly[i], lz[i]
            of_dist, of_omega, of_theta, of_phi = dist[b, i], omega[b, i], theta[b, i], phi[b, i]
            for j in range(cb.shape[2]):
                # From CB_i to CB_j, first in global coordinates and then in the frame of i.
                u, v, w = px[j] - px[i], py[j] - py[i], pz[j] - pz[i]
                x = xx * u + xy * v + xz * w
                y = yx * u + yy * v + yz * w
                z = zx * u + zy * v + zz * w
                rho2 = x * x + y * y
                d2 = rho2 + z * z
                d = math.sqrt(d2)
                along = lx[j] * u + ly[j] * v + lz[j] * w
                cosine = d2 * (zx * lx[j] + zy * ly[j] + zz * lz[j]) - z * along
                triple = (v * zz - w * zy) * lx[j] + (w * zx - u * zz) * ly[j] + (u * zy - v * zx) * lz[j]
                of_dist[j] = d
                of_omega[j] = unit * _arctan2(d * triple, cosine, constants)
                of_theta[j] = unit * _arctan2(y, x, constants)
                of_phi[j] = unit * _arctan2(math.sqrt(rho2), -z, constants)
            of_dist[i] = of_omega[i] = of_theta[i] = of_phi[i] = 0
