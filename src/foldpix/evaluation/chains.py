"""A chain to evaluate: of a structure file, or of a dataset."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from foldpix.dataset.pictures import StoredPicture
from foldpix.image import Picture, decode, from_pixels, picture_of, read_png
from foldpix.structure import Backbone, StructureError, read_structure


@dataclass(frozen=True)
class Sample:
    """A chain in memory.

    Parameters
    ----------
    id : str
    pixels : ndarray, dtype=uint8, shape=(L, L, 3)
    d_max : float
        The distance (angstrom) that stands for 255.
    truth : ndarray, shape=(L, 3, 3)
        N, CA, C in angstrom.
    from_image : bool
        The truth was itself decoded from the pixels, for want of the source: no measure of the image.
    """

    id: str
    pixels: np.ndarray
    d_max: float
    truth: np.ndarray
    from_image: bool = False


class Chain(Protocol):
    """A chain that can be loaded; ``load`` raises ValueError or OSError where it cannot."""

    @property
    def id(self) -> str: ...

    @property
    def length(self) -> int: ...

    def load(self) -> Sample: ...


class Skipped(NamedTuple):
    """A chain or file that cannot be evaluated."""

    id: str
    reason: str


@dataclass(frozen=True)
class StructureChain:
    """A chain of a structure file."""

    id: str
    backbone: Backbone
    d_max: float

    @property
    def length(self) -> int:
        """Number of residues."""
        return len(self.backbone)

    def load(self) -> Sample:
        """The chain with its picture."""
        picture = picture_of(self.backbone, self.d_max)
        return Sample(self.id, picture.pixels, self.d_max, self.backbone.coords)


@dataclass(frozen=True)
class DatasetChain:
    """A converted chain of a dataset: its PNG, and its structure while that exists.

    Parameters
    ----------
    png : StoredPicture
    length : int
        Number of residues.
    structure : str
        The structure file; empty where it is not known.
    """

    png: StoredPicture
    length: int
    structure: str = ""

    @property
    def id(self) -> str:
        """Key within the dataset."""
        return self.png.id

    def load(self) -> Sample:
        """The picture as stored, with the structure's coordinates or else its own."""
        picture = self._picture()
        source = self._source(picture)
        truth = decode(from_pixels(picture.pixels), picture.d_max).coords if source is None else source.coords
        return Sample(self.id, picture.pixels, picture.d_max, truth, from_image=source is None)

    def _picture(self) -> Picture:
        try:
            return read_png(self.png.read())
        except ValueError as error:
            raise ValueError(f"{self.png.path}: {error}") from error

    def _source(self, picture: Picture) -> Backbone | None:
        try:
            backbones = read_structure(self.structure) if self.structure else []
        except (OSError, StructureError):
            return None
        same = (b for b in backbones if (b.chain, b.sequence) == (picture.chain, picture.sequence))
        return next(same, None)
