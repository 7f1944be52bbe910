"""Structure files to a data set of PNG, FASTA, manifest and shards."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from joblib import cpu_count
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from foldpix.dataset.convert import SCRATCH, Conversion, ConvertOptions
from foldpix.dataset.coordinates import write_coordinates
from foldpix.dataset.folder import convert_all, delete_sources
from foldpix.dataset.lock import alone_in
from foldpix.dataset.manifest import MANIFEST, ManifestLog, ManifestRow, Status, read_manifest, write_manifest
from foldpix.dataset.shards import MADE, write_shards
from foldpix.dataset.sources import PendingSources
from foldpix.dataset.split import Splitter, read_split_table
from foldpix.image import read_png
from foldpix.jobs.preprocess_summary import Tally, print_summary
from foldpix.jobs.schema.preprocess import PreprocessConfig


def run(config: PreprocessConfig) -> dict[str, float]:
    """Convert what is not converted yet, then write the shards.

    Returns
    -------
    dict
        Manifest rows ``converted``, ``done`` (by earlier runs), ``skipped``, ``failed``;
        ``files_per_second``; ``shards_written``, ``shards_unchanged``.

    Raises
    ------
    ValueError
        If options contradict each other, the source or what the data set holds already.
    OSError
        If the data set cannot be written or a worker was killed; what is converted stays.
    """
    check(config)
    table = read_split_table(config.split_table) if config.split_table else {}
    out, tally = Path(config.out).resolve(), Tally()
    try:
        with _workspace(out):
            _build(config, out, Splitter(config.valid_frac, table), tally)
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker was killed, perhaps for want of memory; "
            f"{tally.converted} chains converted so far, run the same command with fewer workers to go on"
        ) from error
    except OSError as error:
        raise OSError(
            f"cannot write {out}: {error.strerror or error}; "
            f"{tally.converted} chains converted so far, run the same command to go on"
        ) from error
    print_summary(tally, out)
    return {
        "converted": tally.converted,
        "done": tally.done,
        "skipped": tally.total(Status.SKIPPED),
        "failed": tally.total(Status.FAILED),
        "files_per_second": tally.files / tally.seconds,
        "shards_written": tally.shards.written,
        "shards_unchanged": tally.shards.unchanged,
    }


def check(config: PreprocessConfig) -> None:
    """Reject what cannot work before anything is read or written (``ValueError``)."""
    if not Path(config.source).exists():
        raise ValueError(f"source={config.source} does not exist; give a folder or file of structures")
    if (Path(config.out) / MADE).exists():
        raise ValueError(f"out={config.out} holds made-up chains ({MADE}); choose another out")
    if not 0 < config.d_max < float("inf"):
        raise ValueError(f"d_max={config.d_max} must be a positive number of angstrom, such as 80")
    if not 0 <= config.valid_frac < 1:
        raise ValueError(f"valid_frac={config.valid_frac} must be at least 0 and less than 1")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")
    if config.coordinates and config.delete_source:
        raise ValueError(
            "coordinates=true reads the sources that delete_source=true deletes; leave one of them out"
        )
    if config.shard_size < 1:
        raise ValueError(f"shard_size={config.shard_size} must be at least 1")


@contextmanager
def _workspace(out: Path) -> Iterator[None]:
    """The data set for this job alone, with an empty folder for unfinished files."""
    scratch = out / SCRATCH
    with alone_in(out):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _build(config: PreprocessConfig, out: Path, splitter: Splitter, tally: Tally) -> None:
    start = time.monotonic()
    known = read_manifest(out) if (out / MANIFEST).exists() else []
    _check_d_max(known, out, config.d_max)
    pending = PendingSources(Path(config.source).resolve(), out, known, redo=config.delete_source)
    options = ConvertOptions(
        out, config.chains.value, config.models.value, config.d_max, durable=config.delete_source
    )
    workers = config.workers or cpu_count()
    with (
        ManifestLog(out, known) as log,
        closing(convert_all(pending, options, splitter, log, workers)) as results,
    ):
        for conversions in _watched(results, tally):
            if config.delete_source:
                tally.undeleted += delete_sources(conversions, log)
    rows = [replace(row, split=splitter.split_of(row.id, row.source)) for row in read_manifest(out)]
    if not rows:
        (out / MANIFEST).unlink()
        raise ValueError(
            f"no structure file (.pdb, .ent, .cif, .mmcif, .bcif, also .gz) under {config.source}"
        )
    write_manifest(out, rows)
    tally.done += pending.num_done
    before = {row.id: row.split for row in known if row.status is Status.CONVERTED}
    tally.moved = sum(row.split != before.get(row.id, row.split) for row in rows)
    tally.incomplete = sum(row.dropped > 0 for row in rows)
    if config.split_table:
        tally.unnamed = sum(
            row.status is Status.CONVERTED and not splitter.names(row.id, row.source) for row in rows
        )
    tally.seconds = time.monotonic() - start
    if config.shards:
        tally.shards = write_shards(out, config.shard_size, workers)
    if config.coordinates:
        tally.coordinates = write_coordinates(out, workers)


def _check_d_max(rows: list[ManifestRow], out: Path, d_max: float) -> None:
    """A data set holds one scale of distances."""
    converted = (out / row.bin / f"{row.id}.png" for row in rows if row.status is Status.CONVERTED)
    png = next((path for path in converted if path.exists()), None)
    if png and (found := read_png(png).d_max) != d_max:
        raise ValueError(f"{out} holds pictures with d_max={found}, not {d_max}; choose another out")


def _watched(results: Iterator[list[Conversion]], tally: Tally) -> Iterator[list[Conversion]]:
    """Count the results, with a progress bar where somebody looks."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:,.0f} files, {task.fields[rate]:.0f} files/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("convert", total=None, rate=0.0)
        for conversions in results:
            for conversion in conversions:
                tally.add(conversion)
            seconds = progress.tasks[bar].elapsed or 1.0
            progress.update(bar, completed=tally.files, rate=tally.files / seconds)
            yield conversions
