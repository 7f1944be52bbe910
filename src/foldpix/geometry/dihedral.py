"""Dihedral angle of four points."""

from typing import Any

from array_api_compat import array_namespace

from foldpix.geometry.vector import dot, unit


def dihedral(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Dihedral angle a-b-c-d in radian, in (-pi, pi], with IUPAC's sign.

    Parameters
    ----------
    a, b, c, d : array, shape=(..., 3)
        Points, angstrom.

    Returns
    -------
    array, shape=(...)
    """
    xp = array_namespace(a, b, c, d)
    b0, b1, b2 = a - b, unit(c - b), d - c
    v = b0 - dot(b0, b1) * b1
    w = b2 - dot(b2, b1) * b1
    return xp.atan2(dot(xp.linalg.cross(b1, v), w)[..., 0], dot(v, w)[..., 0])
