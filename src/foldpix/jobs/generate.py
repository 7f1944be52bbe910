"""Made-up chains into structure files, an archive, or shards of pictures."""

import os
import resource
import signal
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from foldpix.dataset.bins import MAX_LENGTH, MIN_LENGTH
from foldpix.dataset.made import END, SPLIT_BLOCK, ChainOptions, Stopped
from foldpix.dataset.made_shards import MadeShards
from foldpix.jobs.generate_archive import ArchivePiece, archive_piece, workplace, write_archive
from foldpix.jobs.generate_files import MadeFiles
from foldpix.jobs.generate_parts import (
    StopSign,
    as_part,
    claim,
    in_turn,
    remove_unfinished,
    stopped_by_signals,
)
from foldpix.jobs.generate_summary import NOTHING_KEPT, Tally, print_summary
from foldpix.jobs.schema.generate import GenerateConfig, Into
from foldpix.jobs.terminal import progress_bar
from foldpix.jobs.workers import Workers
from foldpix.structure.formats import file_format


class Unit(Protocol):
    """Chains that are written together, by one process, and the file of their rows of the table."""

    @property
    def rows(self) -> Path: ...
    @property
    def numbers(self) -> np.ndarray: ...


class Made(Protocol):
    """A folder of made-up chains, as files or as shards."""

    @property
    def record(self) -> dict[str, Any]: ...
    def units(self, num: int | None) -> Iterator[Any]: ...
    def has_more_than(self, num: int) -> bool: ...
    def is_done(self, unit: Any) -> bool: ...
    def write(self, unit: Any, is_stopped: Callable[[], bool]) -> int: ...
    def finish(self, is_stopped: Callable[[], bool]) -> None: ...


class Written(NamedTuple):
    """What a process did: chains, those of them left out, its memory so far, and what is for an archive."""

    num_chains: int
    num_left_out: int
    peak_bytes: int
    piece: ArchivePiece | None = None


def run(config: GenerateConfig) -> dict[str, float]:
    """Write the chains that are not there yet.

    Returns
    -------
    dict
        ``generated``: chains that are new; ``there``: those of earlier runs; ``left_out``: of the new ones,
        those not written because atoms clash.

    Raises
    ------
    ValueError
        If options are out of range, or the folder holds something else.
    OSError
        If it cannot be written or a worker was killed; what is there stays.
    """
    check(config)
    tally = Tally()
    try:
        if config.into is Into.archive:
            _write_archive(config, tally)
        else:
            _fill_folder(config, tally)
    except ChildProcessError:
        raise
    except OSError as error:
        kept = f"{tally.generated} chains written so far, run the same command to go on"
        if config.into is Into.archive:
            kept = NOTHING_KEPT
        raise OSError(f"cannot write {config.out}: {error.strerror or error}; {kept}") from error
    print_summary(tally, config)
    if tally.is_stopped and config.num is not None:
        raise SystemExit(128 + signal.SIGINT)  # nothing that builds on all chains may go on
    return {"generated": tally.generated, "there": tally.there, "left_out": tally.left_out}


def check(config: GenerateConfig) -> None:
    """Reject what cannot work before anything is written (``ValueError``)."""
    if config.num is not None and config.num < 1:
        raise ValueError(f"num={config.num} must be at least 1, or null to go on until Ctrl-C")
    if not 0 <= config.seed < 2**64:
        raise ValueError(f"seed={config.seed} must not be negative, and less than 2**64")
    if config.start < 0:
        raise ValueError(f"start={config.start} must not be negative")
    if config.start + (config.num or 1) > END:
        raise ValueError(f"start={config.start}, num={config.num}: start + num must be at most 2**63 - 1")
    if not 1 <= config.min_length <= config.max_length:
        raise ValueError(f"min_length={config.min_length}, max_length={config.max_length}: 1 <= min <= max")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")
    if not 0 <= config.part < config.parts:
        raise ValueError(f"part={config.part}, parts={config.parts}: part is 0 to parts - 1")
    num_val = SPLIT_BLOCK * config.valid_frac
    if not (config.valid_frac == 0 or 0.5 < num_val < SPLIT_BLOCK - 0.5):
        raise ValueError(f"valid_frac={config.valid_frac} must be 0, or 0.001 to 0.999")
    if config.into is Into.shards:
        _check_shards(config)
    else:
        _check_suffix(config.suffix)
    if config.into is Into.archive:
        _check_archive(config)


def _check_shards(config: GenerateConfig) -> None:
    if not MIN_LENGTH <= config.min_length <= config.max_length <= MAX_LENGTH:
        raise ValueError(
            f"min_length={config.min_length}, max_length={config.max_length}: "
            f"pictures have {MIN_LENGTH} to {MAX_LENGTH} residues; into=folder takes any length"
        )
    if not 0 < config.d_max < float("inf"):
        raise ValueError(f"d_max={config.d_max} must be a positive number of angstrom, such as 80")
    if config.shard_size < 1:
        raise ValueError(f"shard_size={config.shard_size} must be at least 1")


def _check_suffix(suffix: str) -> None:
    if "/" in suffix:
        raise ValueError(f"suffix={suffix} must be the end of a file name, such as .pdb or .cif.gz")
    file_format(f"chain{suffix}")


def _check_archive(config: GenerateConfig) -> None:
    if config.num is None:
        raise ValueError("num=null: an archive has an end; give num, or take into=folder or into=shards")
    if config.parts > 1:
        raise ValueError(
            f"parts={config.parts}: an archive is written by one job; take into=folder or shards"
        )
    if Path(config.out).suffix != ".tar":
        raise ValueError(f"out={config.out} must end in .tar, as into=archive writes one file")


def _chain_options(config: GenerateConfig) -> ChainOptions:
    return ChainOptions(
        config.seed, config.start, config.min_length, config.max_length, config.compact, config.valid_frac
    )


def _fill_folder(config: GenerateConfig, tally: Tally) -> None:
    out, chains = Path(config.out).resolve(), _chain_options(config)
    made: Made = MadeFiles(out, chains, config.suffix)
    if config.into is Into.shards:
        made = MadeShards(out, chains, config.d_max, config.shard_size)
    claim(out, made.record)
    with as_part(out, config.part, config.parts) as own, stopped_by_signals(own) as sign:
        if config.parts == 1:  # else they may be another part's
            remove_unfinished(out)
        total = None if config.num is None else _check_num(made, config.num, config)
        units = _pending(made, config, sign, tally)
        with closing(Workers(config.workers).map(partial(_write, made, sign), units)) as results:
            for _ in _watched(results, sign, tally, total):
                pass
        _finish(made, out, own, tally)


def _finish(made: Made, out: Path, own: Path, tally: Tally) -> None:
    """Bring the table up to date, also after a stop; a signal from here on leaves it as it was."""
    with stopped_by_signals(own) as sign, in_turn(out):
        try:
            made.finish(sign.is_up)
        except Stopped:
            tally.is_stopped = True


def _check_num(made: Made, num: int, config: GenerateConfig) -> int:
    """How many chains this part has; ``ValueError`` if there are more in the folder than were asked for."""
    if made.has_more_than(num):
        raise ValueError(f"{config.out} holds more than num={num} chains; raise num, or choose another out")
    return sum(len(unit.numbers) for unit in islice(made.units(num), config.part, None, config.parts))


def _pending(made: Made, config: GenerateConfig, sign: StopSign, tally: Tally) -> Iterator[Unit]:
    """What this part still has to do; ends when the sign is up."""
    for unit in islice(made.units(config.num), config.part, None, config.parts):
        if sign.is_up():
            return
        if made.is_done(unit):
            tally.there += len(unit.numbers)
        else:
            yield unit


def _write(made: Made, sign: StopSign, unit: Unit) -> Written | None:
    """Write a unit; None if the sign went up."""
    _leave_signals_to(sign.job)
    try:
        left_out = made.write(unit, sign.is_up)
    except Stopped:
        return None
    return Written(len(unit.numbers), left_out, _peak_bytes())


def _write_archive(config: GenerateConfig, tally: Tally) -> None:
    out = Path(config.out).resolve()
    made = MadeFiles(out.parent, _chain_options(config), config.suffix)
    with workplace(out) as own, stopped_by_signals(own) as sign:
        tasks = (unit.numbers for unit in made.units(config.num))
        with closing(Workers(config.workers).map(partial(_piece, made, sign), tasks)) as results:
            try:
                write_archive(out, own, _pieces(_watched(results, sign, tally, config.num), tally))
            except Stopped:
                tally.generated = 0


def _piece(made: MadeFiles, sign: StopSign, numbers: np.ndarray) -> Written | None:
    """Make a piece of an archive; None if the sign went up."""
    _leave_signals_to(sign.job)
    try:
        piece = archive_piece(made, numbers, sign.is_up)
    except Stopped:
        return None
    return Written(len(piece.rows), len(piece.rows) - len(piece.files), _peak_bytes(), piece)


def _pieces(results: Iterable[Written], tally: Tally) -> Iterator[ArchivePiece]:
    """The pieces of an archive; `Stopped` where they end before all are there."""
    yield from (written.piece for written in results if written.piece)
    if tally.is_stopped:
        raise Stopped


def _leave_signals_to(job: int) -> None:
    """Ctrl-C reaches all processes of a terminal; workers end when the job says so."""
    if os.getpid() != job:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _watched(
    results: Generator[Written | None, None, None], sign: StopSign, tally: Tally, total: int | None
) -> Iterator[Written]:
    """Count what is written, with a progress bar where somebody looks."""
    begin = time.monotonic()
    with progress_bar() as progress:
        bar = progress.add_task("chains", total=total)
        try:
            for written in filter(None, results):
                yield written
                tally.add(written.num_chains, written.num_left_out, time.monotonic() - begin)
                tally.peak_bytes = max(tally.peak_bytes, written.peak_bytes, _peak_bytes())
                name = f"chains, {tally.rate:.0f} a second"
                progress.update(bar, completed=tally.generated + tally.there, description=name)
        except (ChildProcessError, KeyboardInterrupt):
            if not sign.is_up():  # a worker that had not begun yet does not leave signals to the job
                raise
        tally.is_stopped = sign.is_up()
