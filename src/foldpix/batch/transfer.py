"""Batches from one process of a distributed run to another."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor

from foldpix.batch.access import Access
from foldpix.batch.buffers import check_matching
from foldpix.batch.storage import Storage
from foldpix.batch.wire import HEADER_SIZE, messages, read_storage

#: The last receive that was begun from a rank under a tag: what comes next is for it, until it is complete.
_LAST: dict[tuple[Any, int, int], "Receive"] = {}


class Send:
    """A batch on its way out; it keeps the tensors that are sent."""

    def __init__(self, storage: Storage, dst: int, tag: int, group: Any) -> None:
        device = _wire_device(group)
        self._dst = dst
        self._tensors = [message.to(device) for message in messages(storage)]
        self._works: Sequence[Any] = [
            _post(dist.isend, message, dst, group, _tag(tag, number))
            for number, message in enumerate(self._tensors)
        ]

    def wait(self, timeout: float | None = None) -> None:
        """Until all has left; again at once if it has.

        Raises
        ------
        ConnectionError
            If the receiver has gone, or does not take it within `timeout` seconds (None: the group's limit).
        """
        deadline = _deadline(timeout)
        for work in self._works:
            _finish(work, deadline, f"rank {self._dst} did not take the batch")
        self._works, self._tensors = [], []


class Receive:
    """A batch on its way in."""

    def __init__(
        self, src: int, device: torch.device, template: Access | None, tag: int, group: Any, kind: type
    ) -> None:
        self._src, self._device, self._template = src, device, template
        self._tag, self._group, self._kind = tag, group, kind
        self._header = torch.empty(HEADER_SIZE, dtype=torch.int64, device=_wire_device(group))
        self._work = _post(dist.irecv, self._header, src, group, _tag(tag, 0))
        self._before = _LAST.get((group, src, tag))
        self._result: Any = None
        _LAST[group, src, tag] = self

    def wait(self, timeout: float | None = None) -> Any:
        """The batch, when all of it is here; the same one again later.

        Batches of one sender under one tag come in the order they were asked for.

        Raises
        ------
        ConnectionError
            If the sender has gone, or does not send within `timeout` seconds; by default the group's limit.
        ValueError
            If levels, fields, dtypes or shapes are not the template's; all is received all the same, so that
            the next batch can follow. Or if what comes is no batch.
        """
        if self._result is None:
            self._receive(_deadline(timeout))
        if self._template is not None:
            check_matching(self._template._storage, self._result._storage, f"the batch of rank {self._src}")
        return self._result

    def _receive(self, deadline: float | None) -> None:
        if self._result is not None:
            return
        if self._before is not None:
            self._before._receive(deadline)
            self._before = None
        try:
            self._read(deadline)
        finally:  # a failure is told once, and does not stand before the next batch
            if _LAST.get((self._group, self._src, self._tag)) is self:
                del _LAST[self._group, self._src, self._tag]

    def _read(self, deadline: float | None) -> None:
        complaint = f"no batch from rank {self._src}"
        _finish(self._work, deadline, complaint)

        def read(target: Tensor) -> None:
            work = _post(dist.irecv, target, self._src, self._group, _tag(self._tag, 1))
            _finish(work, deadline, complaint)

        storage = read_storage(self._header, read, self._device, _wire_device(self._group))
        self._result = self._kind(device=self._device, storage=storage)


class Transfer(Access):
    """Sending to and receiving from other ranks of `torch.distributed`, over gloo or NCCL.

    What is sent says itself which levels, fields, dtypes and shapes it has, and is the live rows alone.
    """

    __slots__ = ()

    def isend(self, dst: int, *, tag: int = 0, group: Any = None) -> Send:
        """Begin to send to a rank; the batch must not change before ``wait()`` of what this returns."""
        return Send(self._storage, dst, tag, group)

    def send(self, dst: int, *, tag: int = 0, group: Any = None, timeout: float | None = None) -> None:
        """Send to a rank; where two ranks send to each other, one of them needs :meth:`isend`."""
        self.isend(dst, tag=tag, group=group).wait(timeout)

    @classmethod
    def irecv(
        cls,
        src: int,
        device: torch.device | str,
        *,
        template: Access | None = None,
        tag: int = 0,
        group: Any = None,
    ) -> Receive:
        """Begin to receive from a rank; ``wait()`` of what this returns gives the batch.

        Parameters
        ----------
        template : Batch, optional
            What is received must have its levels, fields, dtypes and shapes of rows.
        """
        return Receive(src, torch.device(device), template, tag, group, cls)

    @classmethod
    def recv(
        cls,
        src: int,
        device: torch.device | str,
        *,
        template: Access | None = None,
        tag: int = 0,
        group: Any = None,
        timeout: float | None = None,
    ) -> Self:
        """Receive from a rank; see :meth:`irecv` and :meth:`Receive.wait`."""
        return cls.irecv(src, device, template=template, tag=tag, group=group).wait(timeout)


def _wire_device(group: Any) -> torch.device:
    """Where tensors must lie that the group sends."""
    on_device = dist.get_backend(group) == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if on_device else torch.device("cpu")


def _tag(tag: int, number: int) -> int:
    """Headers have a tag of their own: that of the next batch may be awaited before this one's rows."""
    return 2 * tag + min(number, 1)


def _post(operation: Any, tensor: Tensor, rank: int, group: Any, tag: int) -> Any:
    try:
        return operation(tensor, rank, group=group, tag=tag)
    except RuntimeError as error:
        raise ConnectionError(f"rank {rank} has gone: {_first_line(error)}") from error


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _finish(work: Any, deadline: float | None, complaint: str) -> None:
    try:
        if deadline is None:
            work.wait()
        else:  # 0 would mean the group's limit
            work.wait(timedelta(seconds=max(deadline - time.monotonic(), 0.001)))
    except RuntimeError as error:
        raise ConnectionError(f"{complaint}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
