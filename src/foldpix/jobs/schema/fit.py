"""Options of `fit.py`."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class FitConfig:
    """Codebooks of chain codes from structures."""

    source: str = MISSING
    """A structure file or a folder of them; all chains of each first model."""
    out: str = MISSING
    """The codebook, .safetensors."""
    codebook_size: int = 4096
    """Number of codes, 2 to 65,536: log2 of it are the bits a residue."""
    split_table: str | None = None
    """CSV with the columns split and id (or file): takes only the files of source in that split."""
    split: str = "train"
    """The split of split_table."""
    seed: int = 0
    """Decides the codes at the start and the chains of each round."""
