"""Reading as published: a walk over loose PNGs, pixels to floats one image at a time, zero padding."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def batches(root: Path, batch_size: int, multiple: int) -> Iterator[Tensor]:
    """Batches (B, 3, L, L) of all PNGs in the bins' folders."""
    images: list[Tensor] = []
    for path in sorted(root.glob("bin_*/*.png")):
        pixels = np.array(Image.open(path).convert("RGB"))
        images.append(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255 * 2 - 1)
        if len(images) == batch_size:
            yield _padded(images, multiple)
            images = []
    if images:
        yield _padded(images, multiple)


def _padded(images: list[Tensor], multiple: int) -> Tensor:
    side = -(-max(image.shape[-1] for image in images) // multiple) * multiple
    pads = [side - image.shape[-1] for image in images]
    return torch.stack(
        [torch.nn.functional.pad(image, (0, pad, 0, pad)) for image, pad in zip(images, pads, strict=True)]
    )
