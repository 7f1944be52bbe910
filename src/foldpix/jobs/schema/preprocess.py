"""Options of the preprocessing job."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class Chains(Enum):
    """What happens to a file with several chains."""

    skip = "skip"
    split = "split"


class Models(Enum):
    """What happens to a file with several models."""

    skip = "skip"
    first = "first"


@dataclass
class PreprocessConfig:
    """Structure files to a data set of PNG, FASTA, manifest and shards."""

    source: str = MISSING
    """Folder (read recursively) or file with .pdb, .ent, .cif, .mmcif, .bcif, each also with .gz."""
    out: str = MISSING
    """Root of the data set; made if absent."""
    chains: Chains = Chains.skip
    """Skip files with several chains, or take each chain (split)."""
    models: Models = Models.skip
    """Skip files with several models, or take the first."""
    d_max: float = 80.0
    """Distances beyond it (angstrom) are clipped."""
    valid_frac: float = 0.05
    """Share of files whose MD5 puts them into the split val."""
    split_table: str | None = None
    """CSV with the columns split and id (or file): keeps homologs in one split."""
    delete_source: bool = False
    """Delete a source once all of it is PNG and FASTA on the disk that read back equal."""
    workers: int | None = None
    """Processes; null takes every core, 1 stays in this process."""
    shards: bool = True
    """Write shards when the conversion is done."""
    shard_size: int = 1000
    """Chains a shard."""
    coordinates: bool = False
    """Write N, CA, C of each split too, for data=coordinates; needs the sources."""
