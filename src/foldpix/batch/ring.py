"""A process that makes batches, and a loop that uses them: fixed slots of shared memory, passed by number."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Self

from foldpix.batch.batch import Batch
from foldpix.batch.item import AtomicData
from foldpix.batch.slots import Slots

#: How often each side looks whether the other is still there, seconds.
LOOK = 0.5

_SLOT, _ERROR, _END = b"s", b"e", b"."


class Ring:
    """Batches from a process of their own, in the order it makes them. To be used in a ``with`` block.

    The generator copies each batch into a free slot, several if it is too large for one, and the loop gets
    it from there without a copy. Whichever side ends, by a signal too, ends the other within seconds, and the
    shared memory is gone with them: it has no name.

    Parameters
    ----------
    make : callable
        Called without arguments in the other process, it gives the batches. The process is spawned, so this
        must be picklable: a function of a module, or a `functools.partial` of one.
    template : AtomicData or Batch
        Has the fields of the batches.
    num_slots : int
        How many batches may wait.
    num_systems, num_nodes, num_edges, num_rows
        Room of a slot, as in :meth:`foldpix.batch.Batch.empty`.
    """

    def __init__(
        self,
        make: Callable[[], Iterable[Batch]],
        template: AtomicData | Batch,
        *,
        num_slots: int = 4,
        num_systems: int,
        num_nodes: int,
        num_edges: int,
        num_rows: Mapping[str, int] | None = None,
    ) -> None:
        if num_slots < 2:
            raise ValueError(f"num_slots={num_slots}; give 2 or more, one for each side")
        like = Batch.empty(
            num_systems=num_systems,
            num_nodes=num_nodes,
            num_edges=num_edges,
            template=template,
            device="meta",
            num_rows=num_rows,
        )
        self._slots = Slots(num_slots, like)
        context = multiprocessing.get_context("spawn")
        self._filled, filled = context.Pipe(duplex=False)
        free, self._free = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_generate, args=(make, self._slots, filled, free, os.getpid()), daemon=True
        )
        self._process.start()
        filled.close()
        free.close()
        for slot in range(num_slots):
            self._give_back(slot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Batch]:
        """Batches that stay as they are until the next one is asked for; ``clone()`` one to keep it.

        Raises
        ------
        RuntimeError
            If the generator failed, with its traceback, or was killed.
        """
        while True:
            message = self._next_message()
            if message[:1] == _END:
                return
            if message[:1] == _ERROR:
                raise RuntimeError(f"the generator of batches failed:\n{message[1:].decode()}")
            slot = int.from_bytes(message[1:], "little")
            try:
                yield self._slots.read(slot)
            finally:
                self._give_back(slot)

    def close(self) -> None:
        """End the generator and let go of the memory."""
        self._process.terminate()
        self._process.join()
        self._filled.close()
        self._free.close()
        self._slots.close()

    def _next_message(self) -> bytes:
        while not self._filled.poll(LOOK):
            if not self._process.is_alive() and not self._filled.poll():
                raise RuntimeError(f"the generator of batches has gone: {_how(self._process.exitcode)}")
        try:
            return self._filled.recv_bytes()
        except EOFError as error:
            self._process.join(LOOK)
            raise RuntimeError(
                f"the generator of batches has gone: {_how(self._process.exitcode)}"
            ) from error

    def _give_back(self, slot: int) -> None:
        try:
            self._free.send_bytes(slot.to_bytes(4, "little"))
        except OSError:  # it has gone or was closed; asking for the next batch says so
            return


def _how(exitcode: int | None) -> str:
    """What an exit code means."""
    if exitcode is None:
        return "it closed its end"
    if exitcode < 0:
        return f"it was killed by {signal.Signals(-exitcode).name}"
    return f"it ended with code {exitcode}"


def _generate(
    make: Callable[[], Iterable[Batch]], slots: Slots, filled: Connection, free: Connection, parent: int
) -> None:
    """Fill slots as they become free, in the process of the generator."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        for batch in make():
            left: Batch | None = batch
            while left is not None and left.num_graphs:
                slot = free.recv_bytes()
                left = slots.write(int.from_bytes(slot, "little"), left)
                filled.send_bytes(_SLOT + slot)
        filled.send_bytes(_END)
    except (EOFError, BrokenPipeError):
        _say_gone()
    except Exception:
        filled.send_bytes(_ERROR + traceback.format_exc().encode())


def _end_with(parent: int) -> None:
    """End this process when its parent has gone, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(LOOK)
    _say_gone()
    os._exit(1)


def _say_gone() -> None:
    print("the loop that uses the batches has gone; their generator ends", file=sys.stderr, flush=True)
