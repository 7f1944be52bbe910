"""Pictures to structures: PNGs, shards, and folders of both."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from rich.progress import Progress

from foldpix.dataset.pictures import StoredPicture, Unreadable, stored_pictures
from foldpix.jobs.decode_chain import Outcome, Output, decode_stored, failure
from foldpix.jobs.decode_claims import Claims
from foldpix.jobs.decode_rows import DecodedLog, DecodedRow
from foldpix.jobs.workers import Workers


class _Task(NamedTuple):
    picture: StoredPicture
    earlier: DecodedRow | None
    output: Output


def decode_pictures(
    source: Path, output: Output, log: DecodedLog, workers: Workers, progress: Progress
) -> Iterator[Outcome]:
    """What became of each picture; the unreadable and duplicate ones come first.

    Raises
    ------
    ValueError
        If there is no picture and nothing that should be one.
    """
    found = list(stored_pictures(source))
    if not found:
        raise ValueError(f"no picture (.png) and no shard (.tar) in {source}")
    claims, tasks = Claims(log.earlier), []
    for each in found:
        if isinstance(each, Unreadable):
            yield failure(each.path.stem, each.reason, str(each.path))
        elif refusal := claims.refusal(each.id, str(each.path)):
            yield failure(each.id, refusal, str(each.path))
        else:
            tasks.append(_Task(each, log.earlier.get(each.id), output))
    bar = progress.add_task("decoding", total=len(tasks))
    with closing(workers.map(_decode, tasks)) as outcomes:
        for outcome in outcomes:
            progress.advance(bar)
            yield outcome


def _decode(task: _Task) -> Outcome:
    return decode_stored(*task)
