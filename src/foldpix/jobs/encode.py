"""Structures through a tokenizer into one table of tokens."""

import csv
import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from math import isnan, log2
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, Protocol

from rich.progress import Progress
from rich.table import Table

from foldpix.chain_code import BREAK_BITS
from foldpix.dataset.sources import Source, structure_files
from foldpix.dataset.tokens import ChainTokens, TokenHeader, TokenWriter
from foldpix.evaluation.chains import Skipped
from foldpix.jobs.chain_codes import CODEBOOK
from foldpix.jobs.encode_codes import CodeEncoder
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.terminal import console, progress_bar
from foldpix.jobs.workers import Workers
from foldpix.structure.whole import write_whole

#: Pixels of the pictures that become one row group: 48 MB in memory, 1,000 chains of 128 residues.
PIXELS_A_GROUP = 2**24
_FILES_A_ROUND = 16  # for each worker
_MOST_REASONS = 10


class Chain(Protocol):
    """A chain on its way into the table."""

    @property
    def name(self) -> str: ...

    @property
    def sequence(self) -> str: ...


class Encoder(Protocol):
    """What makes tokens; ``read`` runs in workers and is pickled."""

    @property
    def header(self) -> TokenHeader:
        """What the table says of the tokenizer."""

    @property
    def read(self) -> Callable[[Source], list[Any]]:
        """The chains of a file, and what of it is none."""

    def tokens(self, group: list[Any]) -> list[ChainTokens]:
        """The tokens of some of the chains that were read, in the same order."""


class SkippedChain(NamedTuple):
    """A file, or a chain of it, that is not in the table."""

    id: str
    reason: str
    source: str


@dataclass
class Tally:
    """What the run did."""

    skipped: list[SkippedChain] = field(default_factory=list)
    bits_per_residue: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    num_tokens: int = 0
    begin: float = field(default_factory=time.monotonic)

    def add(self, chains: Iterable[ChainTokens], codebook_size: int) -> None:
        """Count chains that are in the table."""
        for tokens in chains:
            self.num_tokens += tokens.num_tokens
            num_bits = tokens.num_tokens * log2(codebook_size) + len(tokens.breaks) * BREAK_BITS
            self.bits_per_residue.append(num_bits / len(tokens.sequence))
            self.deviations.append(tokens.deviation)


def run(config: EncodeConfig) -> dict[str, float]:
    """Encode, write the table and, where something is missing in it, ``<out>.skipped.csv``; print a summary.

    Returns
    -------
    dict
        ``chains``, ``tokens``, ``bits_per_residue`` (mean over chains), ``skipped``, ``deviation``
        (angstrom, mean over chains, NaN where the tokenizer does not know), ``chains_per_second``.

    Raises
    ------
    ValueError
        If options are out of range, the checkpoint is none, or there is no chain to encode. No table is
        written then.
    """
    _check(config)
    files = sorted(structure_files(Path(config.source)))
    if not files:
        raise ValueError(f"no structure file (.pdb, .ent, .cif, .mmcif, .bcif, also .gz) in {config.source}")
    encoder = _encoder(config)
    header, out, tally = encoder.header, Path(config.out), Tally()
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress, TokenWriter(out, header) as writer:
        chains = _chains(encoder, files, Workers(config.workers), tally.skipped, progress)
        for group in _groups(chains):
            tokens = encoder.tokens(group)
            writer.write(tokens)
            tally.add(tokens, header.codebook_size)
        if not tally.bits_per_residue:
            example = "{2} ({1})".format(*tally.skipped[0])
            raise ValueError(
                f"no chain to encode in {config.source}: {len(tally.skipped)} skipped, such as {example}"
            )
    _write_skipped(Path(f"{out}.skipped.csv"), tally.skipped)
    return _summarize(tally, out, header)


def _encoder(config: EncodeConfig) -> Encoder:
    if config.ckpt is None or config.ckpt.endswith(CODEBOOK):
        return CodeEncoder(config)
    # With torch, which chain codes need not wait for.
    from foldpix.jobs.encode_pictures import PictureEncoder

    return PictureEncoder(config)


def _check(config: EncodeConfig) -> None:
    if not Path(config.source).exists():
        raise ValueError(f"source={config.source} does not exist; give a folder or file of structures")
    if not config.out.endswith(".parquet"):
        raise ValueError(f"out={config.out} must end in .parquet")
    if not 0 < config.d_max < float("inf"):
        raise ValueError(f"d_max={config.d_max} must be a positive number of angstrom, such as 80")
    if config.batch_size < 1:
        raise ValueError(f"batch_size={config.batch_size} must be at least 1")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")


def _chains(
    encoder: Encoder,
    files: list[Source],
    workers: Workers,
    skipped: list[SkippedChain],
    progress: Progress,
) -> Iterator[Chain]:
    """The chains in the order of the files; what is none, or has the id of an earlier one, is put down."""
    taken: dict[str, str] = {}
    task = progress.add_task("encoding", total=len(files))
    with closing(_of_files(encoder, files, workers)) as results:
        for source, found in zip(files, results, strict=True):
            for each in found:
                if isinstance(each, Skipped):
                    skipped.append(SkippedChain(*each, source.path))
                elif each.name in taken:
                    reason = f"duplicate id {each.name}, also {taken[each.name]}"
                    skipped.append(SkippedChain(each.name, reason, source.path))
                else:
                    taken[each.name] = source.path
                    yield each
            progress.advance(task)


def _of_files(
    encoder: Encoder, files: list[Source], workers: Workers
) -> Generator[list[Chain | Skipped], None, None]:
    """By rounds, as pictures would pile up before a slow tokenizer."""
    waiting = iter(files)
    while some := list(islice(waiting, _FILES_A_ROUND * workers.count)):
        yield from workers.map(encoder.read, some)


def _groups(chains: Iterable[Chain]) -> Iterator[list[Chain]]:
    group: list[Chain] = []
    num_pixels = 0
    for chain in chains:
        group.append(chain)
        num_pixels += len(chain.sequence) ** 2
        if num_pixels >= PIXELS_A_GROUP:
            yield group
            group, num_pixels = [], 0
    if group:
        yield group


def _write_skipped(path: Path, skipped: list[SkippedChain]) -> None:
    """One row each; no file where nothing was skipped, also not that of an earlier run."""
    if not skipped:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([SkippedChain._fields, *skipped])
    write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))


def _summarize(tally: Tally, out: Path, header: TokenHeader) -> dict[str, float]:
    num_chains, seconds = len(tally.bits_per_residue), max(time.monotonic() - tally.begin, 1e-9)
    summary = {
        "chains": float(num_chains),
        "tokens": float(tally.num_tokens),
        "bits_per_residue": fmean(tally.bits_per_residue),
        "skipped": float(len(tally.skipped)),
        "deviation": fmean(tally.deviations),
        "chains_per_second": num_chains / seconds,
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in summary.items():
        if name == "deviation":
            if not isnan(value):
                table.add_row("N, CA, C deviation, mean over chains", f"{value:.3f} Å")
        else:
            table.add_row(name.replace("_", " "), f"{value:,.1f}" if "per" in name else f"{value:,.0f}")
    console().print(table)
    for skip in tally.skipped[:_MOST_REASONS]:
        print(f"skipped {skip.source}: {skip.id}: {skip.reason}")
    if tally.skipped:
        print(f"all that was skipped: {out}.skipped.csv")
    print(f"tokens of the model {header}: {out}")
    return summary
