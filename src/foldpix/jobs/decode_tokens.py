"""Token tables to structures, through the tokenizer of a checkpoint."""

from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

from rich.progress import Progress

from foldpix.dataset.tokens import TokenTable
from foldpix.evaluation.codes import ImageTokenizer, decoded_of, equally_padded
from foldpix.jobs.decode_chain import (
    ChainCoords,
    ChainImage,
    Outcome,
    Output,
    decode_image,
    write_coords,
)
from foldpix.jobs.decode_rows import DecodedLog
from foldpix.jobs.decode_table import Pending, decode_rows
from foldpix.jobs.tokenizer import load_tokenizer
from foldpix.jobs.workers import Workers


def decode_tokens(
    table: TokenTable,
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
        If the table was made with another model.
    """
    tokenizer, header, device = load_tokenizer(ckpt)
    if table.header != header:
        raise ValueError(f"{source} holds tokens of the model {table.header}, but ckpt={ckpt} is {header}")

    def decode(pending: list[Pending]) -> Generator[Outcome, None, None]:
        chains = list(_decoded(pending, tokenizer, device, batch_size, str(source)))
        return workers.map(partial(_write_chain, output=output), chains)

    yield from decode_rows(table, source, output, log, progress, decode)


def _write_chain(chain: ChainImage | ChainCoords, output: Output) -> Outcome:
    return write_coords(chain, output) if isinstance(chain, ChainCoords) else decode_image(chain, output)


def _decoded(
    pending: list[Pending], tokenizer: ImageTokenizer, device: str, batch_size: int, source: str
) -> Iterator[ChainImage | ChainCoords]:
    for batch in equally_padded(pending, lambda each: each.length, tokenizer.stride, batch_size):
        codes = [each.tokens.levels for each in batch]
        decoded = decoded_of(tokenizer, codes, [each.length for each in batch], device)
        for (id, tokens, checksum), each in zip(batch, decoded, strict=True):
            if tokenizer.decodes_to == "coords":
                yield ChainCoords(id, tokens.chain, tokens.sequence, each, source, checksum)
            else:
                yield ChainImage(id, tokens.chain, tokens.sequence, each, tokens.d_max, source, checksum)
