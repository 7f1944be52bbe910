"""Write made-up chains as structure files."""

import time
from pathlib import Path

from joblib import Parallel, cpu_count, delayed
from rich.console import Console
from rich.progress import track

from foldpix.generation import sample_backbones
from foldpix.jobs.schema.generate import GenerateConfig
from foldpix.structure import write_structure
from foldpix.structure.formats import file_format

CHUNK = 64


def run(config: GenerateConfig) -> dict[str, float]:
    """Write the chains and return how many there are.

    Raises
    ------
    ValueError
        If the numbers or the suffix are out of range.
    OSError
        If the folder can't be written.
    """
    _check(config)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    chunks = range(0, config.num, CHUNK)
    pool = Parallel(n_jobs=config.workers or cpu_count(), return_as="generator_unordered")
    done = pool(delayed(_write_chunk)(config, out, first) for first in chunks)
    console = Console(stderr=True)
    for _ in track(done, "chains", len(chunks), console=console, disable=not console.is_terminal):
        pass
    rate = config.num / max(time.perf_counter() - begin, 1e-9)
    print(f"{config.num} chains in {out}, {rate:.0f} a second")
    return {"generated": float(config.num)}


def _check(config: GenerateConfig) -> None:
    if config.num < 1:
        raise ValueError(f"num={config.num} must be at least 1")
    if config.seed < 0:
        raise ValueError(f"seed={config.seed} must not be negative")
    file_format(f"chain{config.suffix}")
    if not 1 <= config.min_length <= config.max_length:
        raise ValueError(f"min_length={config.min_length}, max_length={config.max_length}: 1 <= min <= max")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")


def _write_chunk(config: GenerateConfig, out: Path, first: int) -> None:
    num = min(CHUNK, config.num - first)
    chains = sample_backbones(num, config.min_length, config.max_length, config.seed, start=first)
    for backbone in chains:
        write_structure(out / f"{backbone.name}{config.suffix}", backbone)
