"""Structures through a tokenizer into one table of tokens."""

import csv
import hashlib
import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from math import isnan, log2
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

from rich.progress import Progress
from rich.table import Table

from foldpix.chain_code import BREAK_BITS
from foldpix.dataset.lock import alone_in
from foldpix.dataset.sources import Source, structure_files
from foldpix.dataset.tokens import ChainTokens, TokenHeader, TokenWriter
from foldpix.evaluation.chains import Skipped
from foldpix.jobs.chain_codes import CODEBOOK
from foldpix.jobs.encode_codes import CodeEncoder
from foldpix.jobs.encode_parts import Encoded, Parts
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.terminal import console, progress_bar
from foldpix.jobs.workers import Workers
from foldpix.structure.whole import write_whole

#: Pixels of the pictures that become one row group: 48 MB in memory, 1,000 chains of 128 residues.
PIXELS_A_GROUP = 2**24
#: Files whose tokens are written, and kept, at a time.
FILES_A_PART = 1024
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


def run(config: EncodeConfig) -> dict[str, float]:
    """Encode, write the table and, where something is missing in it, ``<out>.skipped.csv``; print a summary.

    A job that was killed goes on with the same command.

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
    begin = time.monotonic()
    _check(config)
    files = sorted(structure_files(Path(config.source)))
    if not files:
        raise ValueError(f"no structure file (.pdb, .ent, .cif, .mmcif, .bcif, also .gz) in {config.source}")
    encoder, out = _encoder(config), Path(config.out)
    parts = Parts(out, encoder.header, _key(config, files, encoder.header))
    with alone_in(parts.folder), progress_bar() as progress:
        parts.begin()
        blocks = [files[start : start + FILES_A_PART] for start in range(0, len(files), FILES_A_PART)]
        outcomes, num_new = _encode(encoder, blocks, parts, Workers(config.workers), progress)
        skipped = [each for each in outcomes if each.reason]
        if len(skipped) == len(outcomes):
            parts.remove()
            example = f"{skipped[0].source} ({skipped[0].reason})"
            raise ValueError(
                f"no chain to encode in {config.source}: {len(skipped)} skipped, such as {example}"
            )
        parts.merge(len(blocks))
    _write_skipped(Path(f"{out}.skipped.csv"), skipped)
    return _summarize(outcomes, num_new, time.monotonic() - begin, out, encoder.header)


def _key(config: EncodeConfig, files: list[Source], header: TokenHeader) -> str:
    """What a table is made from, and how: a file that changed is another one."""
    digest = hashlib.md5(f"{header} {header.fingerprint} {config.d_max} {FILES_A_PART}".encode())
    for file in files:
        state = Path(file.path).stat() if Path(file.path).is_file() else None
        times = (state.st_size, state.st_mtime_ns) if state else ()
        digest.update(f"{file.path} {times}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _encode(
    encoder: Encoder, blocks: list[list[Source]], parts: Parts, workers: Workers, progress: Progress
) -> tuple[list[Encoded], int]:
    """What became of all chains, and how many of those in the table this run has encoded."""
    task = progress.add_task("encoding", total=sum(map(len, blocks)))
    everything: list[Encoded] = []
    taken: dict[str, str] = {}
    num_new = 0
    for number, block in enumerate(blocks):
        outcomes = parts.outcomes(number)
        if outcomes is None:
            fill = partial(_fill, encoder, block, taken, workers, partial(progress.advance, task))
            outcomes = parts.write(number, fill)
            num_new += sum(not each.reason for each in outcomes)
        else:
            taken |= {each.id: each.source for each in outcomes if not each.reason}
            progress.advance(task, len(block))
        everything += outcomes
    return everything, num_new


def _fill(
    encoder: Encoder,
    block: list[Source],
    taken: dict[str, str],
    workers: Workers,
    advance: Callable[[], None],
    writer: TokenWriter,
) -> Iterator[Encoded]:
    """Write the chains of a block of files, and tell what became of each."""
    skipped: list[Encoded] = []
    for group in _groups(_chains(encoder, block, taken, workers, skipped, advance)):
        chains = encoder.tokens(group)
        writer.write(chains)
        for tokens in chains:
            num_bits = (
                tokens.num_tokens * log2(encoder.header.codebook_size) + len(tokens.breaks) * BREAK_BITS
            )
            bits = num_bits / len(tokens.sequence)
            yield Encoded(tokens.name, taken[tokens.name], "", tokens.num_tokens, bits, tokens.deviation)
    yield from skipped


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
    taken: dict[str, str],
    workers: Workers,
    skipped: list[Encoded],
    advance: Callable[[], None],
) -> Iterator[Chain]:
    """The chains in the order of the files; what is none, or has the id of an earlier one, is put down."""
    with closing(_of_files(encoder, files, workers)) as results:
        for source, found in zip(files, results, strict=True):
            for each in found:
                if isinstance(each, Skipped):
                    skipped.append(Encoded(each.id, source.path, each.reason))
                elif each.name in taken:
                    reason = f"duplicate id {each.name}, also {taken[each.name]}"
                    skipped.append(Encoded(each.name, source.path, reason))
                else:
                    taken[each.name] = source.path
                    yield each
            advance()


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


def _write_skipped(path: Path, skipped: list[Encoded]) -> None:
    """One row each; no file where nothing was skipped, also not that of an earlier run."""
    if not skipped:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    rows = [(each.id, each.reason, each.source) for each in skipped]
    csv.writer(text, lineterminator="\n").writerows([("id", "reason", "source"), *rows])
    write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))


def _summarize(
    outcomes: list[Encoded], num_new: int, seconds: float, out: Path, header: TokenHeader
) -> dict[str, float]:
    chains = [each for each in outcomes if not each.reason]
    skipped = [each for each in outcomes if each.reason]
    summary = {
        "chains": float(len(chains)),
        "tokens": float(sum(each.num_tokens for each in chains)),
        "bits_per_residue": fmean(each.bits_per_residue for each in chains),
        "skipped": float(len(skipped)),
        "deviation": fmean(each.deviation for each in chains),
        "chains_per_second": num_new / max(seconds, 1e-9),
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in summary.items():
        if name != "deviation":
            table.add_row(name.replace("_", " "), f"{value:,.1f}" if "per" in name else f"{value:,.0f}")
    if not isnan(summary["deviation"]):
        table.add_row("N, CA, C deviation, mean over chains", f"{summary['deviation']:.3f} Å")
    if num_new < len(chains):
        table.add_row("of the chains by an earlier run", f"{len(chains) - num_new:,}")
    console().print(table)
    for skip in skipped[:_MOST_REASONS]:
        print(f"skipped {skip.source}: {skip.id}: {skip.reason}")
    if skipped:
        print(f"all that was skipped: {out}.skipped.csv")
    print(f"tokens of the model {header}: {out}")
    return summary
