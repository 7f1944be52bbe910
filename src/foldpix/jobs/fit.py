"""Fit a codebook of chain codes to structures."""

import time
from pathlib import Path

from rich.table import Table

from foldpix.chain_code import Codebook, write_codebook
from foldpix.chain_code.fit import fit_codebook
from foldpix.dataset.sources import structure_files
from foldpix.dataset.split import SPLITS, in_split
from foldpix.evaluation.chains import Skipped
from foldpix.evaluation.listing import structure_chains
from foldpix.jobs.schema.fit import FitConfig
from foldpix.jobs.terminal import console, progress_bar
from foldpix.structure import Backbone


def run(config: FitConfig) -> dict[str, float]:
    """Fit, write the codebook and print a summary.

    Returns
    -------
    dict
        ``chains``, ``residues``, ``skipped``, ``deviation`` (angstrom, root mean square over the residues of
        all chains), ``codes_used`` (share), ``entropy`` (bits a residue), ``seconds``.

    Raises
    ------
    ValueError
        If options are out of range, there is no chain, or too few residues for so many codes.
    """
    _check(config)
    begin, deviations = time.monotonic(), [0.0]
    with progress_bar() as progress:
        files = in_split(structure_files(Path(config.source)), config.split_table, config.split)
        paths = sorted(source.path for source in files)
        if not paths:
            of_split = f" of split={config.split} in {config.split_table}" if config.split_table else ""
            raise ValueError(f"no structure file{of_split} in {config.source}")
        found = list(structure_chains(progress.track(paths, description="reading"), 0.0, 2, float("inf")))
        chains = [each.backbone for each in found if not isinstance(each, Skipped)]
        if not chains:
            raise ValueError(f"no chain to fit to in {config.source}: {len(found)} files or chains skipped")
        task = progress.add_task("fitting", total=None)

        def report(number: int, num_rounds: int, deviation: float) -> None:
            deviations.append(deviation)
            progress.update(
                task, completed=number, total=num_rounds, description=f"fitting, {deviation:.3f} Å"
            )

        codebook = fit_codebook(chains, config.codebook_size, config.seed, report)
    write_codebook(Path(config.out), codebook)
    return _summarize(codebook, chains, len(found) - len(chains), deviations[-1], begin, config.out)


def _check(config: FitConfig) -> None:
    if not Path(config.source).exists():
        raise ValueError(f"source={config.source} does not exist; give a folder or file of structures")
    if not config.out.endswith(".safetensors"):
        raise ValueError(f"out={config.out} must end in .safetensors")
    if not Path(config.out).resolve().parent.is_dir():
        raise ValueError(f"out={config.out}: there is no such folder; make it first")
    if not 2 <= config.codebook_size <= 2**16:
        raise ValueError(f"codebook_size={config.codebook_size} must be 2 to 65,536")
    if config.split_table is not None and config.split not in SPLITS:
        raise ValueError(f"split={config.split} is none of {', '.join(SPLITS)}")


def _summarize(
    codebook: Codebook, chains: list[Backbone], num_skipped: int, deviation: float, begin: float, out: str
) -> dict[str, float]:
    used = codebook.counts > 0
    summary = {
        "chains": float(len(chains)),
        "residues": float(sum(map(len, chains))),
        "skipped": float(num_skipped),
        "deviation": deviation,
        "codes_used": float(used.mean()),
        "entropy": float(codebook.counts @ codebook.code_bits / codebook.counts.sum()),
        "seconds": time.monotonic() - begin,
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name in ("chains", "residues", "skipped"):
        table.add_row(name, f"{summary[name]:,.0f}")
    table.add_row("N, CA, C deviation, root mean square", f"{deviation:.3f} Å")
    table.add_row("codes used", f"{summary['codes_used']:.1%}")
    table.add_row("bits a residue, of indices", f"{codebook.num_bits:.2f}")
    table.add_row("bits a residue, under their frequencies", f"{summary['entropy']:.2f}")
    table.add_row("seconds", f"{summary['seconds']:,.0f}")
    console().print(table)
    print(f"codebook of {len(codebook)} codes: {out}")
    return summary
