"""Backbones as pictures: the three-channel image, its inverse and its PNG."""

from foldpix.image.decode import Decoded, decode
from foldpix.image.encode import encode
from foldpix.image.pixels import from_pixels, to_pixels
from foldpix.image.png import Picture, picture_of, png_bytes, read_png, write_png

__all__ = [
    "Decoded",
    "Picture",
    "decode",
    "encode",
    "from_pixels",
    "picture_of",
    "png_bytes",
    "read_png",
    "to_pixels",
    "write_png",
]
