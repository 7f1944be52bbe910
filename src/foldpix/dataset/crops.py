"""Batches of backbones: whole chains, or windows of them drawn anew each time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from foldpix.dataset.collate import DistogramBatch
from foldpix.dataset.coordinates import Chains
from foldpix.dataset.order import BinSamples, Order
from foldpix.image import encode


class CoordinateBatch(NamedTuple):
    """A batch of backbones.

    Parameters
    ----------
    coords : Tensor, dtype=float32, shape=(B, L, 3, 3)
        N, CA, C in angstrom, 0 where padded.
    mask : Tensor, dtype=bool, shape=(B, L)
        True for residues.
    lengths : Tensor, dtype=int64, shape=(B,)
    names : list of str
        The chains' ids.
    """

    coords: Tensor
    mask: Tensor
    lengths: Tensor
    names: list[str]

    def first(self, number: int) -> "CoordinateBatch":
        """As many of its chains."""
        return CoordinateBatch(
            self.coords[:number], self.mask[:number], self.lengths[:number], self.names[:number]
        )


class Windows:
    """The samples of a split: chains, each as many times as windows of its length fill it.

    Parameters
    ----------
    chains : Chains
    chosen : ndarray, dtype=int64
        Numbers of the chains to take.
    longest : sequence of int
        Upper limits of lengths, rising. With ``cut`` every chain is a sample under each of them, else under
        the first that it does not exceed.
    cut : bool

    Attributes
    ----------
    bins : list of BinSamples
        The samples under each limit.
    """

    def __init__(self, chains: Chains, chosen: np.ndarray, longest: Sequence[int], cut: bool) -> None:
        self.chains = chains
        lengths = chains.lengths[chosen]
        bin_of_chain = np.searchsorted(longest, lengths)
        members = [
            np.repeat(chosen, np.maximum(1, lengths // limit)) if cut else chosen[bin_of_chain == bin]
            for bin, limit in enumerate(longest)
        ]
        self.bins = [
            BinSamples(limit, np.ones(len(each), dtype=np.int64))
            for limit, each in zip(longest, members, strict=True)
        ]
        self._chain = np.concatenate(members)
        self._limit = np.repeat(longest, [len(each) for each in members])

    def __len__(self) -> int:
        return len(self._chain)

    def name(self, number: int) -> str:
        """The id of a sample's chain."""
        return self.chains.ids[self._chain[number]]

    def coords(self, number: int, place: float) -> np.ndarray:
        """N, CA, C of a sample; ``place`` from 0 to 1 says which window of the chain."""
        chain, limit = int(self._chain[number]), int(self._limit[number])
        room = max(0, int(self.chains.lengths[chain]) - limit)
        return self.chains.coords(chain, min(int(place * (room + 1)), room), limit)


class CoordinateLoader:
    """The batches of one rank. Iterating gives one epoch; `foldpix.dataset.loader.cycle` all of them.

    Where a window lies depends on the seed, the batch's number and the rank alone.

    Parameters
    ----------
    windows : Windows
    order : Order
    stride : int
        Chains are padded to a multiple of it.
    rank, seed : int
    """

    num_skipped = 0

    def __init__(self, windows: Windows, order: Order, stride: int, rank: int, seed: int) -> None:
        self.skipped: Counter[str] = Counter()
        self._windows, self._order, self._stride, self._rank, self._seed = windows, order, stride, rank, seed

    def __len__(self) -> int:
        """Batches in an epoch; ``TypeError`` where there are no epochs."""
        if self._order.steps is None:
            raise TypeError("resampled batches have no end; take them from cycle(loader)")
        return self._order.steps

    def __iter__(self) -> Iterator[CoordinateBatch]:
        """The batches of the first epoch."""
        return iter(self.workers(range(len(self))))

    def workers(self, numbers: "range | count[int]") -> Iterable[CoordinateBatch]:
        """The batches with these numbers, counted from the start of training."""
        return map(self._batch, numbers)

    def reported(self, batch: CoordinateBatch) -> CoordinateBatch:
        """The batch: nothing in memory can be unreadable."""
        return batch

    def _batch(self, number: int) -> CoordinateBatch:
        samples = self._order.batch(number, self._rank).tolist()
        places = np.random.default_rng((self._seed, number, self._rank)).random(len(samples))
        coords = [self._windows.coords(*each) for each in zip(samples, places.tolist(), strict=True)]
        return padded_batch(coords, [self._windows.name(sample) for sample in samples], self._stride)


def padded_batch(coords: Sequence[np.ndarray], names: list[str], stride: int) -> CoordinateBatch:
    """Chains padded to the longest, rounded up to a multiple of ``stride``."""
    lengths = torch.tensor([len(each) for each in coords])
    longest = -(-int(lengths.max()) // stride) * stride
    padded = torch.zeros(len(coords), longest, 3, 3)
    for target, each in zip(padded, coords, strict=True):
        target[: len(each)] = torch.from_numpy(each)
    return CoordinateBatch(padded, torch.arange(longest) < lengths[:, None], lengths, names)


def image_batch(batch: CoordinateBatch, d_max: float = 80.0) -> DistogramBatch:
    """The images of backbones, 0 where padded."""
    pairs = batch.mask[:, None, :, None] & batch.mask[:, None, None, :]
    # Residues that coincide have no frames, so those of the padding stand apart.
    place = torch.arange(batch.mask.shape[-1], device=batch.mask.device)[:, None, None]
    apart = torch.eye(3, device=batch.mask.device) + 4.0 * place
    coords = torch.where(batch.mask[..., None, None], batch.coords, apart)
    scale = torch.full_like(batch.lengths, d_max, dtype=torch.float32)
    image = encode(coords, d_max).masked_fill(~pairs, 0.0)
    return DistogramBatch(image, batch.mask, batch.lengths, scale, batch.names, [])
