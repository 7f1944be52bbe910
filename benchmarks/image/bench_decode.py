"""Image to backbone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from benchmarks.reference.mds import decode_cb
from benchmarks.samples import chain
from benchmarks.timing import Row, median_ms
from foldpix.geometry import virtual_cb
from foldpix.image import decode, encode

#: Chains in a batch, by length.
BATCHES: Mapping[int, int] = MappingProxyType({64: 64, 128: 64, 256: 16, 512: 4})
#: Length at which PyTorch is compared with NumPy.
IN_PYTORCH = 128
FORMS = {"fast": False, "refined": True}


def bench(
    lengths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    source: Path | None = None,
    batches: Mapping[int, int] = BATCHES,
) -> Iterator[Row]:
    """`decode` for chains of each length, alone and in a batch; times are per chain."""
    for length in lengths:
        coords = _coords(length, source)
        for batch in dict.fromkeys((1, batches.get(length, 1))):
            yield from _in_numpy(np.stack([coords] * batch))
        if length == IN_PYTORCH:
            yield from _in_pytorch(np.stack([coords] * batches.get(length, 1)))


def _coords(length: int, source: Path | None) -> np.ndarray:
    """Of a chain; a made-up one where the folder has none so long."""
    try:
        return chain(length, source).coords
    except ValueError:
        return chain(length).coords


def _in_numpy(coords: np.ndarray) -> Iterator[Row]:
    image, gram = encode(coords), _gram(coords)
    size = f"L {coords.shape[-3]} x {len(coords)}"
    for form, refine in FORMS.items():
        times = median_ms(
            lambda refine=refine: decode(image, refine=refine),
            lambda: [decode_cb(each) for each in image],
            lambda: np.linalg.eigh(gram),
        )
        ours, reference, limit = (time / len(coords) for time in times)
        yield Row(f"decode, {form}", size, ours, reference, "MDS, CB alone", limit, "eigenvectors")


def _in_pytorch(coords: np.ndarray) -> Iterator[Row]:
    """PyTorch on the CPU, with NumPy as the reference."""
    image = encode(coords)
    tensor, gram = torch.from_numpy(image), torch.from_numpy(_gram(coords))
    size = f"L {coords.shape[-3]} x {len(coords)}"
    for form, refine in FORMS.items():
        times = median_ms(
            lambda refine=refine: decode(tensor, refine=refine),
            lambda refine=refine: decode(image, refine=refine),
            lambda: torch.linalg.eigh(gram),
        )
        ours, reference, limit = (time / len(coords) for time in times)
        yield Row(f"decode, {form}, PyTorch", size, ours, reference, "NumPy", limit, "eigenvectors")


def _gram(coords: np.ndarray) -> np.ndarray:
    """Of the centred CB, which MDS factorises: (..., L, L)."""
    cb = virtual_cb(coords)
    cb = cb - cb.mean(axis=-2, keepdims=True)
    return cb @ np.swapaxes(cb, -1, -2)
