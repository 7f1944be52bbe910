"""How exactly pictures of real chains come back: ``python -m benchmarks.image.decode_accuracy source=DIR``.

Options, each ``name=value``:

source   folder of structure files; without it 64 chains are made up
limit    take only so many files, evenly spread
noise    standard deviations in grey levels, besides none: 1,2,4,8,16
per_bin  chains of each length bin (1-64, 65-128, ... residues) in the comparison of solvers under noise: 4
out      folder for trials.csv, a row for every chain, noise and solver: runs/bench_decode
"""

import csv
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.image.decode_tables import all_tables
from benchmarks.image.decode_trials import SOLVERS, Skipped, Task, Trial, run
from foldpix.dataset.sources import structure_files
from foldpix.generation import sample_backbones
from foldpix.jobs.terminal import console, progress_bar
from foldpix.jobs.workers import Workers
from foldpix.structure import write_structure

NUM_MADE_UP = 64
Item = TypeVar("Item")
ARRAYS = ("error", "true_error", "drawn_error")


@dataclass(frozen=True)
class Options:
    """See the module."""

    source: str = ""
    limit: int = 0
    noise: str = "1,2,4,8,16"
    per_bin: int = 4
    out: str = "runs/bench_decode"

    @property
    def noises(self) -> tuple[float, ...]:
        """All levels, none among them, ascending."""
        return tuple(sorted({0.0, *(float(level) for level in self.noise.split(",") if level)}))


def main(arguments: list[str]) -> None:
    """Measure, print the tables, write the trials."""
    options = parse(arguments)
    with tempfile.TemporaryDirectory() as made_up:
        files = chosen_files(options, Path(made_up))
        exact, skipped = measured([Task(file) for file in files], "exact pictures")
        if not exact:
            raise ValueError(f"no chain to measure on; the first reason: {skipped[0].reason}")
        subset = evenly_by_length(exact, options.per_bin)
        tasks = [Task(trial.path, tuple(SOLVERS), options.noises, trial.id) for trial in subset]
        noisy, _ = measured(tasks, "noisy pictures")
    for each in skipped:
        print(f"skipped {each.id}: {each.reason}")
    for table in all_tables(exact, noisy):
        console().print(table)
    print(f"{len(files)} files, {len(skipped)} skipped; {write_trials(Path(options.out), exact, noisy)}")


def parse(arguments: Iterable[str]) -> Options:
    """Options from ``name=value``.

    Raises
    ------
    ValueError
        If there is no such option.
    """
    given = dict(argument.partition("=")[::2] for argument in arguments)
    unknown = given.keys() - asdict(Options()).keys()
    if unknown:
        raise ValueError(f"no option {', '.join(sorted(unknown))}; there are {', '.join(asdict(Options()))}")
    return Options(**{name: type(getattr(Options, name))(value) for name, value in given.items()})


def chosen_files(options: Options, made_up: Path) -> list[str]:
    """The structure files, sorted; of ``limit`` ones the middles of as many equal parts.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not options.source:
        for backbone in sample_backbones(NUM_MADE_UP, 40, 512):
            write_structure(made_up / f"{backbone.name}.pdb", backbone)
    sources = sorted(structure_files(Path(options.source or made_up)))
    refused = [f"{source.path}: {source.refusal}" for source in sources if source.refusal]
    if refused or not sources:
        raise ValueError(refused[0] if refused else f"no structure files in {options.source}")
    return evenly([source.path for source in sources], options.limit or len(sources))


def evenly(items: Sequence[Item], num: int) -> list[Item]:
    """The middles of ``num`` equal parts; all items where there are no more."""
    num = min(num, len(items))
    return [items[(2 * k + 1) * len(items) // (2 * num)] for k in range(num)]


def evenly_by_length(trials: Iterable[Trial], per_bin: int) -> list[Trial]:
    """A trial of ``per_bin`` chains, evenly spread over those of each length bin."""
    bins: dict[int, dict[str, Trial]] = {}
    for trial in trials:
        bins.setdefault((trial.length - 1) // 64, {}).setdefault(trial.id, trial)
    return [trial for number in sorted(bins) for trial in evenly(list(bins[number].values()), per_bin)]


def measured(tasks: Sequence[Task], what: str) -> tuple[list[Trial], list[Skipped]]:
    """The trials of all tasks, over all cores."""
    results: list[Trial | Skipped] = []
    with progress_bar() as bar:
        for of_file in bar.track(Workers(None).map(run, tasks), len(tasks), description=what):
            results += of_file
    trials = [result for result in results if isinstance(result, Trial)]
    return trials, [result for result in results if isinstance(result, Skipped)]


def write_trials(out: Path, exact: Sequence[Trial], noisy: Sequence[Trial]) -> Path:
    """Rows of all but the arrays; ``set`` tells the comparison of solvers from the rest."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "trials.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [name for name in asdict(exact[0]) if name not in ARRAYS]
        writer.writerow(["set", *names])
        for label, trials in (("all", exact), ("subset", noisy)):
            writer.writerows([label, *(_cell(getattr(trial, name)) for name in names)] for trial in trials)
    return path


def _cell(value: object) -> object:
    if isinstance(value, frozenset):
        return " ".join(str(number) for number in sorted(value))
    return f"{value:.6g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1:])
