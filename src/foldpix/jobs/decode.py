"""Pictures or tokens back to structures."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from rich.progress import Progress

from foldpix.dataset.lock import alone_in
from foldpix.jobs.decode_chain import Outcome, Output
from foldpix.jobs.decode_pictures import decode_pictures
from foldpix.jobs.decode_rows import SUMMARY, DecodedLog
from foldpix.jobs.decode_summary import Tally, print_summary
from foldpix.jobs.schema.decode import DecodeConfig
from foldpix.jobs.terminal import progress_bar
from foldpix.jobs.workers import Workers
from foldpix.structure import StructureError
from foldpix.structure.formats import file_format

_PICTURES = (".png", ".tar")
_TOKENS = ".parquet"


def run(config: DecodeConfig) -> dict[str, float]:
    """Decode what is not decoded yet, write ``summary.csv`` and print a summary.

    Returns
    -------
    dict
        Inputs ``decoded``, ``suspicious``, ``done`` (by earlier runs), ``failed``; ``chain_breaks``;
        ``mean_error``, ``worst_error`` (angstrom) and ``residual`` over all structures of these inputs;
        ``chains_per_second``.

    Raises
    ------
    ValueError
        If options contradict each other or the source, or none of the inputs gave a structure.
    OSError
        If the folder cannot be written or a worker was killed; what is decoded stays.
    """
    _check(config)
    out, tally = Path(config.out).resolve(), Tally()
    output = Output(out, config.format, config.torsions, config.refine)
    with alone_in(out):
        _check_folder(out, config.format)
        with (
            DecodedLog(out) as log,
            progress_bar() as progress,
            closing(_outcomes(config, output, log, progress)) as outcomes,
        ):
            for outcome in outcomes:
                log.add(outcome.row)
                tally.add(outcome)
    if not tally.structures:
        first = tally.failed[0]
        raise ValueError(
            f"nothing decoded of {config.source}: {len(tally.failed)} failed, such as {first.id} "
            f"({first.reason}); all in {out / SUMMARY}"
        )
    return print_summary(tally, out)


def _check(config: DecodeConfig) -> None:
    source = Path(config.source)
    if not source.exists():
        raise ValueError(f"source={source} does not exist; give a PNG, a shard, a folder or a token table")
    if not source.is_dir() and source.suffix.lower() not in (*_PICTURES, _TOKENS):
        raise ValueError(f"source={source} is no folder and ends in none of .png, .tar, .parquet")
    if _holds_tokens(source):
        _check_tokens(source, config.ckpt)
    elif config.ckpt is not None:
        raise ValueError(f"source={source} holds no tokens; leave out ckpt={config.ckpt}")
    if config.batch_size < 1:
        raise ValueError(f"batch_size={config.batch_size} must be at least 1")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")
    try:
        file_format(f"chain.{config.format}")
    except StructureError as error:
        raise ValueError(f"format={config.format}: pdb, cif or bcif, each also with .gz") from error


def _check_folder(out: Path, format: str) -> None:
    """Structures that no run of this job wrote are not to be written over."""
    if not (out / SUMMARY).exists() and (found := next(out.glob(f"*.{format}"), None)):
        raise ValueError(f"{out} has structures of other origin, such as {found.name}; choose another out")


def _outcomes(
    config: DecodeConfig, output: Output, log: DecodedLog, progress: Progress
) -> Generator[Outcome, None, None]:
    source, workers = Path(config.source).resolve(), Workers(config.workers)
    if not _holds_tokens(source):
        yield from decode_pictures(source, output, log, workers, progress)
        return
    # Pictures need no library for tables, and neither they nor chain codes wait for torch.
    from foldpix.dataset.tokens import TokenTable

    table = TokenTable(source)
    if table.header.chain_codes:
        from foldpix.jobs.decode_codes import decode_codes

        yield from decode_codes(table, source, config.ckpt, output, log, workers, progress)
        return
    from foldpix.jobs.decode_tokens import decode_tokens

    assert config.ckpt is not None
    yield from decode_tokens(table, source, config.ckpt, config.batch_size, output, log, workers, progress)


def _check_tokens(source: Path, ckpt: str | None) -> None:
    from foldpix.dataset.tokens import TokenTable

    if ckpt is None and not TokenTable(source).header.chain_codes:
        raise ValueError(f"source={source} holds tokens of a model; give ckpt=, the checkpoint they are of")


def _holds_tokens(source: Path) -> bool:
    return source.suffix.lower() == _TOKENS and not source.is_dir()
