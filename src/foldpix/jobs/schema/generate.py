"""Options of `generate.py`."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class GenerateConfig:
    """Made-up helix, strand and coil chains as structure files."""

    out: str = MISSING
    """Folder of the files; made if absent."""
    num: int = 1000
    """How many chains."""
    min_length: int = 40
    """Fewest residues."""
    max_length: int = 64
    """Most residues."""
    seed: int = 0
    """Chain k depends on (seed, k) alone."""
    suffix: str = ".pdb"
    """Format of the files: .pdb, .cif or .bcif, each also with .gz."""
    workers: int | None = None
    """Processes; null takes every core, 1 stays in this process."""
