"""Options of `generate.py`."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class Into(Enum):
    """What the chains are written into."""

    folder = "folder"
    archive = "archive"
    shards = "shards"


@dataclass
class GenerateConfig:
    """Made-up helix, strand and coil chains as structure files, or as shards of pictures."""

    out: str = MISSING
    """Folder of the files or of the data set, made if absent; or the .tar (into=archive)."""
    num: int | None = 1000
    """How many chains; null goes on until Ctrl-C or kill, and the same command takes it up again."""
    min_length: int = 40
    """Fewest residues."""
    max_length: int = 64
    """Most residues."""
    seed: int = 0
    """Chain k depends on (seed, k) alone."""
    suffix: str = ".pdb"
    """Format of the files, not of shards: .pdb, .cif or .bcif, each also with .gz."""
    workers: int | None = None
    """Processes; null takes every core, 1 stays in this process."""
    into: Into = Into.folder
    """A folder or a .tar archive of structure files, or a data set of PNG shards to train on."""
    start: int = 0
    """Number of the first chain."""
    part: int = 0
    """Which part of the work this job does, 0 to parts - 1."""
    parts: int = 1
    """Jobs that share the work on one out, on one machine or several, at once or one by one."""
    compact: bool = True
    """Folded up like domains; false leaves them as the torsions were drawn."""
    d_max: float = 80.0
    """Distances beyond it (angstrom) are clipped in pictures (into=shards)."""
    valid_frac: float = 0.05
    """Share of the split val, exact in chains 1000 n to 1000 n + 999."""
    shard_size: int = 1000
    """Chains a shard at most (into=shards)."""
