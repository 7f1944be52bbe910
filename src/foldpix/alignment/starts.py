"""Where to start: rotations between the principal frames of two clouds, and the starts of the peers' Adam."""

import itertools
from functools import cache

import numpy as np

from foldpix.alignment.poses import multiply, quaternion_of, rotation_matrix

_GOLDEN = (1.0 + 5.0**0.5) / 2.0
#: How many rotations of a principal frame there are to choose from.
NUM_PRINCIPAL = (4, 12, 24, 60)
# Rotations about each point of the reference.
_NUM_BY_POINT = 10


def principal_starts(ref_frames: np.ndarray, fit_frames: np.ndarray, num: int) -> np.ndarray:
    """Starts that lay the fit's principal axes along the reference's, in every way of a group of rotations.

    The groups are those of half turns (4), of the tetrahedron (12), the octahedron (24) and the icosahedron
    (60). All hold the half turns, so that the signs of the axes do not matter.

    Parameters
    ----------
    ref_frames, fit_frames : ndarray, shape=(P, 4)
        See `principal_frame`.
    num : int
        The largest group of at most so many rotations is taken, or the half turns.

    Returns
    -------
    ndarray, shape=(P, S, 7)
        Of centred clouds: translations are zero.
    """
    group = _group(max(size for size in NUM_PRINCIPAL if size <= max(num, NUM_PRINCIPAL[0])))
    back = fit_frames * np.array([1.0, -1.0, -1.0, -1.0])
    quaternion = multiply(multiply(ref_frames[:, None], group), back[:, None])
    return np.concatenate([quaternion, np.zeros((*quaternion.shape[:-1], 3))], axis=-1)


def principal_frame(points: np.ndarray) -> np.ndarray:
    """Rotation of the axes x, y, z onto the principal axes, longest first: (N, 3) -> quaternion (4,).

    Points on a line or in one place have any axes across it.
    """
    centred = points - points.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    axes = axes * np.array([1.0, 1.0, np.sign(np.linalg.det(axes))])
    return quaternion_of(axes)


def spec_starts(
    ref: np.ndarray, fit: np.ndarray, num_repeats: int = 50, trans_init: bool = False
) -> np.ndarray:
    """Starts of the fixed-step Adam.

    One is the identity as it stands, without a translation. More are, all with the fit's mean on the
    reference's: the identity, four rotations between principal axes, and turns of the x axis to points of
    a Fibonacci sphere by the shortest way; at least five in all.

    Parameters
    ----------
    ref, fit : ndarray, shape=(N, 3), (M, 3)
    num_repeats : int
    trans_init : bool
        Instead of `num_repeats`, five starts as above and ten on each point of the reference.

    Returns
    -------
    ndarray, shape=(R, 7)
    """
    if num_repeats == 1 and not trans_init:
        return np.array([[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    frames = principal_frame(ref)[None], principal_frame(fit)[None]
    first = np.concatenate([[[1.0, 0.0, 0.0, 0.0]], principal_starts(*frames, 4)[0, :, :4]])
    center = ref.mean(axis=0)
    if not trans_init:
        turns = np.concatenate([first, fibonacci_rotations(max(num_repeats - 5, 0))])
        return _onto(turns, np.tile(center, (len(turns), 1)), fit)
    turns = np.concatenate([first, np.tile(fibonacci_rotations(_NUM_BY_POINT), (len(ref), 1))])
    targets = np.concatenate([np.tile(center, (5, 1)), np.repeat(ref, _NUM_BY_POINT, axis=0)])
    return _onto(turns, targets, fit)


def fibonacci_rotations(num: int) -> np.ndarray:
    """The shortest turns of the x axis to points spread evenly over a sphere: quaternions (num, 4).

    The spiral climbs the y axis in equal steps, half a step from either pole; the last point begins it, by
    angle. Adam's end depends on the starts: with these, scores are those of shepherd-score.
    """
    place = np.arange(num)
    height = (2.0 * place + 1.0) / max(num, 1) - 1.0
    angle = np.pi * (3.0 - 5.0**0.5) * np.roll(place, -1)
    ring = np.sqrt(np.maximum(1.0 - height**2, 0.0))
    x, y, z = ring * np.cos(angle), height, ring * np.sin(angle)
    # The shortest turn of e to p is the quaternion (1 + e·p, e × p); no point is -e itself.
    quaternion = np.stack([1.0 + x, np.zeros(num), -z, y], axis=-1)
    return quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)


def _onto(quaternion: np.ndarray, target: np.ndarray, fit: np.ndarray) -> np.ndarray:
    moved = rotation_matrix(quaternion) @ fit.mean(axis=0)
    return np.concatenate([quaternion, target - moved], axis=-1)


@cache
def _group(num: int) -> np.ndarray:
    """Quaternions of the proper rotations of a polyhedron, (num, 4), the identity first."""
    units = np.concatenate([np.eye(4), -np.eye(4)])
    halves = np.array(list(itertools.product((0.5, -0.5), repeat=4)))
    both = [units]
    if num >= 12:
        both.append(halves)
    if num == 24:
        pairs = itertools.product(itertools.combinations(range(4), 2), (1.0, -1.0), (1.0, -1.0))
        both.append(np.array([_two(place, signs) for place, *signs in pairs]) / 2.0**0.5)
    if num == 60:
        even = [p for p in itertools.permutations(range(4)) if _is_even(p)]
        signs = itertools.product((1.0, -1.0), repeat=3)
        values = np.array([[0.0, a / 2.0, b / (2.0 * _GOLDEN), c * _GOLDEN / 2.0] for a, b, c in signs])
        both.append(np.concatenate([values[:, list(p)] for p in even]))
    return _one_of_each_sign(np.concatenate(both))


def _two(place: tuple[int, int], signs: list[float]) -> np.ndarray:
    quaternion = np.zeros(4)
    quaternion[list(place)] = signs
    return quaternion


def _is_even(permutation: tuple[int, ...]) -> bool:
    return np.linalg.det(np.eye(4)[list(permutation)]) > 0


def _one_of_each_sign(quaternions: np.ndarray) -> np.ndarray:
    """Of q and -q, the same rotation, the one whose first number other than zero is positive."""
    first = np.argmax(quaternions != 0, axis=1)
    return quaternions[np.take_along_axis(quaternions, first[:, None], axis=1)[:, 0] > 0]
