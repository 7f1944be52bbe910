"""What the trials say, as tables that can be pasted into the documentation."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from rich.box import MARKDOWN
from rich.table import Table

from benchmarks.image.decode_trials import D_MAX, OURS, REFERENCES, SOLVERS, Trial

Choice = Callable[[Trial], bool]


def all_tables(exact: Sequence[Trial], noisy: Sequence[Trial]) -> Iterator[Table]:
    """Exact pictures of all chains first, then the comparison of solvers under noise."""
    yield accuracy(exact)
    yield by_length(exact)
    yield breaks(exact)
    yield accuracy(noisy)
    yield solvers(noisy)
    yield solvers_by_length(noisy)
    yield breaks(noisy)
    yield confidence(noisy)


def accuracy(trials: Sequence[Trial]) -> Table:
    """RMSD and handedness by noise and solver; chains inside and beyond d_max apart where both are many."""
    table = _table(
        f"N, CA, C RMSD in angstrom, {_num_chains(trials)} chains",
        "noise", "solver", "chains", "number", "mean", "median", "worst", "which", "right hand",
    )  # fmt: skip
    groups: tuple[tuple[str, Choice], ...] = (
        ("all", lambda _: True),
        (f"inside {D_MAX:g} A", lambda trial: not trial.far),
        (f"beyond {D_MAX:g} A", lambda trial: trial.far),
    )
    for noise, solver, of_solver in _by_noise_and_solver(trials):
        for label, choice in groups:
            chosen = [trial for trial in of_solver if choice(trial)]
            if chosen:
                table.add_row(f"{noise:g}", solver, label, *_accuracy_cells(chosen))
    return table


def _accuracy_cells(trials: Sequence[Trial]) -> list[str]:
    rmsd = [trial.rmsd for trial in trials]
    worst = max(trials, key=lambda trial: trial.rmsd)
    right = sum(trial.right_handed for trial in trials)
    figures = (float(np.mean(rmsd)), float(np.median(rmsd)), worst.rmsd)
    return [str(len(trials)), *map(_figure, figures), worst.id, str(right)]


def by_length(trials: Sequence[Trial]) -> Table:
    """RMSD and CPU time by length."""
    names = [f"{solver} {what}" for solver in OURS for what in ("mean, A", "median s", "worst s")]
    table = _table("RMSD and CPU seconds a chain on one thread", "residues", "chains", *names)
    for label, of_length in _by_length(trials, 64):
        cells = []
        for solver in OURS:
            chosen = [trial for trial in of_length if trial.solver == solver]
            seconds = [trial.cpu_s for trial in chosen]
            figures = (np.mean([t.rmsd for t in chosen]), np.median(seconds), np.max(seconds))
            cells += [_figure(float(value)) for value in figures]
        table.add_row(label, str(_num_chains(of_length)), *cells)
    return table


def breaks(trials: Sequence[Trial]) -> Table:
    """Chain breaks: pairs of neighbours without a peptide bond."""
    table = _table("Chain breaks", "noise", "solver", "true", "found", "missed", "false", "of neighbours")
    for noise, solver, of_solver in _by_noise_and_solver(trials):
        if solver in OURS:
            found = sum(len(trial.breaks & trial.reported_breaks) for trial in of_solver)
            missed = sum(len(trial.breaks - trial.reported_breaks) for trial in of_solver)
            false = sum(len(trial.reported_breaks - trial.breaks) for trial in of_solver)
            pairs = sum(trial.length - 1 for trial in of_solver)
            table.add_row(f"{noise:g}", solver, *map(str, (found + missed, found, missed, false, pairs)))
    return table


def solvers(trials: Sequence[Trial]) -> Table:
    """Mean and median RMSD by noise, and how many chains ours bring back worse than the best reference."""
    losses = [f"{solver} worse than the best of {len(REFERENCES)}" for solver in OURS]
    table = _table(
        f"RMSD by solver in angstrom, mean / median of {_num_chains(trials)} chains",
        "noise", *SOLVERS, *losses,
    )  # fmt: skip
    for noise in _noises(trials):
        here = [trial for trial in trials if trial.noise == noise]
        table.add_row(f"{noise:g}", *_solver_cells(here), *(str(_num_worse(here, solver)) for solver in OURS))
    return table


def solvers_by_length(trials: Sequence[Trial]) -> Table:
    """The same by length."""
    table = _table(
        "RMSD by solver and length in angstrom, mean / median", "noise", "residues", "chains", *SOLVERS
    )
    for noise in _noises(trials):
        for label, chosen in _by_length([trial for trial in trials if trial.noise == noise], 128):
            table.add_row(f"{noise:g}", label, str(_num_chains(chosen)), *_solver_cells(chosen))
    return table


def _solver_cells(trials: Sequence[Trial]) -> list[str]:
    rmsd = ([trial.rmsd for trial in trials if trial.solver == solver] for solver in SOLVERS)
    return [f"{_figure(float(np.mean(v)))} / {_figure(float(np.median(v)))}" for v in rmsd]


def _num_worse(trials: Iterable[Trial], solver: str) -> int:
    """Chains that ``solver`` brings back less exactly than the best of the references does."""
    best: dict[str, float] = {}
    ours: dict[str, float] = {}
    for trial in trials:
        if trial.solver in REFERENCES:
            best[trial.id] = min(trial.rmsd, best.get(trial.id, np.inf))
        elif trial.solver == solver:
            ours[trial.id] = trial.rmsd
    return sum(rmsd > best[name] for name, rmsd in ours.items())


def confidence(trials: Sequence[Trial]) -> Table:
    """Expected beside true errors of residues; "perfect" ranks errors drawn from what was predicted."""
    table = _table(
        "Expected and true error of residues",
        "noise", "solver", "mean expected, A", "mean true, A", "Spearman, all residues",
        "median of chains", "perfect, all residues", "perfect, median of chains",
    )  # fmt: skip
    for noise, solver, of_solver in _by_noise_and_solver(trials):
        if solver in OURS:
            table.add_row(f"{noise:g}", solver, *_confidence_cells(of_solver))
    return table


def _confidence_cells(trials: Sequence[Trial]) -> list[str]:
    expected, true = (np.concatenate([getattr(t, name) for t in trials]) for name in ("error", "true_error"))
    drawn = np.concatenate([trial.drawn_error for trial in trials])
    cells = [_figure(np.mean(expected)), _figure(np.mean(true))]
    cells += [f"{spearman(expected, true):.2f}"]
    cells += [f"{np.median([spearman(t.error, t.true_error) for t in trials]):.2f}"]
    if not len(drawn):
        return [*cells, "-", "-"]
    cells += [f"{spearman(expected, drawn):.2f}"]
    return [*cells, f"{np.median([spearman(t.error, t.drawn_error) for t in trials]):.2f}"]


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays without ties."""
    ranks = np.argsort(np.argsort([first, second], axis=-1), axis=-1)
    num, difference = len(first), ranks[0] - ranks[1]
    return 1 - 6 * float(np.sum(difference**2)) / (num * (num**2 - 1))


def _by_noise_and_solver(trials: Sequence[Trial]) -> Iterator[tuple[float, str, list[Trial]]]:
    for noise in _noises(trials):
        for solver in SOLVERS:
            chosen = [trial for trial in trials if (trial.noise, trial.solver) == (noise, solver)]
            if chosen:
                yield noise, solver, chosen


def _by_length(trials: Sequence[Trial], width: int) -> Iterator[tuple[str, list[Trial]]]:
    for number in sorted({(trial.length - 1) // width for trial in trials}):
        chosen = [trial for trial in trials if (trial.length - 1) // width == number]
        yield f"{number * width + 1}-{(number + 1) * width}", chosen


def _noises(trials: Iterable[Trial]) -> list[float]:
    return sorted({trial.noise for trial in trials})


def _num_chains(trials: Iterable[Trial]) -> int:
    return len({trial.id for trial in trials})


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=MARKDOWN, title_justify="left")
    for name in columns:
        table.add_column(
            name, justify="left" if name in ("solver", "chains", "which", "residues") else "right"
        )
    return table


def _figure(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
