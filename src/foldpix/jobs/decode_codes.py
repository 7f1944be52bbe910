"""Tables of chain codes to structures; without torch, so that it starts quickly."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rich.progress import Progress

from foldpix.dataset.tokens import TokenHeader, TokenTable
from foldpix.jobs.chain_codes import code_of, coder_for
from foldpix.jobs.decode_chain import ChainCoords, Outcome, Output, failure, write_coords
from foldpix.jobs.decode_rows import DecodedLog
from foldpix.jobs.decode_table import Pending, decode_rows
from foldpix.jobs.workers import Workers


def decode_codes(
    table: TokenTable,
    source: Path,
    codebook: str | None,
    output: Output,
    log: DecodedLog,
    workers: Workers,
    progress: Progress,
) -> Iterator[Outcome]:
    """What became of each row of a table.

    Raises
    ------
    ValueError
        If the table was made with another codebook.
    """
    coder_for(table.header, codebook)
    decode = partial(_decode, codebook=codebook, source=str(source), header=table.header, output=output)
    yield from decode_rows(table, source, output, log, progress, partial(workers.map, decode))


def _decode(
    pending: Pending, codebook: str | None, source: str, header: TokenHeader, output: Output
) -> Outcome:
    id, tokens, checksum = pending
    try:
        coords = coder_for(header, codebook).decode(code_of(tokens)).coords
    except ValueError as error:
        return failure(id, error, source, checksum)
    chain = ChainCoords(id, tokens.chain, tokens.sequence, coords, source, checksum, tokens.deviation)
    return write_coords(chain, output)
