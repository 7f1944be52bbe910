"""Several jobs on one folder of made-up chains: what it is made of, who does which part, and when to stop."""

import fcntl
import json
import os
import re
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from foldpix.dataset.lock import alone_in
from foldpix.dataset.manifest import MANIFEST
from foldpix.dataset.shards import MADE

#: Folder under ``out`` for locks and for what files cannot say.
HIDDEN = ".made"
#: Table of chains that are structure files.
TABLE = "chains.csv"
_UNFINISHED = re.compile(
    rf"(\.[0-9a-f]{{16}}|{re.escape(TABLE)}|{re.escape(MANIFEST)}|(train|val)-\d{{6,}}\.([0-9a-f]{{8}}|idx))\.tmp"
)


def claim(out: Path, options: Mapping[str, Any]) -> None:
    """Put on record what the folder holds; jobs that come later must ask for the same.

    Raises
    ------
    ValueError
        If the folder holds something else.
    OSError
        If it cannot be written.
    """
    patterns = (MANIFEST, TABLE, "chain_*", "shards/bin_*")
    there = next((path for pattern in patterns for path in out.glob(pattern)), None)
    # Asked in this order: another part may have put it on record in the meantime, and begun.
    if there and not (out / MADE).exists():
        name = there.relative_to(out)
        raise ValueError(f"{out} holds files of other origin ({name}, but no {MADE}); choose another out")
    out.mkdir(parents=True, exist_ok=True)
    temporary = out / f".{secrets.token_hex(8)}.tmp"
    try:
        temporary.write_text(json.dumps(options, indent=1) + "\n")
        (out / MADE).hardlink_to(temporary)
    except FileExistsError:
        _check_same(out, options)
    finally:
        temporary.unlink(missing_ok=True)


def _check_same(out: Path, options: Mapping[str, Any]) -> None:
    try:
        found = dict(json.loads((out / MADE).read_text()))
    except ValueError as error:
        raise ValueError(f"{out / MADE} is no record of made-up chains; choose another out") from error
    different = [key for key in (*options, *found) if found.get(key) != options.get(key)]
    if different:
        key = different[0]
        raise ValueError(
            f"{out} holds chains made with {key}={found.get(key)}, not {key}={options.get(key)}; "
            "choose another out"
        )


@contextmanager
def as_part(out: Path, part: int, parts: int) -> Iterator[Path]:
    """Hold this part of the work; gives a folder of its own.

    Raises
    ------
    ValueError
        If another job does it, or the work is being done in another number of parts.
    """
    own = out / HIDDEN / f"part-{part}-of-{parts}"
    with alone_in(own):
        # Everybody takes his own lock first and looks at the others then: of two, one sees the other.
        for other in (out / HIDDEN).glob("part-*"):
            if not other.name.endswith(f"-of-{parts}"):
                with alone_in(other):
                    pass
        yield own


@contextmanager
def in_turn(out: Path) -> Iterator[None]:
    """Wait until no other part holds the folder, then hold it."""
    with (out / HIDDEN / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_unfinished(out: Path) -> None:
    """Remove the files that a killed job was writing."""
    for folder in (out, out / HIDDEN / "rows", *(out / "shards").glob("bin_*")):
        for path in folder.glob("*.tmp"):
            if _UNFINISHED.fullmatch(path.name):
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class StopSign:
    """Tells the worker processes when to end: somebody asked for it, or the job that started them is gone.

    Parameters
    ----------
    file : Path
        It is up when this file exists.
    job : int
        Process id of the job.
    """

    file: Path
    job: int

    def is_up(self) -> bool:
        """Whether to end."""
        return self.job not in (os.getpid(), os.getppid()) or self.file.exists()


@contextmanager
def stopped_by_signals(folder: Path) -> Iterator[StopSign]:
    """A sign that SIGINT (Ctrl-C) and SIGTERM (kill) put up; the second time they do what they always do."""
    sign = StopSign(folder / "stop", os.getpid())
    sign.file.unlink(missing_ok=True)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def put_up(number: int, _: FrameType | None) -> None:
        sign.file.touch()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, put_up)
    try:
        yield sign
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sign.file.unlink(missing_ok=True)
