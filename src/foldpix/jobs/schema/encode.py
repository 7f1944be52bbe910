"""Options of `encode.py`."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class EncodeConfig:
    """Structures through a tokenizer into one table of tokens."""

    source: str = MISSING
    """A structure file or a folder of them; all chains of each first model, up to 1024 residues."""
    out: str = MISSING
    """The table, .parquet; what could not be encoded goes to <out>.skipped.csv."""
    ckpt: str | None = None
    """A codebook of fit.py or a checkpoint of train.py; null: the shipped codebook of 4,096."""
    d_max: float = 80.0
    """Distance (angstrom) at which images are clipped; best the one the tokenizer was trained with."""
    batch_size: int = 8
    """The most chains a checkpoint's tokenizer takes at a time; no token depends on it."""
    workers: int | None = None
    """Processes that read structures and draw their images; null: every core, 1: none but this one."""
