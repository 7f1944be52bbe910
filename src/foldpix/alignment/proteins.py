"""Overlays of protein backbones, whatever their sequences: `align_backbones`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from foldpix.alignment.chain_refinement import Superposition, gaussian_overlap, refined
from foldpix.alignment.clouds import Cloud
from foldpix.alignment.overlaps import Volume
from foldpix.alignment.poses import apply
from foldpix.alignment.prepare import OK
from foldpix.alignment.search import Alignment, align
from foldpix.geometry import virtual_cb
from foldpix.structure import Backbone

# Width of the Gaussians whose overlap is the score, per square angstrom: 3.2 angstrom, about the distance of
# neighbours along the chain.
_ALPHA = 0.1
# How the means of stretches of CA overlap that are searched, the most of them that stand for a chain, and the
# rotations between principal frames that the search starts from. In a trial on 200 pairs of PDB chains 12
# rotations led as far as 24 did, and 24 means as far as 32; with 16 means a pair of one family was lost.
_COARSE, _NUM_COARSE, _NUM_STARTS = Volume(0.03), 24, 12
# Chains are searched in halves, too, as domains move against each other; a half has at least so many
# residues. Poses with a higher TM-score than this are beyond doubt, and halves are not tried.
_LEAST_HALF, _NO_DOUBT = 20, 0.7
# From N, CA and C of residues, (L, 3, 3), to a point of each.
_POINTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"ca": lambda coords: coords[:, 1], "cb": virtual_cb}
_NOWHERE = Superposition(np.eye(4), np.nan, np.nan, 0)


@dataclass(frozen=True, eq=False)
class BackboneAlignment(Alignment):
    """Overlays of P pairs of backbones; what is not aligned has NaN and 0.

    Parameters
    ----------
    tm_scores : ndarray, shape=(P,), dtype=float64
        In these poses, over the residues paired along both chains by dynamic programming (closeness
        1 / (1 + (d / d0)²), 0.6 for opening a gap), by the length of the shorter chain, which sets d0.
    rmsds : ndarray, shape=(P,), dtype=float64
        In these poses, angstrom, over the pairs nearer than 5 angstrom.
    num_matched : ndarray, shape=(P,), dtype=int64
        Those pairs.
    """

    tm_scores: np.ndarray
    rmsds: np.ndarray
    num_matched: np.ndarray


def align_backbones(
    refs: Sequence[Backbone],
    fits: Sequence[Backbone],
    *,
    points: str = "ca",
    progress: Callable[[int], None] | None = None,
) -> BackboneAlignment:
    """Lay each backbone on its reference so that their TM-score is as large as can be found.

    The means of short stretches of CA are overlaid first, as wide Gaussians, of the chains and, where these
    do not fit, of their halves; neither order nor sequence counts there. The poses are then improved by
    matching residues and superposing them.

    Parameters
    ----------
    refs, fits : sequence of Backbone
        Pairs, side by side; a backbone may be in many. A `foldpix.batch.Batch` has ``to_backbones()``.
    points : {"ca", "cb"}
        What stands for a residue, here and in all figures: CA, or CB as the backbone gives it.
    progress : callable, optional
        Called with the number of pairs done since the last call.

    Returns
    -------
    BackboneAlignment
        ``scores`` are the Gaussian overlaps of all points in these poses, as a Tanimoto similarity.

    Raises
    ------
    ValueError
        If there are not as many of both, or no such points.
    """
    if points not in _POINTS:
        raise ValueError(f"no points {points!r}; there are {', '.join(_POINTS)}")
    if len(refs) != len(fits):
        raise ValueError(f"{len(refs)} references and {len(fits)} fits; give as many of each")
    # A backbone of many pairs is made ready once.
    chains = {id(backbone): _chain(_POINTS[points](backbone.coords)) for backbone in (*refs, *fits)}
    pairs = [(chains[id(ref)], chains[id(fit)]) for ref, fit in zip(refs, fits, strict=True)]
    coarse = [ref.coarse for ref, _ in pairs], [fit.coarse for _, fit in pairs]
    whole = align(*coarse, _COARSE, num_repeats=_NUM_STARTS)
    posed = [_NOWHERE] * len(pairs)
    for k in np.flatnonzero(whole.statuses == OK).tolist():
        posed[k] = refined(pairs[k][0].point_N3, pairs[k][1].point_N3, [whole.transforms[k]])
    doubtful = [k for k, pose in enumerate(posed) if pose.tm_score < _NO_DOUBT]
    if progress is not None:
        progress(len(pairs) - len(doubtful))
    for k, poses in zip(doubtful, _poses_of_pieces([pairs[k] for k in doubtful]), strict=True):
        posed[k] = refined(pairs[k][0].point_N3, pairs[k][1].point_N3, [posed[k].transform, *poses])
        if progress is not None:
            progress(1)
    scores = [_similarity(*pair, pose.transform) for pair, pose in zip(pairs, posed, strict=True)]
    return _gathered(posed, scores, whole.statuses)


class _Chain(NamedTuple):
    """All points, their overlap with themselves, and coarse clouds of the chain and of its pieces."""

    point_N3: np.ndarray
    own_overlap: float
    coarse: Cloud
    pieces: list[Cloud]


def _chain(point_L3: np.ndarray) -> _Chain:
    point_L3 = point_L3.astype(np.float64)
    half = len(point_L3) // 2
    cut = half >= _LEAST_HALF and np.isfinite(point_L3).all()
    begins = (0, half // 2, len(point_L3) - half) if cut else ()
    pieces = [_coarse(point_L3[begin : begin + half]) for begin in begins]
    return _Chain(point_L3, gaussian_overlap(point_L3, point_L3, _ALPHA), _coarse(point_L3), pieces)


def _coarse(point_L3: np.ndarray) -> Cloud:
    """Means of stretches of equal length, but for one residue."""
    num = -(-len(point_L3) // -(-len(point_L3) // _NUM_COARSE))
    ends = np.round(np.linspace(0, len(point_L3), num + 1)).astype(int)
    return Cloud(np.add.reduceat(point_L3, ends[:-1]) / np.diff(ends)[:, None])


def _poses_of_pieces(pairs: Sequence[tuple[_Chain, _Chain]]) -> list[list[np.ndarray]]:
    """Poses (4, 4) of each pair in which one chain overlaps with pieces of the other."""
    refs, fits, places = [], [], []
    for place, (ref, fit) in enumerate(pairs):
        refs += [ref.coarse] * len(fit.pieces) + ref.pieces
        fits += fit.pieces + [fit.coarse] * len(ref.pieces)
        places += [place] * (len(ref.pieces) + len(fit.pieces))
    found = align(refs, fits, _COARSE, num_repeats=_NUM_STARTS)
    poses: list[list[np.ndarray]] = [[] for _ in pairs]
    for place, transform in zip(places, found.transforms, strict=True):
        poses[place].append(transform)
    return poses


def _similarity(ref: _Chain, fit: _Chain, transform: np.ndarray) -> float:
    overlap = gaussian_overlap(ref.point_N3, apply(transform, fit.point_N3), _ALPHA)
    return overlap / (ref.own_overlap + fit.own_overlap - overlap)


def _gathered(
    posed: Sequence[Superposition], scores: Sequence[float], statuses: np.ndarray
) -> BackboneAlignment:
    transforms = np.array([pose.transform for pose in posed]).reshape(-1, 4, 4)
    return BackboneAlignment(
        transforms,
        np.array(scores, np.float64),
        statuses,
        np.array([pose.tm_score for pose in posed], np.float64),
        np.array([pose.rmsd for pose in posed], np.float64),
        np.array([pose.num_matched for pose in posed], np.int64),
    )
