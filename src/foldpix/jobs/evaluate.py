"""Evaluate the image and a tokenizer on structure files or on a split of a dataset."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import torch
from rich.progress import Progress

from foldpix.chain_code import SHIPPED, load
from foldpix.dataset.bins import MIN_LENGTH
from foldpix.dataset.sources import structure_files
from foldpix.dataset.split import SPLITS, in_split
from foldpix.evaluation.chains import Chain, Skipped
from foldpix.evaluation.drawing import draw_reconstructions
from foldpix.evaluation.evaluate import Evaluation
from foldpix.evaluation.image_stage import ImageStage, image_stage
from foldpix.evaluation.listing import crops, dataset_chains, structure_chains, take
from foldpix.evaluation.panels import panels
from foldpix.evaluation.rate_distortion import draw_rate_distortion
from foldpix.evaluation.reconstruct import ChainRoundTrips, ImageRoundTrips, RoundTrips
from foldpix.evaluation.summary import summarize, write_records, write_summary
from foldpix.evaluation.table import summary_table
from foldpix.jobs.schema.evaluate import EvaluateConfig
from foldpix.jobs.terminal import console, progress_bar
from foldpix.jobs.workers import Workers

_BATCHES_A_ROUND = 8  # for each worker


def run(config: EvaluateConfig) -> dict[str, float]:
    """Evaluate, print the table and write it with two pictures.

    ``metrics.csv``, ``summary.json``, ``reconstruction.png`` and ``rate_distortion.png``.

    Returns
    -------
    dict
        As :func:`foldpix.evaluation.summary.summarize` makes it.

    Raises
    ------
    ValueError
        If the options contradict each other or there is no chain to evaluate.
    """
    _check(config)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    tokenizers = _tokenizers(config.ckpt)
    with progress_bar() as progress:
        chains, skipped = take(_candidates(config, progress), config.limit)
        evaluation = _evaluate(chains, tokenizers, config, progress)
    evaluation.skipped = skipped + evaluation.skipped
    if not evaluation.records:
        raise ValueError(_nothing_measured(config, evaluation))
    summary = summarize(evaluation)
    console().print(summary_table(summary, evaluation.skipped))
    write_records(out / "metrics.csv", evaluation.records)
    write_summary(out / "summary.json", summary, evaluation)
    draw_reconstructions(out / "reconstruction.png", panels(chains, evaluation.records, tokenizers[-1]))
    draw_rate_distortion(out / "rate_distortion.png", summary)
    return summary


def _check(config: EvaluateConfig) -> None:
    if (config.source is None) == (config.dataset is None):
        raise ValueError(
            f"source={config.source} and dataset={config.dataset}: give exactly one, structure files "
            "(source=) or a folder made by preprocess.py (dataset=)"
        )
    if config.source is not None and not Path(config.source).exists():
        raise ValueError(f"source={config.source} does not exist")
    if config.source is None and (config.split_table is not None or config.crop is not None):
        raise ValueError(
            "split_table= and crop= go with source=; a dataset has its own splits and whole chains"
        )
    if config.split_table is not None and config.split not in SPLITS:
        raise ValueError(f"split={config.split} is none of {', '.join(SPLITS)}")
    if config.crop is not None and config.crop < MIN_LENGTH:
        raise ValueError(f"crop={config.crop} must be at least {MIN_LENGTH} residues")
    if config.batch_size < 1:
        raise ValueError(f"batch_size={config.batch_size} must be at least 1")
    if config.workers is not None and config.workers < 1:
        raise ValueError(f"workers={config.workers} must be at least 1, or null for every core")
    if config.limit is not None and config.limit < 1:
        raise ValueError(f"limit={config.limit} must be at least 1, or null for all chains")
    if not config.d_max > 0:
        raise ValueError(f"d_max={config.d_max} must be positive, in angstrom")


def _tokenizers(ckpt: str | None) -> list[RoundTrips]:
    if ckpt is None:
        return [ChainRoundTrips(load(size)) for size in SHIPPED]
    if ckpt.endswith(".safetensors"):
        return [ChainRoundTrips(load(ckpt))]
    # Brings Lightning along, three seconds that chain codes need not wait.
    from foldpix.training.checkpoint import load_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [ImageRoundTrips(load_model(ckpt).to(device), device)]


def _candidates(config: EvaluateConfig, progress: Progress) -> Iterable[Chain | Skipped]:
    if config.dataset is not None:
        return dataset_chains(Path(config.dataset), config.split)
    assert config.source is not None
    sources = in_split(structure_files(Path(config.source)), config.split_table, config.split)
    files = sorted(source.path for source in sources)
    chains = structure_chains(progress.track(files, description="reading"), config.d_max)
    return chains if config.crop is None else crops(chains, config.crop)


def _evaluate(
    chains: list[Chain],
    tokenizers: list[RoundTrips],
    config: EvaluateConfig,
    progress: Progress,
) -> Evaluation:
    evaluation = Evaluation(tokenizers)
    task = progress.add_task("evaluating", total=len(chains))
    batches = evaluation.batches(chains, config.batch_size)
    with closing(_image_stages(batches, Workers(config.workers))) as stages:
        for stage in stages:
            evaluation.add(stage)
            progress.advance(task, len(stage.samples) + len(stage.skipped))
    return evaluation


def _image_stages(batches: Iterator[list[Chain]], workers: Workers) -> Generator[ImageStage, None, None]:
    """In the order of the batches; by rounds, as samples would pile up before a slow tokenizer."""
    while some := list(islice(batches, _BATCHES_A_ROUND * workers.count)):
        yield from workers.map(image_stage, some)


def _nothing_measured(config: EvaluateConfig, evaluation: Evaluation) -> str:
    place = config.source or f"{config.dataset}, split={config.split}"
    if evaluation.skipped:
        name, reason = evaluation.skipped[0]
        return (
            f"no chain to evaluate in {place}: {len(evaluation.skipped)} skipped, such as {name} ({reason})"
        )
    of_split = f" of split={config.split} in {config.split_table}" if config.split_table else ""
    return f"no structure file{of_split} in {place}"
