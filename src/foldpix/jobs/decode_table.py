"""Rows of a token table: what became of each, or what is to be decoded; without torch."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import Progress

from foldpix.dataset.sources import key_of
from foldpix.dataset.tokens import BadTokens, ChainTokens, TokenTable
from foldpix.jobs.decode_chain import Outcome, Output, failure
from foldpix.jobs.decode_claims import Claims
from foldpix.jobs.decode_rows import DecodedLog

#: Pixels of the images that are in memory at a time: 200 MB.
PIXELS_AT_ONCE = 2**24
CHAINS_AT_ONCE = 2**12


class Pending(NamedTuple):
    """A chain to decode."""

    id: str
    tokens: ChainTokens
    checksum: str

    @property
    def length(self) -> int:
        return len(self.tokens.sequence)


def decode_rows(
    table: TokenTable,
    source: Path,
    output: Output,
    log: DecodedLog,
    progress: Progress,
    decode: Callable[[list[Pending]], Generator[Outcome, None, None]],
) -> Iterator[Outcome]:
    """What became of each row; ``decode`` gets those that no earlier run has done, a piece at a time."""
    bar = progress.add_task("decoding", total=len(table))
    for settled, pending in windows(table_rows(table, source, output, log)):
        yield from settled
        progress.advance(bar, len(settled))
        with closing(decode(pending)) as outcomes:
            for outcome in outcomes:
                progress.advance(bar)
                yield outcome


def table_rows(
    table: TokenTable, source: Path, output: Output, log: DecodedLog
) -> Iterator[Outcome | Pending]:
    """Each row of the table: what became of it without decoding, or that it is to be decoded."""
    claims = Claims(log.earlier)
    for tokens in table:
        if isinstance(tokens, BadTokens):
            yield failure(tokens.name, tokens.reason, str(source))
            continue
        id = key_of(tokens.name)
        checksum = _checksum(tokens, table.header.fingerprint)
        earlier = log.earlier.get(id)
        if refusal := claims.refusal(id, str(source)):
            yield failure(tokens.name, refusal, str(source), checksum)
        elif earlier is not None and output.has(earlier, checksum):
            yield Outcome(replace(earlier, source=str(source)), is_new=False)
        else:
            yield Pending(id, tokens, checksum)


def windows(items: Iterable[Outcome | Pending]) -> Iterator[tuple[list[Outcome], list[Pending]]]:
    """Pieces that fit into memory."""
    settled: list[Outcome] = []
    pending: list[Pending] = []
    num_pixels = 0
    for item in items:
        if isinstance(item, Outcome):
            settled.append(item)
        else:
            pending.append(item)
            num_pixels += item.length**2
        if num_pixels >= PIXELS_AT_ONCE or len(settled) + len(pending) >= CHAINS_AT_ONCE:
            yield settled, pending
            settled, pending, num_pixels = [], [], 0
    yield settled, pending


def _checksum(tokens: ChainTokens, fingerprint: str) -> str:
    digest = hashlib.md5(f"{fingerprint} {tokens.chain} {tokens.sequence} {tokens.d_max}".encode())
    for level in (*tokens.levels, tokens.breaks, tokens.poses):
        digest.update(np.ascontiguousarray(level).data)
    return digest.hexdigest()
