"""The PNG of a backbone: pixels, and in its text chunks all that is needed to come back."""

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from foldpix.image.encode import encode
from foldpix.image.pixels import to_pixels
from foldpix.image.rgb_png import rgb_png
from foldpix.structure import Backbone

FORMAT_VERSION = "1"
#: Pixels are made in bands of rows: maps of larger bands leave the processor's cache and need fresh
#: memory from the system, those of smaller ones are dominated by the overhead of calls.
PIXELS_AT_ONCE = 2**15


@dataclass(frozen=True)
class Picture:
    """An image with what its PNG carries.

    Parameters
    ----------
    pixels : ndarray, dtype=uint8, shape=(L, L, 3)
    name, chain, sequence : str
        The sequence has L letters.
    d_max : float
        The distance (angstrom) that stands for 255.
    """

    pixels: np.ndarray
    name: str
    chain: str
    sequence: str
    d_max: float


def picture_of(backbone: Backbone, d_max: float = 80.0) -> Picture:
    """The 8-bit picture of a backbone."""
    length = len(backbone)
    pixels = np.empty((length, length, 3), dtype=np.uint8)
    num_rows = max(1, PIXELS_AT_ONCE // length)
    for first in range(0, length, num_rows):
        rows = slice(first, first + num_rows)
        pixels[rows] = to_pixels(encode(backbone.coords, d_max, rows))
    return Picture(pixels, backbone.name, backbone.chain, backbone.sequence, d_max)


def png_bytes(picture: Picture) -> bytes:
    """The picture as PNG."""
    text = {
        "foldpix": FORMAT_VERSION,
        "name": picture.name,
        "chain": picture.chain,
        "sequence": picture.sequence,
        "d_max": repr(float(picture.d_max)),
    }
    return rgb_png(picture.pixels, text)


def write_png(path: str | Path, picture: Picture) -> None:
    """Write the PNG at once or not at all: a temporary file beside it takes its place."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(png_bytes(picture))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_png(source: str | Path | bytes) -> Picture:
    """Read a picture back.

    Raises
    ------
    ValueError
        If it is no PNG, is damaged, or was not written by foldpix.
    """
    label = "these bytes" if isinstance(source, bytes) else str(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=["PNG"]) as file:
            pixels, text, mode = np.array(file), dict(file.text), file.mode  # type: ignore[attr-defined]
    except FileNotFoundError:
        raise
    except UnidentifiedImageError as error:  # its message names Python's object
        raise ValueError(f"{label}: no readable PNG (cannot identify image file)") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{label}: no readable PNG ({error})") from error
    return _picture(pixels, text, mode, label)


def _picture(pixels: np.ndarray, text: dict[str, str], mode: str, label: str) -> Picture:
    if text.get("foldpix") != FORMAT_VERSION:
        found = text.get("foldpix", "none")
        raise ValueError(f"{label}: not a foldpix image of format {FORMAT_VERSION} (format: {found})")
    length = len(text.get("sequence", ""))
    if mode != "RGB" or pixels.shape != (length, length, 3):
        raise ValueError(f"{label}: {mode} pixels of shape {pixels.shape} do not fit {length} residues")
    try:
        return Picture(pixels, text["name"], text["chain"], text["sequence"], float(text["d_max"]))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{label}: damaged metadata ({error})") from error
