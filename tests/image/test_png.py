"""Pixels and PNG files."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from foldpix.generation import sample_backbones
from foldpix.image import Picture, from_pixels, picture_of, png_bytes, read_png, to_pixels, write_png


@pytest.fixture
def picture() -> Picture:
    return picture_of(next(sample_backbones(1, 40, 40)), d_max=60.0)


def test_rounding_errs_by_half_a_level_at_most(rng):
    image = rng.uniform(-1, 1, (2, 3, 9, 9))
    back = from_pixels(to_pixels(image))
    assert back.dtype == np.float32
    assert back.shape == image.shape
    assert np.abs(back - image).max() <= 1 / 255 + 1e-6
    assert abs((back - image).mean()) < 2e-4  # truncation would give -1 / 255 on average


def test_all_levels_survive():
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert (to_pixels(from_pixels(levels)) == levels).all()


def test_values_that_are_not_finite_are_told():
    with pytest.raises(ValueError, match="not finite"):
        to_pixels(np.full((3, 4, 4), np.nan))


def test_png_carries_everything(tmp_path, picture):
    odd = Picture(picture.pixels, "päth, with \n name", "AA", picture.sequence, 79.9)
    path = tmp_path / "x.png"
    write_png(path, odd)
    for source in (path, str(path), png_bytes(odd)):
        back = read_png(source)
        assert (back.pixels == odd.pixels).all()
        assert (back.name, back.chain, back.sequence, back.d_max) == (odd.name, "AA", odd.sequence, 79.9)
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def test_png_is_rgb_in_any_viewer(picture):
    with Image.open(io.BytesIO(png_bytes(picture))) as image:
        assert image.mode == "RGB"
        assert (np.asarray(image) == picture.pixels).all()


@pytest.mark.parametrize("cut", [0, 10, 100, -40])
def test_damaged_png_is_told(picture, cut):
    with pytest.raises(ValueError, match=r"no readable PNG|not a foldpix image"):
        read_png(png_bytes(picture)[:cut])


def test_flipped_bytes_are_told(picture, rng):
    data = bytearray(png_bytes(picture))
    for place in rng.integers(len(data) // 2, len(data) - 20, 8):
        data[place] ^= 0xFF
    with pytest.raises(ValueError, match="no readable PNG"):
        read_png(bytes(data))


def test_what_is_no_png_is_told_without_naming_objects():
    with pytest.raises(ValueError, match=r"^these bytes: no readable PNG \(cannot identify image file\)$"):
        read_png(b"no PNG at all")


def test_a_png_that_claims_to_be_huge_is_told(picture):
    data = bytearray(png_bytes(picture))
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    with pytest.raises(ValueError, match=r"no readable PNG .*decompression bomb"):
        read_png(bytes(data))


def test_foreign_png_is_told():
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40)).save(buffer, "PNG")
    with pytest.raises(ValueError, match="not a foldpix image"):
        read_png(buffer.getvalue())


def test_sequence_must_fit_the_pixels(picture):
    wrong = Picture(picture.pixels, "x", "A", "AAA", 80.0)
    with pytest.raises(ValueError, match="do not fit 3 residues"):
        read_png(png_bytes(wrong))


def test_missing_file_stays_a_file_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_png(tmp_path / "none.png")


def test_failed_write_leaves_nothing(tmp_path, picture):
    with pytest.raises(AttributeError):
        write_png(tmp_path / "x.png", None)
    assert list(tmp_path.iterdir()) == []
