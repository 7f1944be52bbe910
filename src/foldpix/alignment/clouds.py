"""What a molecule, a surface, a pharmacophore or a protein looks like to the alignment: a cloud of points."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points with what belongs to each.

    Parameters
    ----------
    points : array_like, shape=(N, 3), dtype=float64
        Positions in Å.
    charges : array_like, shape=(N,), dtype=float64, optional
        Partial charges in e, or electrostatic potentials in V.
    types : array_like, shape=(N,), dtype=int64, optional
        Kinds of pharmacophores, see `foldpix.alignment.Pharmacophore`.
    vectors : array_like, shape=(N, 3), dtype=float64, optional
        Directions of pharmacophores; of any length, zero where there is none.
    center : array_like, shape=(3,), dtype=float64, optional
        What the search turns about and first lays on its counterpart; the mean of the points by default.
        Features of a molecule may give that of its atoms.

    Raises
    ------
    ValueError
        If shapes do not go together. A cloud may be empty or hold NaN: a pair with it gets a status.
    """

    points: np.ndarray
    charges: np.ndarray | None = None
    types: np.ndarray | None = None
    vectors: np.ndarray | None = None
    center: np.ndarray | None = None

    def __post_init__(self) -> None:
        points = np.asarray(self.points, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"points have the shape {points.shape}; give (N, 3)")
        object.__setattr__(self, "points", points)
        for name, dtype, shape in (
            ("charges", np.float64, points.shape[:1]),
            ("types", np.int64, points.shape[:1]),
            ("vectors", np.float64, points.shape),
            ("center", np.float64, (3,)),
        ):
            object.__setattr__(self, name, _checked(name, getattr(self, name), dtype, shape))

    def __len__(self) -> int:
        return len(self.points)


def _checked(name: str, values: Any, dtype: type, shape: tuple[int, ...]) -> np.ndarray | None:
    if values is None:
        return None
    array: np.ndarray = np.asarray(values, dtype)
    if array.shape != shape:
        raise ValueError(f"{name} have the shape {array.shape}; {shape} is needed")
    return array
