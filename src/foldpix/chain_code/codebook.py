"""The steps that a chain can take from one residue to the next."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from foldpix.chain_code.frames import carbonyl_frames
from foldpix.structure.whole import write_whole

_FORMAT = "1"


@dataclass(frozen=True)
class Codebook:
    """K steps; a chain is coded as the step that leads to each residue.

    Parameters
    ----------
    steps : ndarray, dtype=float32, shape=(K, 3, 3)
        N, CA, C of the next residue in the frame of this one
        (:func:`~foldpix.chain_code.frames.carbonyl_frames`), angstrom.
    counts : ndarray, dtype=int64, shape=(K,)
        How often each was used on the chains it was fitted to.
    """

    steps: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def num_bits(self) -> float:
        """Bits of a code number, log2 K."""
        return float(np.log2(len(self)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the steps, hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self.steps, dtype="<f4").tobytes()).hexdigest()

    @cached_property
    def code_bits(self) -> np.ndarray:
        """Bits of each code under the training frequencies, one added to each count; shape (K,)."""
        share = (self.counts + 1.0) / (self.counts.sum() + len(self))
        return -np.log2(share)

    @cached_property
    def shifts(self) -> np.ndarray:
        """Where each step puts the next frame's origin, in this frame, angstrom; float64, shape (K, 3)."""
        return self._frames[0]

    @cached_property
    def turns(self) -> np.ndarray:
        """Axes (rows) of the next frame in this one; float64, shape (K, 3, 3)."""
        return self._frames[1]

    @cached_property
    def shapes(self) -> np.ndarray:
        """N, CA, C of the next residue in its own frame, angstrom; float64, shape (K, 3, 3)."""
        return np.einsum("kij,kaj->kai", self.turns, self.steps - self.shifts[:, None])

    @cached_property
    def _frames(self) -> tuple[np.ndarray, np.ndarray]:
        origin, axes = carbonyl_frames(self.steps)
        return origin, axes


def write_codebook(path: Path, codebook: Codebook) -> None:
    """Save as safetensors."""
    tensors: dict[str, np.ndarray] = {
        "steps": np.ascontiguousarray(codebook.steps, dtype=np.float32),
        "counts": np.ascontiguousarray(codebook.counts, dtype=np.int64),
    }
    write_whole(path, save(tensors, {"foldpix_codebook": _FORMAT}))


def read_codebook(path: Path) -> Codebook:
    """Read what :func:`write_codebook` saved.

    Raises
    ------
    ValueError
        If the file is no codebook, or one of another format.
    OSError
        If there is no such file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            version = (file.metadata() or {}).get("foldpix_codebook")
            if version != _FORMAT:
                raise ValueError(f"{path}: no codebook of format {_FORMAT} (found {version})")
            codebook = Codebook(file.get_tensor("steps"), file.get_tensor("counts"))
    except SafetensorError as error:
        raise ValueError(f"{path}: no codebook in safetensors format ({error})") from error
    _check(codebook, path)
    return codebook


def _check(codebook: Codebook, path: Path) -> None:
    steps, counts = codebook.steps, codebook.counts
    if steps.ndim != 3 or steps.shape[1:] != (3, 3) or counts.shape != (len(steps),):
        raise ValueError(f"{path}: steps of shape {steps.shape} and counts of {counts.shape} are no codebook")
    if not 2 <= len(steps) <= 2**16:
        raise ValueError(f"{path}: {len(steps)} steps; a codebook has 2 to 65,536")
    if not np.isfinite(steps).all():
        raise ValueError(f"{path}: steps that are not finite")
