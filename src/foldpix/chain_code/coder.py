"""Backbones to chain codes and back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foldpix.chain_code.codebook import Codebook
from foldpix.chain_code.frames import carbonyl_frames
from foldpix.chain_code.pose import Pose, apply_pose, relative_pose
from foldpix.chain_code.search import search, walk
from foldpix.structure import Backbone, read_structure

#: Partial chains that the search keeps.
NUM_BEAMS = 32
#: Bits of the pose that a chain break costs: six numbers of 16 bits.
BREAK_BITS = 96
# Of the parallelogram of CA-N and CA-C, A^2; 2 in real residues. Below it, rounding would turn the frame.
_LEAST_AREA = 1e-3


@dataclass(frozen=True)
class ChainCode:
    """A backbone as one code number a residue.

    Parameters
    ----------
    codes : ndarray, dtype=uint16, shape=(L,)
        The step that leads to each residue from the one before; at the start and behind a break the code
        says the residue's shape alone.
    sequence : str
        L one-letter codes.
    name, chain : str
        As those of :class:`~foldpix.structure.Backbone`.
    breaks : ndarray, dtype=int32, shape=(n,)
        Residues, counted from 0, that are not bonded to the one before.
    poses : ndarray, dtype=int16, shape=(n, 6)
        Where they lie in the frame of the residue before: shift in 0.01 angstrom, rotation vector in 1e-4
        radian.
    deviation : float
        Root mean square deviation, angstrom, of N, CA, C of what the codes decode to from the backbone that
        was encoded, after no further superposition; NaN where it is not known.
    """

    codes: np.ndarray
    sequence: str
    name: str = ""
    chain: str = ""
    breaks: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    poses: np.ndarray = field(default_factory=lambda: np.empty((0, 6), dtype=np.int16))
    deviation: float = float("nan")

    def __len__(self) -> int:
        return len(self.codes)


class ChainCoder:
    """Turns backbones of any length into chain codes and back, the same on every run.

    Parameters
    ----------
    codebook : Codebook
    num_beams : int
        Partial chains that the search keeps: more are slower and more exact.
    """

    def __init__(self, codebook: Codebook, num_beams: int = NUM_BEAMS) -> None:
        if num_beams < 1:
            raise ValueError(f"num_beams={num_beams} must be at least 1")
        self.codebook, self.num_beams = codebook, num_beams
        self._table_9K = _table(codebook.steps)
        self._shapes_9K = _table(codebook.shapes)

    def encode(self, source: Backbone | str | Path) -> ChainCode:
        """Code a backbone, or the one chain of a structure file's first model.

        Raises
        ------
        ValueError
            If a residue lacks coordinates or its atoms lie on a line, if neighbours are further apart
            than 327 angstrom, or if the file has several chains or is no protein structure.
        """
        backbone = source if isinstance(source, Backbone) else _only_chain(source)
        coords = backbone.coords.astype(np.float64)
        _check(coords)
        codes, poses, squared = self._code(coords, _stretches(backbone))
        return ChainCode(
            codes.astype(np.uint16),
            backbone.sequence,
            backbone.name,
            backbone.chain,
            backbone.chain_breaks.astype(np.int32) + 1,
            poses,
            float(np.sqrt(squared / (3 * len(coords)))),
        )

    def _code(
        self, coords: np.ndarray, stretches: Iterable[tuple[int, int]]
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Codes (L,), poses of the breaks (n, 6) and the squared deviation (A^2) of all atoms."""
        origins, axes = carbonyl_frames(coords)
        frame, codes, poses, squared = (origins[0], axes[0]), [], [], 0.0
        for start, end in stretches:
            if start > 0:
                poses.append(relative_pose(frame, (origins[start], axes[start])))
                frame = apply_pose(frame, poses[-1])
            tables = self._table_9K, self._shapes_9K, self.codebook.shifts, self.codebook.turns
            found, cost = search(coords[start:end], *frame, *tables, self.num_beams)
            frame = self._last_frame(found, frame)
            codes.append(found)
            squared += cost
        return np.concatenate(codes), np.array(poses, dtype=np.int16).reshape(-1, 6), squared

    def decode(self, code: ChainCode) -> Backbone:
        """The backbone of a chain code, in a frame of its own.

        Raises
        ------
        ValueError
            If the codes are not of this codebook, or breaks and poses do not fit.
        """
        self._check_code(code)
        coords = self.decode_from(code, (np.zeros(3), np.eye(3)))
        return Backbone(coords, code.sequence, code.name, code.chain)

    def decode_from(self, code: ChainCode, frame: Pose) -> np.ndarray:
        """N, CA, C (L, 3, 3), angstrom, from the first residue's frame on; nothing is checked."""
        codes, pieces = code.codes.astype(np.int64), []
        ends = [*code.breaks.tolist(), len(codes)]
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if number > 0:
                frame = apply_pose(frame, code.poses[number - 1])
            origins, axes = self._walk(codes[start:end], frame)
            frame = origins[-1], axes[-1]
            pieces.append(origins[:, None] + self.codebook.shapes[codes[start:end]] @ axes)
        return np.concatenate(pieces)

    def num_bits(self, code: ChainCode) -> float:
        """Bits of a chain code: log2 K a residue, and 96 a break."""
        return len(code) * self.codebook.num_bits + len(code.breaks) * BREAK_BITS

    def num_entropy_bits(self, code: ChainCode) -> float:
        """Bits of a chain code under the frequencies in training, and 96 a break."""
        return float(self.codebook.code_bits[code.codes].sum()) + len(code.breaks) * BREAK_BITS

    def _walk(self, codes: np.ndarray, frame: Pose) -> tuple[np.ndarray, np.ndarray]:
        return walk(codes, *frame, self.codebook.shifts, self.codebook.turns)

    def _last_frame(self, codes: np.ndarray, frame: Pose) -> Pose:
        origins, axes = self._walk(codes, frame)
        return origins[-1], axes[-1]

    def _check_code(self, code: ChainCode) -> None:
        length, size = len(code.sequence), len(self.codebook)
        if len(code.codes) != length or length == 0:
            raise ValueError(f"{len(code.codes)} codes for {length} residues; each residue has one")
        wrong = (code.codes < 0) | (code.codes >= size)
        if wrong.any():
            raise ValueError(f"code {code.codes[wrong][0]} is none of this codebook's 0 to {size - 1}")
        inside = (code.breaks > 0) & (code.breaks < length)
        if not inside.all() or (np.diff(code.breaks) <= 0).any():
            raise ValueError(f"breaks {code.breaks.tolist()} must rise from 1 to {length - 1} at most")
        if code.poses.shape != (len(code.breaks), 6):
            raise ValueError(f"{len(code.breaks)} breaks with poses of shape {code.poses.shape}; (n, 6) fits")


def _table(atoms_K33: np.ndarray) -> np.ndarray:
    """Coordinates by row, so that neighbours in memory are those of neighbouring codes."""
    return np.ascontiguousarray(atoms_K33.reshape(-1, 9).T, dtype=np.float32)


def _stretches(backbone: Backbone) -> Iterator[tuple[int, int]]:
    """First and end residue of each stretch without a break."""
    ends = [*(backbone.chain_breaks + 1).tolist(), len(backbone)]
    return zip([0, *ends], ends, strict=False)


def _only_chain(path: str | Path) -> Backbone:
    backbones = read_structure(path)
    if len(backbones) > 1:
        chains = ", ".join(backbone.chain for backbone in backbones)
        raise ValueError(
            f"{path} has the chains {chains}; give one of foldpix.structure.read_structure(path) instead"
        )
    return backbones[0]


def _check(coords: np.ndarray) -> None:
    if (missing := ~np.isfinite(coords).all(axis=(1, 2))).any():
        number = np.argmax(missing)
        raise ValueError(f"residue {number} (from 0) lacks N, CA or C; leave it out: the gap becomes a break")
    area = np.linalg.norm(np.cross(coords[:, 0] - coords[:, 1], coords[:, 2] - coords[:, 1]), axis=-1)
    if (area < _LEAST_AREA).any():
        raise ValueError(f"N, CA, C of residue {np.argmin(area)} (from 0) lie on a line or at one point")
