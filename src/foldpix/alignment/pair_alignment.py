"""Aligning pairs of molecules, with a status for each."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import jax
import numpy as np
from rich.progress import Progress

from foldpix.alignment.clouds import Cloud
from foldpix.alignment.modes import GUIDE, Mode
from foldpix.alignment.molecule import Molecule
from foldpix.alignment.poses import apply
from foldpix.alignment.search import Alignment, align
from foldpix.alignment.starts import spec_starts


@dataclass(frozen=True)
class Search:
    """How poses are searched for; see `foldpix.alignment.methods.AlignmentMethods`."""

    num_repeats: int
    trans_init: bool
    lr: float
    max_num_steps: int
    num_workers: int
    use_shmap: bool
    n_buckets: int
    verbose: bool
    num_buckets: int
    method: str

    def __post_init__(self) -> None:
        for name in ("num_workers", "n_buckets", "num_buckets"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")


@dataclass(frozen=True)
class AlignmentResult:
    """How a pair was aligned.

    Attributes
    ----------
    score : float or None
        Similarity at the pose; None before any alignment, NaN where it failed.
    transform : ndarray, dtype=float64, shape=(4, 4)
        Takes the fit molecule onto the reference, ``x' = R x + t``; the identity where there is no pose.
    status : str
        "ok", or why there is no pose.
    cloud : Cloud, optional
        The fit's points before it was moved.
    """

    score: float | None = None
    transform: np.ndarray = field(default_factory=lambda: np.eye(4))
    status: str = "not aligned"
    cloud: Cloud | None = None

    @property
    def aligned(self) -> np.ndarray:
        """The fit's points on the reference, shape (N, 3); none where it has no points."""
        return np.empty((0, 3)) if self.cloud is None else apply(self.transform, self.cloud.points)

    @property
    def aligned_vectors(self) -> np.ndarray:
        """The directions that go with `aligned`, shape (N, 3)."""
        vectors = None if self.cloud is None else self.cloud.vectors
        return np.empty((0, 3)) if vectors is None else vectors @ self.transform[:3, :3].T


class Pair(Protocol):
    """A reference molecule and one to fit onto it."""

    ref: Molecule
    fit: Molecule


def align_pairs(pairs: Sequence[Pair], mode: Mode, search: Search) -> list[AlignmentResult]:
    """Align each pair; a pair that cannot be aligned says why, and leaves the others alone.

    A molecule of several pairs is prepared once.
    """
    molecules = {id(molecule): molecule for pair in pairs for molecule in (pair.ref, pair.fit)}
    prepared = {key: _prepare(molecule, mode) for key, molecule in molecules.items()}
    results, good = [], []
    for place, pair in enumerate(pairs):
        ref, fit = prepared[id(pair.ref)], prepared[id(pair.fit)]
        results.append(_not_prepared(ref, fit))
        if isinstance(ref, _Prepared) and isinstance(fit, _Prepared):
            good.append((place, ref, fit))
    if good:
        places, refs, fits = zip(*good, strict=True)
        found = _align(refs, fits, mode, search)
        outcomes = zip(found.scores, found.transforms, found.statuses, strict=True)
        for place, fit, (score, transform, status) in zip(places, fits, outcomes, strict=True):
            results[place] = AlignmentResult(float(score), transform, str(status), fit.cloud)
    return results


@dataclass(frozen=True)
class _Prepared:
    """A molecule's cloud, and the one that a guided search takes first; the same where there is none."""

    cloud: Cloud
    guide: Cloud


def _prepare(molecule: Molecule, mode: Mode) -> _Prepared | str:
    """A molecule's clouds, or why it has none."""
    try:
        cloud = mode.cloud(molecule)
        return _Prepared(cloud, cloud if mode.guide is None else mode.guide(molecule))
    except ValueError as error:
        return str(error)


def _not_prepared(ref: _Prepared | str, fit: _Prepared | str) -> AlignmentResult:
    errors = [f"{name}: {part}" for name, part in (("reference", ref), ("fit", fit)) if isinstance(part, str)]
    cloud = fit.cloud if isinstance(fit, _Prepared) else None
    return AlignmentResult(np.nan, status="; ".join(errors), cloud=cloud)


def _align(refs: Sequence[_Prepared], fits: Sequence[_Prepared], mode: Mode, search: Search) -> Alignment:
    ref_clouds, fit_clouds = [ref.cloud for ref in refs], [fit.cloud for fit in fits]
    starts = guides = None
    if search.trans_init:
        pairs = zip(ref_clouds, fit_clouds, strict=True)
        starts = [spec_starts(ref.points, fit.points, trans_init=True) for ref, fit in pairs]
    elif mode.guide is not None and search.method == "newton":
        guides = [ref.guide for ref in refs], [fit.guide for fit in fits], GUIDE
    with Progress(disable=not search.verbose) as bar:
        task = bar.add_task("pairs", total=len(refs))
        return align(
            ref_clouds,
            fit_clouds,
            mode.overlap,
            method=search.method,
            num_repeats=search.num_repeats,
            starts=starts,
            guides=guides,
            lr=search.lr,
            max_num_steps=search.max_num_steps,
            devices=_devices(search),
            progress=lambda num: bar.advance(task, num),
        )


def _devices(search: Search) -> list[jax.Device]:
    """As many devices as there are workers, or all."""
    devices, wanted = jax.local_devices(), search.num_workers if search.use_shmap else 1
    if wanted > len(devices):
        warnings.warn(
            f"num_workers is {wanted}, but JAX has {len(devices)} devices; for more call "
            f'jax.config.update("jax_num_cpu_devices", {wanted}) before JAX is used, or set '
            f"XLA_FLAGS=--xla_force_host_platform_device_count={wanted} before it is imported",
            stacklevel=5,
        )
    return devices[:wanted]
