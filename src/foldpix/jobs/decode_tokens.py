"""Token tables to structures."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import Progress

from foldpix.dataset.sources import key_of
from foldpix.dataset.tokens import BadTokens, ChainTokens, TokenTable
from foldpix.evaluation.codes import ImageTokenizer, decoded_of, equally_padded
from foldpix.jobs.decode_chain import (
    ChainCoords,
    ChainImage,
    Outcome,
    Output,
    decode_image,
    failure,
    write_coords,
)
from foldpix.jobs.decode_claims import Claims
from foldpix.jobs.decode_rows import DecodedLog
from foldpix.jobs.tokenizer import load_tokenizer
from foldpix.jobs.workers import Workers

#: Pixels of the images that are in memory at a time: 200 MB.
PIXELS_AT_ONCE = 2**24
CHAINS_AT_ONCE = 2**12


class _Pending(NamedTuple):
    """A chain to decode."""

    id: str
    tokens: ChainTokens
    checksum: str

    @property
    def length(self) -> int:
        return len(self.tokens.sequence)


def decode_tokens(
    source: Path,
    ckpt: str,
    batch_size: int,
    output: Output,
    log: DecodedLog,
    workers: Workers,
    progress: Progress,
) -> Iterator[Outcome]:
    """What became of each row of a table.

    Raises
    ------
    ValueError
        If the table is none, or was made with another model.
    """
    table = TokenTable(source)
    tokenizer, header, device = load_tokenizer(ckpt)
    if table.header != header:
        raise ValueError(f"{source} holds tokens of the model {table.header}, but ckpt={ckpt} is {header}")
    bar = progress.add_task("decoding", total=len(table))
    for settled, pending in _windows(_items(table, source, output, log)):
        yield from settled
        progress.advance(bar, len(settled))
        chains = list(_decoded(pending, tokenizer, device, batch_size, str(source)))
        with closing(workers.map(partial(_write_chain, output=output), chains)) as outcomes:
            for outcome in outcomes:
                progress.advance(bar)
                yield outcome


def _items(table: TokenTable, source: Path, output: Output, log: DecodedLog) -> Iterator[Outcome | _Pending]:
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
            yield _Pending(id, tokens, checksum)


def _windows(items: Iterable[Outcome | _Pending]) -> Iterator[tuple[list[Outcome], list[_Pending]]]:
    """Pieces that fit into memory."""
    settled: list[Outcome] = []
    pending: list[_Pending] = []
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


def _write_chain(chain: ChainImage | ChainCoords, output: Output) -> Outcome:
    return write_coords(chain, output) if isinstance(chain, ChainCoords) else decode_image(chain, output)


def _decoded(
    pending: list[_Pending], tokenizer: ImageTokenizer, device: str, batch_size: int, source: str
) -> Iterator[ChainImage | ChainCoords]:
    for batch in equally_padded(pending, lambda each: each.length, tokenizer.stride, batch_size):
        codes = [each.tokens.levels for each in batch]
        decoded = decoded_of(tokenizer, codes, [each.length for each in batch], device)
        for (id, tokens, checksum), each in zip(batch, decoded, strict=True):
            if tokenizer.decodes_to == "coords":
                yield ChainCoords(id, tokens.chain, tokens.sequence, each, source, checksum)
            else:
                yield ChainImage(id, tokens.chain, tokens.sequence, each, tokens.d_max, source, checksum)


def _checksum(tokens: ChainTokens, fingerprint: str) -> str:
    digest = hashlib.md5(f"{fingerprint} {tokens.chain} {tokens.sequence} {tokens.d_max}".encode())
    for level in tokens.levels:
        digest.update(np.ascontiguousarray(level).data)
    return digest.hexdigest()
