"""Configuration of the data; light to import."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from foldpix.dataset.bins import BINS, bin_name


class SourceKind(StrEnum):
    """Where training reads from."""

    shards = "shards"
    png = "png"
    coordinates = "coordinates"


@dataclass
class DataConfig:
    """What is read, and in which batches."""

    root: str = "data/demo"
    """Folder that `preprocess.py` made, such as data/pdb."""
    source: SourceKind = SourceKind.shards
    """shards: the tars; png: the loose PNGs, for small sets without shards; coordinates: backbones."""
    crops: list[int] = field(default_factory=list)
    """Residues of the windows that training draws from chains of coordinates; empty takes whole chains."""
    bins: list[str] | None = None
    """Names of the length bins to take, such as bin_40_64; null takes all."""
    skip_bins: list[str] = field(default_factory=list)
    """Names of the length bins to leave out."""
    batch_size: int = 32
    """Images in a batch of one process."""
    max_pixels: int | None = 2**21
    """Cap on the pixels of a batch, by the longest chain of its bin: 32 of 256 x 256, 2 of 1024 x 1024."""
    shuffle_buffer: int = 10_000
    """Samples among which a sample's place is drawn, after the shards were shuffled; 0 keeps file order."""
    resampled: bool = False
    """Draw with replacement, without epochs."""
    num_workers: int = 2
    """Processes that read for each training process."""


def check_data(config: DataConfig) -> None:
    """Reject what cannot work before any heavy work.

    Raises
    ------
    ValueError
    """
    for name, least in (("batch_size", 1), ("max_pixels", 1), ("shuffle_buffer", 0), ("num_workers", 0)):
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"{name}={value}: at least {least}")
    if config.crops and config.source is not SourceKind.coordinates:
        raise ValueError(f"crops={config.crops}: only data=coordinates is cut; leave it empty")
    if config.crops != sorted(set(config.crops)) or min(config.crops, default=2) < 2:
        raise ValueError(f"crops={config.crops}: give rising lengths from 2 up")
    chosen_bins(config)


def chosen_bins(config: DataConfig) -> list[str]:
    """Names of the bins to read, shortest first.

    Raises
    ------
    ValueError
        If a name is not among those that exist, or none is left.
    """
    existing = _existing_bins(config)
    asked = existing if config.bins is None else config.bins
    if unknown := [name for name in (*asked, *config.skip_bins) if name not in existing]:
        raise ValueError(f"no bin {', '.join(unknown)} in {config.root}; there are {', '.join(existing)}")
    if both := [name for name in config.bins or () if name in config.skip_bins]:
        raise ValueError(f"{', '.join(both)} is in bins and in skip_bins: take it out of one")
    chosen = [name for name in existing if name in asked and name not in config.skip_bins]
    if not chosen:
        raise ValueError(f"no bin is left: bins={config.bins}, skip_bins={config.skip_bins}")
    return chosen


def how_to_make(config: DataConfig) -> str:
    """The command that makes the data."""
    extra = " coordinates=true" if config.source is SourceKind.coordinates else ""
    return f"`python preprocess.py source=DIR out={config.root}{extra}` makes them"


def _existing_bins(config: DataConfig) -> list[str]:
    folder = Path(config.root) / ("" if config.source is SourceKind.png else config.source.value)
    whole = config.source is SourceKind.coordinates and folder.is_dir()  # one file holds all lengths
    names = [bin_name(low) for low, _ in BINS]
    existing = [name for name in names if whole or (folder / name).is_dir()]
    if not existing:
        raise ValueError(f"{folder} holds no {_what(config)}; {how_to_make(config)}")
    return existing


def _what(config: DataConfig) -> str:
    return "coordinates" if config.source is SourceKind.coordinates else "bins of images"
