"""Which samples make up each batch of each rank: a function of the seed and the batch's number alone.

Samples are numbered through bins and, inside a bin, through shards in file order. Batches are numbered from
the start of training: number ``n`` is step ``n % steps`` of epoch ``n // steps``. Neither workers nor what
was read before has a say, so a run goes on at any batch as if it had never stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class BinSamples:
    """The samples of one length bin.

    Parameters
    ----------
    longest : int
        Residues of the bin's longest possible chain.
    counts : ndarray, dtype=int64, shape=(num_shards,)
        Samples in each shard.
    """

    longest: int
    counts: np.ndarray

    @property
    def num_samples(self) -> int:
        return int(self.counts.sum())


class Order(Protocol):
    """An order of batches."""

    @property
    def steps(self) -> int | None:
        """Batches of a rank in an epoch; None where there are no epochs."""

    def batch(self, number: int, rank: int) -> np.ndarray:
        """Sample numbers of a rank's batch, all from one bin."""


def batch_size_of(longest: int, batch_size: int, max_pixels: int | None) -> int:
    """Samples in a batch: at most ``batch_size``, and at most ``max_pixels`` of them together."""
    return batch_size if max_pixels is None else min(batch_size, max(1, max_pixels // longest**2))


class EpochOrder:
    """Each sample exactly once an epoch over all ranks, and as many batches for each rank.

    The batches of a bin are as equal in size as can be, and the ranks get the same bin at the same step
    except for few steps of left-over batches, so that no rank waits and gradients can be averaged plainly.

    Parameters
    ----------
    bins : sequence of BinSamples
    batch_size : int
    max_pixels : int or None
        Cap on the pixels of a batch.
    world_size : int
    seed : int
    shuffle_buffer : int
        Samples among which a sample's place is drawn after the shards were shuffled: the larger, the more
        random; the smaller, the fewer shards are read at a time. 0 keeps file order.

    Raises
    ------
    ValueError
        If there are too few samples to give every rank one.
    """

    def __init__(
        self,
        bins: Sequence[BinSamples],
        batch_size: int,
        max_pixels: int | None = None,
        world_size: int = 1,
        seed: int = 0,
        shuffle_buffer: int = 0,
    ) -> None:
        bins, firsts = _nonempty(bins)
        counts = [bin.num_samples for bin in bins]
        sizes = [batch_size_of(bin.longest, batch_size, max_pixels) for bin in bins]
        num_batches = plan_batches(counts, sizes, [bin.longest for bin in bins], world_size)
        self._bins, self._firsts = bins, firsts
        self._seed, self._shuffle_buffer = seed, shuffle_buffer
        self._bounds = _bounds(counts, num_batches)
        self._groups, self._labels = _groups(num_batches, world_size)
        self._epoch: int | None = None
        self._samples = self._steps = np.empty(0, dtype=np.int64)

    @property
    def steps(self) -> int:
        """Batches of a rank in an epoch, the same in every epoch."""
        return len(self._groups)

    def batch(self, number: int, rank: int) -> np.ndarray:
        """Sample numbers of a rank's batch, all from one bin."""
        epoch, step = divmod(number, self.steps)
        if epoch != self._epoch:
            self._shuffle(epoch)
        batch = self._groups[self._steps[step], rank]
        return self._samples[self._bounds[batch] : self._bounds[batch + 1]]

    def _shuffle(self, epoch: int) -> None:
        rng = np.random.default_rng((self._seed, epoch)) if self._shuffle_buffer else None
        self._samples = np.concatenate(
            [
                first + _bin_order(bin.counts, self._shuffle_buffer, rng)
                for first, bin in zip(self._firsts, self._bins, strict=True)
            ]
        )
        self._steps = _interleaved(self._labels, rng)
        self._epoch = epoch


class ResampledOrder:
    """Endless batches of samples drawn with replacement, each sample as likely as any other.

    Parameters as for `EpochOrder`.
    """

    steps = None

    def __init__(
        self,
        bins: Sequence[BinSamples],
        batch_size: int,
        max_pixels: int | None = None,
        world_size: int = 1,
        seed: int = 0,
    ) -> None:
        bins, self._firsts = _nonempty(bins)
        self._counts = np.array([bin.num_samples for bin in bins])
        self._sizes = np.array([batch_size_of(bin.longest, batch_size, max_pixels) for bin in bins])
        batches = self._counts / self._sizes
        self._weights = batches / batches.sum()
        self._world_size, self._seed = world_size, seed

    def batch(self, number: int, rank: int) -> np.ndarray:
        """Sample numbers of a rank's batch, all from one bin that is the same for all ranks."""
        rng = np.random.default_rng((self._seed, number))
        bin = rng.choice(len(self._weights), p=self._weights)
        drawn = rng.integers(self._counts[bin], size=(self._world_size, self._sizes[bin]))
        return self._firsts[bin] + drawn[rank]


def plan_batches(
    counts: Sequence[int], sizes: Sequence[int], longest: Sequence[int], world_size: int
) -> list[int]:
    """Into how many batches each bin is cut, so that their sum divides by the number of ranks.

    Where the batch sizes leave no such number, a few batches grow beyond them: repeating or dropping samples
    would be worse, above all in validation.
    """
    total = sum(counts)
    plan = [_own_batches(count, size, world_size) for count, size in zip(counts, sizes, strict=True)]
    missing = -sum(plan) % world_size
    change = missing if sum(plan) + missing <= total else -(sum(plan) % world_size)
    if total < world_size or -change > sum(plan) - len(plan):
        raise ValueError(
            f"{total} samples in {len(plan)} bins cannot be shared by {world_size} processes: start fewer"
        )
    for _ in range(abs(change)):
        load = [count / batches * high**2 for count, batches, high in zip(counts, plan, longest, strict=True)]
        if change > 0:
            plan[max((i for i in range(len(plan)) if plan[i] < counts[i]), key=load.__getitem__)] += 1
        else:
            plan[min((i for i in range(len(plan)) if plan[i] > 1), key=load.__getitem__)] -= 1
    return plan


def _own_batches(count: int, size: int, world_size: int) -> int:
    """A multiple of the number of ranks if there are samples for it."""
    rounded = world_size * -(-count // (size * world_size))
    return rounded if rounded <= count else -(-count // size)


def _nonempty(bins: Sequence[BinSamples]) -> tuple[list[BinSamples], list[int]]:
    """The bins that hold samples, and the number of the first sample of each."""
    firsts = np.cumsum([0, *(bin.num_samples for bin in bins)])
    kept = [i for i, bin in enumerate(bins) if bin.num_samples]
    return [bins[i] for i in kept], [int(firsts[i]) for i in kept]


def _bounds(counts: Sequence[int], num_batches: Sequence[int]) -> np.ndarray:
    """Where each batch begins among the samples, shape (sum of num_batches + 1,)."""
    starts = np.cumsum([0, *counts])
    inner = [
        start + np.arange(batches) * count // batches
        for start, count, batches in zip(starts, counts, num_batches, strict=False)
    ]
    return np.concatenate([*inner, starts[-1:]])


def _groups(num_batches: Sequence[int], world_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches of each step, shape (steps, world_size), and each step's bin; left-overs count as a bin."""
    firsts = np.cumsum([0, *num_batches])
    groups, left_over = [], []
    for first, batches in zip(firsts, num_batches, strict=False):
        numbers = first + np.arange(batches)
        whole = batches - batches % world_size
        groups.append(numbers[:whole].reshape(-1, world_size))
        left_over.append(numbers[whole:])
    groups.append(np.concatenate(left_over).reshape(-1, world_size))
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(group) for group in groups])


def _bin_order(counts: np.ndarray, buffer: int, rng: np.random.Generator | None) -> np.ndarray:
    """Numbers of a bin's samples: shards shuffled, then samples moved by less than ``buffer`` places."""
    num_samples = int(counts.sum())
    if rng is None:
        return np.arange(num_samples)
    firsts = np.cumsum(counts) - counts
    shards = rng.permutation(len(counts))
    places = np.cumsum(counts[shards]) - counts[shards]
    in_file_order = np.arange(num_samples) + np.repeat(firsts[shards] - places, counts[shards])
    return in_file_order[np.argsort(np.arange(num_samples) + rng.uniform(0, buffer, num_samples))]


def _interleaved(labels: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """The bins mixed at random, each bin's own order kept, so that reads stay local."""
    if rng is None:
        return np.arange(len(labels))
    steps = np.empty(len(labels), dtype=np.int64)
    steps[np.argsort(rng.permutation(labels), kind="stable")] = np.arange(len(labels))
    return steps
