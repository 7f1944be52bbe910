"""Options of `evaluate.py`."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class EvaluateConfig:
    """How close chains come back, through the image alone and through a tokenizer."""

    out: str = MISSING
    """Folder for metrics.csv, summary.json, reconstruction.png and rate_distortion.png."""
    source: str | None = None
    """A structure file or a folder of them; all chains of each first model. Either this or dataset."""
    dataset: str | None = None
    """The folder of a dataset made by preprocess.py, or a copy of its shards folder alone."""
    split: str = "val"
    """The split of the dataset, or of the files of source that split_table names."""
    split_table: str | None = None
    """CSV with the columns split and id (or file): evaluates only the files of source in that split."""
    crop: int | None = None
    """Evaluates windows of so many residues of the chains of source; null: whole chains."""
    ckpt: str | None = None
    """A checkpoint of train.py or a codebook of fit.py; null: the codebooks that come with foldpix."""
    d_max: float = 80.0
    """Distance (angstrom) at which images of source are clipped; those of a dataset say themselves."""
    limit: int | None = None
    """The most chains; null takes all."""
    batch_size: int = 8
    """The most chains the tokenizer takes at a time; no figure depends on it."""
    workers: int | None = None
    """Processes that load chains and measure their images; null: every core, 1: none but this one."""
