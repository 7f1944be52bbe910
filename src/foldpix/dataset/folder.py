"""Many structure files at once: a pool of processes, with everything that is written down in this one."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event

from joblib import Parallel, delayed, parallel_config

from foldpix.dataset.convert import Conversion, ConvertOptions, OutputError, convert_source
from foldpix.dataset.manifest import ManifestLog, Status
from foldpix.dataset.sources import Source
from foldpix.dataset.split import Splitter

#: Files a task: enough to hide what it costs to send one, few enough to keep all workers busy to the end.
FILES_A_TASK = 24


def convert_all(
    sources: Iterable[Source], options: ConvertOptions, splitter: Splitter, log: ManifestLog, workers: int
) -> Generator[list[Conversion], None, None]:
    """Convert and log; yields what was converted, task by task, when its rows are in the manifest.

    Raises
    ------
    OSError
        If PNG, FASTA or manifest cannot be written. No process is still at work then.
    BrokenProcessPool
        If a worker was killed.
    """
    stop = Event()
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    results = pool(delayed(_convert_task)(task, options) for task in _tasks(sources, stop))
    try:
        for conversions, trouble in results:
            conversions = [_with_splits(conversion, splitter) for conversion in conversions]
            for conversion in conversions:
                log.append(conversion.rows)
            yield conversions
            if trouble:
                raise trouble
    finally:
        stop.set()
        for _ in results:  # let the tasks under way come to their end
            pass


def delete_sources(conversions: Iterable[Conversion], log: ManifestLog) -> int:
    """Delete the files of which all was converted durably; the number that could not be deleted."""
    log.sync()  # a source must not go before the row that tells of it
    whole = [found for found in conversions if not found.has_more and _all_converted(found)]
    return sum(not _deleted(Path(found.rows[0].source)) for found in whole)


def _all_converted(conversion: Conversion) -> bool:
    return all(row.status is Status.CONVERTED for row in conversion.rows)


def _tasks(sources: Iterable[Source], stop: Event) -> Iterator[list[Source]]:
    iterator = iter(sources)
    while not stop.is_set() and (task := list(islice(iterator, FILES_A_TASK))):
        yield task


def _convert_task(
    sources: list[Source], options: ConvertOptions
) -> tuple[list[Conversion], OutputError | None]:
    """Conversions, up to one that could not be written: that error is returned, as raising kills the pool."""
    conversions: list[Conversion] = []
    try:
        for source in sources:
            conversions.append(convert_source(source, options))
    except OutputError as error:
        return conversions, error
    return conversions, None


def _with_splits(conversion: Conversion, splitter: Splitter) -> Conversion:
    rows = [replace(row, split=splitter.split_of(row.id, row.source)) for row in conversion.rows]
    return conversion._replace(rows=rows)


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
