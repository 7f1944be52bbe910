"""Overlay pairs of clouds: `align`."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from foldpix.alignment.blocks import Found, Settings, compiled
from foldpix.alignment.clouds import Cloud
from foldpix.alignment.newton import NUM_KEPT, NUM_KEPT_GUIDED
from foldpix.alignment.overlaps import Overlap, Points
from foldpix.alignment.poses import transform_matrix
from foldpix.alignment.prepare import OK, Pair, poses_as_given, prepare
from foldpix.alignment.similarity import similarity
from foldpix.alignment.starts import principal_starts, spec_starts
from foldpix.alignment.tiles import Tile, padded_size, tiles

#: How to search.
METHODS = ("newton", "adam")
# Poses that a search of coarse clouds hands to that of fine ones.
_NUM_GUIDES = 8
# Blocks under way at a time: one computes while the next is made ready.
_NUM_PENDING = 3

Starts = Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class Alignment:
    """Overlays of P pairs.

    Parameters
    ----------
    transforms : ndarray, shape=(P, 4, 4), dtype=float64
        x' = R x + t moves a fit onto its reference, both as they were given; (P, K, 4, 4) for K best poses.
    scores : ndarray, shape=(P,), dtype=float64
        Similarities in these poses; (P, K) for K best poses.
    statuses : ndarray, shape=(P,), dtype=str
        "ok", or why a pair was not aligned: its score is NaN then, its transform the identity.
    """

    transforms: np.ndarray
    scores: np.ndarray
    statuses: np.ndarray


class _Plan(NamedTuple):
    method: str
    guided: bool
    num_repeats: int
    num_principal: int
    lr: float
    max_num_steps: int
    devices: tuple[jax.Device, ...]
    progress: Callable[[int], None]


def align(
    refs: Sequence[Cloud],
    fits: Sequence[Cloud],
    overlap: Overlap,
    *,
    method: str = "newton",
    num_repeats: int = 50,
    starts: Starts | None = None,
    guides: tuple[Sequence[Cloud], Sequence[Cloud], Overlap] | None = None,
    lr: float = 0.1,
    max_num_steps: int = 200,
    num_best: int = 1,
    devices: Sequence[jax.Device] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Alignment:
    """Lay each fit on its reference so that their overlap is as large as can be found.

    Neither where the clouds lie matters, nor which pairs are aligned together, nor their order. Memory stays
    bounded for any number of pairs.

    Parameters
    ----------
    refs, fits : sequence of Cloud
        Pairs, side by side; a cloud may be in many.
    overlap : Volume, Charged or Pharmacophore
    method : {"newton", "adam"}
        Newton's method with late pruning, or the fixed-step Adam of others.
    num_repeats : int
        Number of starts. Newton takes the largest group of rotations between principal frames with at most so
        many, 4, 12, 24 or 60; for pharmacophores of twice as many (50 give 24 and 60). One is the identity
        as it stands, without a translation.
    starts : sequence of array_like, shape=(R, 7), optional
        The starts of each pair instead: quaternion, scalar first, and translation, of the clouds as given.
    guides : (refs, fits, overlap), optional
        Coarse clouds of the same things. They are searched first; their best poses start the fine search.
    lr : float
        Step of Adam.
    max_num_steps : int
        Newton stops before, where it has converged.
    num_best : int
        Poses of each pair, best first, of different overlaps as far as there are; at most 8. Of guided
        searches two have converged.
    devices : sequence of jax.Device, optional
        All of this process by default.
    progress : callable, optional
        Called with the number of pairs done since the last call.

    Returns
    -------
    Alignment

    Raises
    ------
    ValueError
        If the arguments do not go together. What is wrong with a single pair is told by its status.
    """
    _check(refs, fits, method, num_repeats, starts)
    if not 1 <= num_best <= NUM_KEPT:
        raise ValueError(f"num_best is {num_best}; it must be 1 to {NUM_KEPT}")
    ignore = lambda num: None  # noqa: E731
    devices = tuple(devices or jax.local_devices())
    plan = _Plan(method, False, num_repeats, num_repeats, lr, max_num_steps, devices, ignore)
    statuses = [OK] * len(refs)
    if guides is not None:
        _check(*guides[:2], method, num_repeats, refs)
        starts = _overlay(guides, starts, plan, _NUM_GUIDES, statuses).poses
    plan = plan._replace(guided=guides is not None, progress=progress or ignore)
    found = _overlay((refs, fits, overlap), starts, plan, num_best, statuses)
    own = found.ref_overlaps[:, None], found.fit_overlaps[:, None]
    scores = similarity(overlap.similarity, found.overlaps, *own)
    transforms = transform_matrix(found.poses)
    if num_best == 1:
        transforms, scores = transforms[:, 0], scores[:, 0]
    return Alignment(transforms, scores, np.array(statuses, dtype=str))


def _check(refs: Sequence, fits: Sequence, method: str, num_repeats: int, starts: Sequence | None) -> None:
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if num_repeats < 1:
        raise ValueError(f"num_repeats is {num_repeats}; at least 1 start is needed")
    for name, given in (("fits", fits), ("starts or guides", starts)):
        if given is not None and len(given) != len(refs):
            raise ValueError(f"{len(refs)} references and {len(given)} {name}; give as many of each")


def _overlay(
    clouds: tuple[Sequence[Cloud], Sequence[Cloud], Overlap],
    starts: Starts | None,
    plan: _Plan,
    num_best: int,
    statuses: list[str],
) -> Found:
    """The best poses of pairs, of clouds as given, in float64; NaN overlaps where there are none."""
    refs, fits, overlap = clouds
    identity = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    all_found = Found(
        np.tile(identity, (len(refs), num_best, 1)),
        *(np.full(shape, np.nan) for shape in ((len(refs), num_best), len(refs), len(refs))),
    )
    # Adam's path depends on which of the two moves.
    pairs = prepare(refs, fits, overlap, plan.method == "newton", statuses)
    settings = Settings(
        getattr(overlap, "alpha", 1.0), getattr(overlap, "lam", 1.0), plan.lr, plan.max_num_steps
    )
    plan = plan._replace(num_principal=plan.num_repeats * overlap.ruggedness)
    for some, found in _search(pairs, starts, plan, settings, num_best):
        places = [pair.place for pair in some]
        own = [found.ref_overlaps, found.fit_overlaps]
        swapped = np.array([pair.swapped for pair in some])
        all_found.poses[places] = poses_as_given(some, found.poses)
        all_found.overlaps[places] = found.overlaps
        all_found.ref_overlaps[places] = np.where(swapped, own[1], own[0])
        all_found.fit_overlaps[places] = np.where(swapped, own[0], own[1])
        plan.progress(len(some))
    return all_found


def _search(
    pairs: list[Pair], starts: Starts | None, plan: _Plan, settings: Settings, num_best: int
) -> Iterator[tuple[list[Pair], Found]]:
    num_starts = max(_num_starts(pairs, starts, plan), num_best)
    search = compiled(plan.method, plan.guided, num_best, plan.devices)
    pending: deque[tuple[list[Pair], Found]] = deque()
    num_kept = NUM_KEPT_GUIDED if plan.guided else NUM_KEPT
    num_together = min(num_starts, num_kept) if plan.method == "newton" else num_starts
    for tile in tiles([(pair.ref.points, pair.fit.points) for pair in pairs], num_together):
        for first in range(0, len(tile.places), tile.num_pairs * len(plan.devices)):
            some = [pairs[k] for k in tile.places[first : first + tile.num_pairs * len(plan.devices)]]
            rows = _rows(tile, first, len(plan.devices))
            poses = _starts_of(some, starts, plan, num_starts)[rows - first]
            ref, fit = (Points(*(_take(x, rows) for x in side)) for side in (tile.ref, tile.fit))
            pending.append((some, search(ref, fit, poses.astype(np.float32), settings)))
            if len(pending) > _NUM_PENDING:
                yield _fetched(*pending.popleft())
    while pending:
        yield _fetched(*pending.popleft())


def _rows(tile: Tile, first: int, num_devices: int) -> np.ndarray:
    """Places in a tile of the next block; the last pair fills it up."""
    return np.minimum(first + np.arange(tile.num_pairs * num_devices), len(tile.places) - 1)


def _take(x: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if x is None else x[rows]


def _fetched(some: list[Pair], found: Found) -> tuple[list[Pair], Found]:
    return some, Found(*(np.asarray(x)[: len(some)].astype(np.float64) for x in found))


def _num_starts(pairs: list[Pair], starts: Starts | None, plan: _Plan) -> int:
    nums = {len(starts[pair.place]) for pair in pairs} if starts is not None else set()
    if starts is None and pairs:
        nums = {_starts_of(pairs[:1], None, plan, 0).shape[1]}
    # Few numbers of starts, so that few functions are compiled.
    num = nums.pop() if len(nums) == 1 else padded_size(max(nums, default=1))
    return -(-num // NUM_KEPT) * NUM_KEPT if plan.method == "newton" and num > NUM_KEPT else num


def _starts_of(pairs: list[Pair], starts: Starts | None, plan: _Plan, num: int) -> np.ndarray:
    """Starts of centred pairs, (P, R, 7); the first fills up where there are less than ``num``."""
    if starts is None and plan.method == "newton" and plan.num_repeats > 1:
        of_ref, of_fit = (
            np.array([pair.ref.frame for pair in pairs]),
            np.array([pair.fit.frame for pair in pairs]),
        )
        return _filled(principal_starts(of_ref, of_fit, plan.num_principal), num)
    rows = []
    for pair in pairs:
        given = starts[pair.place] if starts is not None else _default_starts(pair, plan)
        rows.append(_filled(pair.poses_as_centred(given)[None], num))
    return np.concatenate(rows)


def _filled(poses: np.ndarray, num: int) -> np.ndarray:
    missing = max(num - poses.shape[1], 0)
    return np.concatenate([poses, np.repeat(poses[:, :1], missing, axis=1)], axis=1)


def _default_starts(pair: Pair, plan: _Plan) -> np.ndarray:
    ref, fit = (pair.fit, pair.ref) if pair.swapped else (pair.ref, pair.fit)
    return spec_starts(ref.cloud.points, fit.cloud.points, plan.num_repeats)
