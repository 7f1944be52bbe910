"""A structure file to PNG and FASTA."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reference import conversion
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.dataset.convert import SCRATCH, ConvertOptions, convert_source
from foldpix.dataset.sources import Source
from foldpix.structure import write_structure


def bench(lengths: tuple[int, ...] = (64, 128, 256, 512), source: Path | None = None) -> Iterator[Row]:
    """`convert_source` for a PDB file of N, CA and C of each length."""
    for length in lengths:
        with tempfile.TemporaryDirectory() as folder:
            yield _convert(chain(length, source), Path(folder))


def _convert(backbone, folder: Path) -> Row:
    path, out = folder / "chain.pdb", folder / "out"
    png, fasta, copy = folder / "chain.png", folder / "chain.fasta", folder / "copy.png"
    write_structure(path, backbone)

    def convert() -> None:
        shutil.rmtree(out, ignore_errors=True)
        (out / SCRATCH).mkdir(parents=True)
        (row,) = convert_source(Source(str(path)), ConvertOptions(out)).rows
        assert not row.reason

    def copy_bytes() -> None:
        path.read_bytes()
        copy.write_bytes(png.read_bytes())

    ours, reference, limit = median_ms(convert, lambda: conversion.convert(path, png, fasta), copy_bytes)
    size = f"L {len(backbone)}"
    return Row("convert a file", size, ours, reference, "as published", limit, "copy of the bytes")
