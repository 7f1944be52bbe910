"""Which overlap of two clouds is maximised.

All are sums over pairs of points of a weight times exp(-α/2 |r - x|²); what differs is the weight. The
prefactor (π / 2α)^1.5 of Gaussian overlaps (Grant, Gallardo & Pickup 1996) is left out where it is the same
for all pairs: it cancels in every similarity.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.similarity import check_similarity

#: Kinds of pharmacophores; a cloud's ``types`` are places in this list.
PHARMACOPHORES = (
    "Acceptor",
    "Donor",
    "Aromatic",
    "Hydrophobe",
    "Halogen",
    "Cation",
    "Anion",
    "ZnBinder",
)
_WIDE = [PHARMACOPHORES.index(name) for name in ("Aromatic", "Hydrophobe")]
_AXIAL = [PHARMACOPHORES.index("Aromatic")]
_POLAR = [PHARMACOPHORES.index(name) for name in ("Acceptor", "Donor", "Halogen")]
_WIDE_ALPHA, _ALPHA = 0.7, 1.0


class Points(NamedTuple):
    """A cloud as the kernel takes it; what an overlap does not use is None.

    ``alphas`` are widths by point, ``weights`` factors by point (padding has zero), ``axial`` and ``polar``
    say with one or zero whether the direction counts as a line or as an arrow.
    """

    points: Any
    weights: Any
    charges: Any = None
    types: Any = None
    alphas: Any = None
    vectors: Any = None
    axial: Any = None
    polar: Any = None


@dataclass(frozen=True)
class Volume:
    """Shape alone.

    Parameters
    ----------
    alpha : float
        Width α of the Gaussians in Å⁻²; 0.81 is that of heavy atoms.
    """

    alpha: float = 0.81
    similarity: ClassVar[str] = "tanimoto"
    ruggedness: ClassVar[int] = 1

    def fold(self, cloud: Cloud) -> Points:
        """The cloud as the kernel takes it; a ValueError says why it cannot."""
        return Points(_finite_points(cloud), np.ones(len(cloud)))


@dataclass(frozen=True)
class Charged:
    """Shape and charges: pairs of points weigh exp(-(q - q')² / λ).

    Parameters
    ----------
    alpha : float
        Width α of the Gaussians in Å⁻².
    lam : float
        λ as it enters the exponent, in squared units of the charges.
    """

    alpha: float
    lam: float
    similarity: ClassVar[str] = "tanimoto"
    ruggedness: ClassVar[int] = 1

    def fold(self, cloud: Cloud) -> Points:
        """The cloud as the kernel takes it; a ValueError says why it cannot."""
        charges = _finite(cloud.charges, "charges")
        return Points(_finite_points(cloud), np.ones(len(cloud)), charges=charges)


@dataclass(frozen=True)
class Pharmacophore:
    """Pharmacophores of the same kind, weighted by how well their directions agree.

    Directed pairs weigh (s + 2) / 3 with s = |u·v| for aromatic rings and max(0, u·v) for acceptors, donors
    and halogens; others weigh one.

    Parameters
    ----------
    similarity : str
        See `foldpix.alignment.similarity.similarity`.
    extended_points : bool
        Instead of the directions of acceptors, donors and halogens, compare the points that they lead to.
    only_extended : bool
        Of those kinds leave the points themselves out.
    """

    similarity: str = "tanimoto"
    extended_points: bool = False
    only_extended: bool = False
    # Few and narrow terms make many maxima; with 60 starts Newton passes what Adam reaches from 50
    # (0.2414 beside 0.2404 on 64 pairs of drugs), with 24 it does not (0.2382).
    ruggedness: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_similarity(self.similarity)

    def fold(self, cloud: Cloud) -> Points:
        """The cloud as the kernel takes it; a ValueError says why it cannot."""
        points, types = _finite_points(cloud), cloud.types
        if types is None:
            raise ValueError("no types of pharmacophores")
        if types.min() < 0 or types.max() >= len(PHARMACOPHORES):
            raise ValueError(f"types of pharmacophores outside 0 to {len(PHARMACOPHORES) - 1}")
        vectors = np.zeros_like(points) if cloud.vectors is None else _finite(cloud.vectors, "vectors")
        polar = np.isin(types, _POLAR)
        kept = np.arange(len(points))
        if self.extended_points:
            kept = np.flatnonzero(~polar) if self.only_extended else kept
            ends = np.flatnonzero(polar)
            points = np.concatenate([points[kept], points[ends] + vectors[ends]])
            # Ends meet ends, never the points themselves.
            kinds = np.concatenate([types[kept], types[ends] + len(PHARMACOPHORES)])
            kept, polar = np.concatenate([kept, ends]), np.zeros(len(points), bool)
        else:
            kinds = types
        if not len(points):
            raise ValueError("no points")
        alphas = np.where(np.isin(types[kept], _WIDE), _WIDE_ALPHA, _ALPHA)
        return Points(
            points,
            (np.pi / (2.0 * alphas)) ** 0.75,  # of either side half of the prefactor
            types=kinds,
            alphas=alphas,
            vectors=_unit(vectors[kept]),
            axial=np.isin(types[kept], _AXIAL),
            polar=polar,
        )


Overlap = Volume | Charged | Pharmacophore


def _finite_points(cloud: Cloud) -> np.ndarray:
    if not len(cloud):
        raise ValueError("no points")
    return _finite(cloud.points, "points")


def _finite(values: np.ndarray | None, name: str) -> np.ndarray:
    if values is None:
        raise ValueError(f"no {name}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} are not finite")
    return values


def _unit(vectors: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, norm, out=np.zeros_like(vectors), where=norm > 0)
