"""Clouds and pairs of clouds made ready for the search: centred, their principal frames known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.overlaps import Overlap, Points
from foldpix.alignment.poses import inverse, shifted
from foldpix.alignment.starts import principal_frame

#: The status of a pair that is aligned.
OK = "ok"


class Centred(NamedTuple):
    """A cloud as the kernel takes it, its mean at the origin: float32 is exact enough there."""

    cloud: Cloud
    points: Points
    center: np.ndarray
    frame: np.ndarray


class Pair(NamedTuple):
    """Two clouds that can be aligned, and their place in the batch.

    Swapped ones have changed roles, so that fewer shapes of blocks occur: the overlap is symmetric.
    """

    place: int
    ref: Centred
    fit: Centred
    swapped: bool

    def poses_as_centred(self, poses: np.ndarray) -> np.ndarray:
        """Poses of the clouds as they were given as those of these clouds: (..., 7) -> (..., 7)."""
        poses = np.asarray(poses, np.float64)
        return shifted(inverse(poses) if self.swapped else poses, -self.ref.center, -self.fit.center)


def poses_as_given(pairs: Sequence[Pair], poses: np.ndarray) -> np.ndarray:
    """Poses of centred clouds as those of the clouds as they were given: (P, K, 7) -> (P, K, 7)."""
    centers = np.array([(pair.ref.center, pair.fit.center) for pair in pairs])[:, :, None]
    poses = shifted(poses, centers[:, 0], centers[:, 1])
    swapped = np.array([pair.swapped for pair in pairs])
    return np.where(swapped[:, None, None], inverse(poses), poses)


def prepare(
    refs: Sequence[Cloud], fits: Sequence[Cloud], overlap: Overlap, may_swap: bool, statuses: list[str]
) -> list[Pair]:
    """The pairs that can be aligned. The others, and those that have a status already, are left out.

    ``statuses`` gets why. A cloud that occurs in many pairs is prepared once.
    """
    done: dict[int, Centred | str] = {}
    pairs = []
    for place, (ref, fit) in enumerate(zip(refs, fits, strict=True)):
        for cloud in (ref, fit):
            if id(cloud) not in done:
                done[id(cloud)] = _centred_or_why_not(cloud, overlap)
        one, other = done[id(ref)], done[id(fit)]
        if statuses[place] != OK:
            continue
        if isinstance(one, str):
            statuses[place] = f"reference: {one}"
        elif isinstance(other, str):
            statuses[place] = f"fit: {other}"
        elif may_swap and len(one.points.points) < len(other.points.points):
            pairs.append(Pair(place, other, one, swapped=True))
        else:
            pairs.append(Pair(place, one, other, swapped=False))
    return pairs


def _centred_or_why_not(cloud: Cloud, overlap: Overlap) -> Centred | str:
    try:
        points = overlap.fold(cloud)
    except ValueError as error:
        return str(error)
    center = cloud.points.mean(axis=0) if cloud.center is None else cloud.center
    return Centred(
        cloud, points._replace(points=points.points - center), center, principal_frame(cloud.points)
    )
