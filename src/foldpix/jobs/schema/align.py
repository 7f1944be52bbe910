"""Options of `align.py`."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class Mode(Enum):
    """Which fits go onto which references."""

    pairs = "pairs"
    one_to_many = "one_to_many"
    all_to_all = "all_to_all"


class Kind(Enum):
    """What is overlaid."""

    molecules = "molecules"
    proteins = "proteins"


class Overlap(Enum):
    """What of molecules is to overlap."""

    volume = "volume"
    charges = "charges"
    surface = "surface"
    surface_charges = "surface_charges"
    pharmacophore = "pharmacophore"


class Method(Enum):
    """How poses of molecules are searched for."""

    newton = "newton"
    adam = "adam"


class Points(Enum):
    """What of each residue is overlaid."""

    ca = "ca"
    cb = "cb"


@dataclass
class AlignConfig:
    """Overlays of molecules or backbones."""

    ref: str = MISSING
    """What stays: a file or folder of molecules or of protein structures, or a manifest.csv of chains."""
    out: str = MISSING
    """Folder for scores.csv, the poses and best.png."""
    fit: str | None = None
    """What is moved; null: all of ref onto each other."""
    mode: Mode | None = None
    """pairs (first on first, ...), one_to_many or all_to_all; null: as many as there are of each say."""
    kind: Kind | None = None
    """molecules or proteins; null: what the files' endings say, with PDB files as proteins."""
    overlap: Overlap = Overlap.volume
    """Of molecules: volume, charges, surface, surface_charges or pharmacophore."""
    method: Method = Method.newton
    """Of molecules: newton, or adam as in shepherd-score, with a fixed number of steps."""
    points: Points = Points.ca
    """Of proteins: ca, or cb as the backbone gives it."""
    top_k: int = 100
    """Poses that are written, of the best scores."""
    workers: int | None = None
    """CPU devices of JAX; null: one a core."""
