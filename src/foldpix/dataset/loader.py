"""Batches in order: an epoch at a time, or without end."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader

from foldpix.dataset.collate import DistogramBatch, collate_with_padding
from foldpix.dataset.order import Order
from foldpix.dataset.reader import DistogramDataset, SkippedSampleWarning


class DistogramLoader:
    """The batches of one rank. Iterating gives one epoch; `cycle` gives all of them.

    Parameters
    ----------
    dataset : DistogramDataset
    order : Order
    stride : int
        Images are padded to a multiple of it.
    rank : int
    num_workers : int
        Processes that read; they change nothing about the batches.
    start_method : str or None
        How they start, ``fork`` or ``spawn``; None leaves it to the platform.
    pin_memory : bool
        Whether batches come in page-locked memory, for copies to a GPU.

    Attributes
    ----------
    skipped : Counter of str
        How often each unreadable sample was left out.
    """

    def __init__(
        self,
        dataset: DistogramDataset,
        order: Order,
        stride: int,
        rank: int = 0,
        num_workers: int = 0,
        start_method: str | None = None,
        pin_memory: bool = False,
    ) -> None:
        self.skipped: Counter[str] = Counter()
        self._num_lost = dataset.source.num_lost
        self._order, self._rank, self._epoch = order, rank, 0
        self._loader = partial(
            DataLoader,
            dataset,
            collate_fn=partial(collate_with_padding, multiple=stride),
            num_workers=num_workers,
            multiprocessing_context=start_method if num_workers else None,
            pin_memory=pin_memory,
        )

    @property
    def num_skipped(self) -> int:
        """Samples left out: those that shards lack, and the different ones found unreadable so far."""
        return self._num_lost + len(self.skipped)

    def __len__(self) -> int:
        """Batches in an epoch; ``TypeError`` where there are no epochs."""
        if self._order.steps is None:
            raise TypeError("resampled batches have no end; take them from cycle(loader)")
        return self._order.steps

    def __iter__(self) -> Iterator[DistogramBatch]:
        """The batches of the epoch."""
        first = self._epoch * len(self)
        for batch in self.workers(range(first, first + len(self))):
            yield self.reported(batch)

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration gives."""
        self._epoch = epoch

    def workers(self, numbers: "range | count[int]") -> DataLoader:
        """The loader of the batches with these numbers, counted from the start of training."""
        # Its own generator: a DataLoader draws a seed for its workers from the global one otherwise, and a
        # resumed run, which starts workers once more, would go on with other random numbers.
        return self._loader(
            batch_sampler=_SampleNumbers(self._order, self._rank, numbers), generator=torch.Generator()
        )

    def reported(self, batch: DistogramBatch) -> DistogramBatch:
        """The batch, after what it lacks was counted and, the first time, warned about."""
        for name, reason in batch.skipped:
            self.skipped[name] += 1
            if self.skipped[name] == 1:
                warnings.warn(f"skipped {name}: {reason}", SkippedSampleWarning, stacklevel=2)
        return batch


class Numbered(Protocol):
    """What gives batches by their numbers, counted from the start of training."""

    def workers(self, numbers: "range | count[int]") -> Iterable[Any]:
        """The batches with these numbers."""

    def reported(self, batch: Any) -> Any:
        """The batch, after what it lacks was told."""


class BatchStream(Iterator[Any]):
    """Batches without end. Iterating over it again goes on where it stands; its workers outlive the epochs.

    Parameters
    ----------
    loader : Numbered
    start : int
        Number of the first batch, counted from the start of training.

    Attributes
    ----------
    position : int
        Number of the next batch.
    """

    def __init__(self, loader: Numbered, start: int = 0) -> None:
        self.position = start
        self._loader = loader
        self._iterator: Iterator[Any] | None = None  # by this name Lightning stops the workers

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._loader.workers(count(self.position)))
        batch = self._loader.reported(next(self._iterator))
        self.position += 1
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the position follows from the number of batches trained on, which a checkpoint holds.

        Lightning looks for this method to tell that a run can go on in the middle of an epoch. The position
        here would be wrong where it fetches a batch ahead.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing, see `state_dict`."""


def cycle(loader: Numbered, start: int = 0) -> BatchStream:
    """The batches of epochs 0, 1, 2, ... from batch number ``start`` on, without end."""
    return BatchStream(loader, start)


@dataclass(frozen=True)
class _SampleNumbers:
    """Sample numbers of batches, as a DataLoader wants them."""

    order: Order
    rank: int
    numbers: "range | count[int]"

    def __iter__(self) -> Iterator[list[int]]:
        for number in self.numbers:
            yield self.order.batch(number, self.rank).tolist()
