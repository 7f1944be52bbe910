"""Shards to padded batches."""

import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reference import reader
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.dataset.bins import bin_name
from foldpix.dataset.config import DataConfig
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.shards import write_shards
from foldpix.image import picture_of, write_png

STRIDE, BATCH_SIZE = 16, 16


def bench(
    lengths: tuple[int, ...] = (64, 128, 256), num_images: int = 64, source: Path | None = None
) -> Iterator[Row]:
    """An epoch of `DistogramLoader` in this process, per image."""
    for length in lengths:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_data(root, length, num_images, source)
            yield _read(root, length, num_images)


def write_data(root: Path, length: int, num_images: int, source: Path | None) -> None:
    """A data set of one chain many times: PNGs, manifest and a shard."""
    picture, bin = picture_of(chain(length, source)), bin_name(length)
    (root / bin).mkdir()
    keys = [f"chain_{number:04d}" for number in range(num_images)]
    for key in keys:
        write_png(root / bin / f"{key}.png", picture)
    rows = [ManifestRow(Status.CONVERTED, "", key, "A", length, bin, "val", key) for key in keys]
    write_manifest(root, rows)
    write_shards(root)


def _read(root: Path, length: int, num_images: int) -> Row:
    config = DataConfig(root=str(root), batch_size=BATCH_SIZE, num_workers=0)
    loader = DistogramDataModule(config, STRIDE, seed=0).val_dataloader()
    streams = [_compressed(path.read_bytes()) for path in root.glob("bin_*/*.png")]
    times = median_ms(
        lambda: list(loader),
        lambda: list(reader.batches(root, BATCH_SIZE, STRIDE)),
        lambda: [zlib.decompress(stream) for stream in streams],
    )
    ours, reference, limit = (time / num_images for time in times)
    return Row("read an image", f"L {length}", ours, reference, "loose PNGs", limit, "zlib alone")


def _compressed(png: bytes) -> bytes:
    """What the one IDAT chunk of our PNGs holds; CRC and IEND follow it."""
    return png[png.index(b"IDAT") + 4 : -16]
