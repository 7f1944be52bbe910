"""Options of `decode.py`."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class DecodeConfig:
    """Pictures or tokens back to structures."""

    source: str = MISSING
    """A PNG, a shard (.tar), a folder with any of both (read recursively), or a token table (.parquet)."""
    out: str = MISSING
    """Folder for <id>.pdb and summary.csv."""
    ckpt: str | None = None
    """The checkpoint or codebook a token table was made with; null: a codebook that comes along."""
    format: str = "pdb"
    """pdb, cif or bcif, each also with .gz."""
    torsions: bool = False
    """Write <id>.torsions.csv too: phi, psi and omega in degrees."""
    refine: bool = True
    """Refine backbones against their images; false is faster and less exact."""
    batch_size: int = 8
    """The most chains the tokenizer takes at a time; no structure depends on it."""
    workers: int | None = None
    """Processes that decode images; null: every core, 1: none but this one."""
