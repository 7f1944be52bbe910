"""Images of a ragged batch. A module apart: the rest of this room works without PyTorch."""

import numpy as np
import torch
from torch import Tensor

from foldpix.batch import Batch
from foldpix.image.encode import encode

#: Pixels that are worked on at once. Short chains want many together, and ever more gain nothing.
_MAX_PIXELS = 2**18


def encode_batch(batch: Batch, d_max: float = 80.0) -> list[Tensor]:
    """The image of each graph's backbone, as :func:`foldpix.image.encode` makes it.

    Chains of one length are worked on together, at most 2**18 pixels at once, a longer chain by strips of
    rows. Lengths come from the host. Gradients flow.

    Parameters
    ----------
    batch : Batch
        With ``coords`` (rows, 3 or more, 3) in angstrom, N, CA and C first: of
        :meth:`foldpix.batch.Batch.from_backbones` or :func:`foldpix.generation.batches.to_batch`.
    d_max : float
        Distances beyond it (angstrom) are clipped.

    Returns
    -------
    list of Tensor, shape=(3, L, L)
        In the batch's order, each with its own L.

    Raises
    ------
    ValueError
        If the batch has no ``coords``, a graph has no residues or several chains, or ``d_max`` is not
        positive.
    """
    lengths, start = _spans(batch)
    coords = batch.coords[:, :3]
    images: dict[int, Tensor] = {}
    for length in np.unique(lengths).tolist():
        graphs, at_once = np.flatnonzero(lengths == length), max(_MAX_PIXELS // length**2, 1)
        for first in range(0, len(graphs), at_once):
            chosen = graphs[first : first + at_once]
            rows_BL = torch.from_numpy(start[chosen][:, None] + np.arange(length)).to(coords.device)
            images.update(zip(chosen.tolist(), _encode_equals(coords[rows_BL], d_max), strict=True))
    return [images[graph] for graph in range(batch.num_graphs)]


def _encode_equals(coords_BL33: Tensor, d_max: float) -> Tensor:
    """Images (B, 3, L, L) of chains of one length."""
    num, length = coords_BL33.shape[:2]
    step = max(_MAX_PIXELS // (num * length), 1)
    strips = [
        encode(coords_BL33, d_max, slice(row, min(row + step, length))) for row in range(0, length, step)
    ]
    return strips[0] if len(strips) == 1 else torch.cat(strips, dim=-2)


def _spans(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Number of residues of each graph, and its first row."""
    if "coords" not in batch:
        raise ValueError("the batch has no coords; make one by Batch.from_backbones or to_batch")
    if "chain" in batch.schema.levels and set(batch.lengths_list("chain")) != {1}:
        raise ValueError("a graph has several chains; an image is of one, so make each chain a graph")
    lengths = np.array(batch.lengths_list(batch.schema.fields["coords"].level))
    if (lengths == 0).any():
        raise ValueError("a graph has no residues; leave it out by index_select")
    return lengths, np.cumsum(lengths) - lengths
