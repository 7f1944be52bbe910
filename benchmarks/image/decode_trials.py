"""One chain through its picture, perhaps a noisy one, and back by several solvers."""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from benchmarks.image.perfect_errors import draw_errors
from benchmarks.reference.frames import decode_frame_ls, decode_mds, decode_smacof
from foldpix.dataset.sources import key_of
from foldpix.evaluation.metrics import backbone_rmsd, is_right_handed
from foldpix.geometry import superpose, virtual_cb
from foldpix.image import Decoded, decode, encode, from_pixels, picture_of, png_bytes, read_png
from foldpix.structure import Backbone, StructureError, read_structure

D_MAX = 80.0
LENGTHS = range(2, 1025)

Solver = Callable[[np.ndarray], Decoded | np.ndarray]
REFERENCES: Mapping[str, Solver] = {"MDS": decode_mds, "SMACOF": decode_smacof, "frameLS": decode_frame_ls}
OURS: Mapping[str, Solver] = {"fast": lambda image: decode(image, refine=False), "refined": decode}
SOLVERS: Mapping[str, Solver] = {**REFERENCES, **OURS}


class Task(NamedTuple):
    """What to do with the chains of a file; ``id`` chooses one of them, empty all."""

    path: str
    solvers: tuple[str, ...] = tuple(OURS)
    noises: tuple[float, ...] = (0.0,)
    id: str = ""


class Skipped(NamedTuple):
    """A file that cannot be read, or a chain that is too short or too long."""

    id: str
    reason: str


@dataclass(frozen=True)
class Trial:
    """How one solver did.

    Parameters
    ----------
    path, id : str
        The file, and the chain in it.
    length : int
    far : bool
        The chain has pairs at or beyond d_max.
    noise : float
        Standard deviation in grey levels.
    solver : str
    rmsd : float
        Over N, CA, C, angstrom.
    right_handed : bool
    cpu_s : float
    breaks, reported_breaks : frozenset of int
        Residues before a break of the chain, in truth and by the solver.
    error, true_error, drawn_error : ndarray, shape=(L,)
        Of each residue, the root mean square over its atoms in angstrom: as predicted, as it is, and as it is
        when drawn from the predicted distribution. Empty where the solver predicts none.
    """

    path: str
    id: str
    length: int
    far: bool
    noise: float
    solver: str
    rmsd: float
    right_handed: bool
    cpu_s: float
    breaks: frozenset[int] = frozenset()
    reported_breaks: frozenset[int] = frozenset()
    error: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    true_error: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    drawn_error: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)


def run(task: Task) -> list[Trial | Skipped]:
    """All trials of a task, each of the same picture for all solvers."""
    try:
        backbones = read_structure(task.path)
    except (StructureError, OSError) as error:
        return [Skipped(key_of(task.path), str(error))]
    results: list[Trial | Skipped] = []
    for backbone in backbones:
        name = key_of(task.path, backbone.chain if len(backbones) > 1 else "")
        if task.id and name != task.id:
            continue
        if len(backbone) not in LENGTHS:
            results.append(Skipped(name, f"{len(backbone)} residues, not {LENGTHS[0]} to {LENGTHS[-1]}"))
            continue
        results += _trials(task, name, backbone)
    return results


def noisy_image(backbone: Backbone, noise: float, seed: str) -> np.ndarray:
    """Image (3, L, L) as read from 8 bits, with independent Gaussian noise of ``noise`` grey levels."""
    if noise == 0:
        return from_pixels(read_png(png_bytes(picture_of(backbone, D_MAX))).pixels)
    rng = np.random.default_rng(zlib.crc32(f"{seed} {noise:g}".encode()))
    levels = (encode(backbone.coords, D_MAX) + 1) / 2 * 255
    pixels = np.clip(np.round(levels + noise * rng.standard_normal(levels.shape)), 0, 255)
    return from_pixels(np.moveaxis(pixels, 0, -1).astype(np.uint8))


def _trials(task: Task, name: str, backbone: Backbone) -> Iterator[Trial]:
    truth, far = backbone.coords, _far(backbone.coords)
    for noise in task.noises:
        image = noisy_image(backbone, noise, name)
        for solver in task.solvers:
            start = time.process_time()
            answer = SOLVERS[solver](image)
            seconds = time.process_time() - start
            coords = answer.coords if isinstance(answer, Decoded) else answer
            close, right = backbone_rmsd(coords, truth), is_right_handed(coords, truth)
            trial = Trial(task.path, name, len(truth), far, noise, solver, close, right, seconds)
            yield _with_quality(trial, answer, backbone, image) if isinstance(answer, Decoded) else trial


def _far(coords: np.ndarray) -> bool:
    cb = virtual_cb(coords)
    return bool(np.max(np.linalg.norm(cb[:, None] - cb[None], axis=-1)) >= D_MAX)


def _with_quality(trial: Trial, decoded: Decoded, truth: Backbone, image: np.ndarray) -> Trial:
    drawn = np.zeros(0)
    if trial.solver == "refined":
        drawn = draw_errors(image, decoded, D_MAX, np.random.default_rng(trial.length))
    return replace(
        trial,
        breaks=frozenset(truth.chain_breaks.tolist()),
        reported_breaks=frozenset(np.flatnonzero(~decoded.bonded).tolist()),
        error=decoded.error,
        true_error=_true_error(decoded.coords, truth.coords),
        drawn_error=drawn,
    )


def _true_error(coords: np.ndarray, truth: np.ndarray) -> np.ndarray:
    moved = superpose(coords.reshape(-1, 3).astype(np.float64), truth.reshape(-1, 3).astype(np.float64))
    return np.sqrt(np.sum((moved.reshape(truth.shape) - truth) ** 2, axis=(1, 2)) / 3)
