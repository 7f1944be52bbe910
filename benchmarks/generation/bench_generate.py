"""Batches of peptides beside synth-pdb: ``python -m benchmarks.generation.bench_generate [peer=PYTHON]``.

``peer`` is the Python of an environment where synth-pdb is installed; without it only the straightforward
implementation in ``benchmarks.reference`` stands beside ours. One thread, CPU time, medians of rounds taken
in turns. In a round short calls follow one another for 20 ms, as they do where batches stream.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy starts its threads

import math  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterable, Iterator  # noqa: E402
from contextlib import closing, nullcontext  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NamedTuple  # noqa: E402

import numpy as np  # noqa: E402
from rich.box import SIMPLE  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.peer import Peer  # noqa: E402
from benchmarks.reference import peptide_walk  # noqa: E402
from benchmarks.timing import Row, Work, figure, medians  # noqa: E402
from foldpix.generation.generator import BatchedGenerator  # noqa: E402
from foldpix.generation.orientations import orientation_maps_6d  # noqa: E402
from foldpix.geometry import orientation_maps  # noqa: E402

DRIFT = 5.0
_BURST = 0.02  # seconds
#: How many times faster than the peer each should be.
WITH_DRIFT, WITHOUT_DRIFT, MAPS, ENSEMBLE = 25, 60, 10, 30


class Case(NamedTuple):
    """A line: a call of ours, the same into arrays that are there, the reference's, a copy of the output."""

    what: str
    num: int
    length: int
    drift: float
    ours: Work
    reused: Work | None
    reference: Work
    copy: Work
    call: str  # of the peer
    target: float = math.nan

    @property
    def size(self) -> str:
        return f"{self.num} x L {self.length}"


class Times(NamedTuple):
    """CPU times of a case in milliseconds, NaN where there is none."""

    ours: float
    reused: float
    reference: float
    copy: float
    peer: float


def cases(
    num: int = 1000, lengths: Iterable[int] = (50, 128), num_maps: int = 100, ensemble_length: int = 64
) -> Iterator[Case]:
    """All lines; 6D maps at the longest of the lengths."""
    lengths = tuple(lengths)
    for drift, target in ((DRIFT, WITH_DRIFT), (0.0, WITHOUT_DRIFT)):
        yield from (_generate(num, length, drift, target) for length in lengths)
    yield from (_given_torsions(num, length) for length in lengths)
    yield from _maps(num_maps, max(lengths))
    yield _ensemble(num_maps, ensemble_length)


def _generate(num: int, length: int, drift: float, target: float) -> Case:
    generator = BatchedGenerator("A" * length, n_batch=num)
    out = generator.generate_batch(seed=1, drift=drift).coords
    return Case(
        f"generate, drift {drift:g}",
        num,
        length,
        drift,
        lambda: generator.generate_batch(seed=1, drift=drift),
        lambda: generator.generate_batch(seed=1, drift=drift, out=out),
        lambda: peptide_walk.build(peptide_walk.draw_torsions(num, length, drift, 1)),
        partial(np.copyto, out, out.copy()),
        "generate_batch",
        target,
    )


def _given_torsions(num: int, length: int) -> Case:
    """All members differ, and nothing is drawn: the walk alone. Beside it the peer's without drift."""
    generator = BatchedGenerator("A" * length, n_batch=num)
    torsions = peptide_walk.draw_torsions(num, length, DRIFT, 1)
    out = generator.generate_batch(conformation=torsions).coords
    return Case(
        "generate, torsions given",
        num,
        length,
        0.0,
        lambda: generator.generate_batch(conformation=torsions),
        lambda: generator.generate_batch(conformation=torsions, out=out),
        lambda: peptide_walk.build(torsions),
        partial(np.copyto, out, out.copy()),
        "generate_batch",
    )


def _maps(num: int, length: int) -> Iterator[Case]:
    batch = BatchedGenerator("A" * length, n_batch=num).generate_batch(seed=1, drift=DRIFT)
    atoms = batch.by_residue()[0]
    n, ca, cb = (atoms[:, :, atom] for atom in (0, 1, 4))
    points = [each.astype(np.float64) for each in (n, ca, cb)]
    out = batch.get_6d_orientations()
    whole = np.stack(list(out.values()))
    first = Case(
        "6D maps",
        num,
        length,
        DRIFT,
        batch.get_6d_orientations,
        lambda: orientation_maps_6d(n, ca, cb, out=out),
        lambda: peptide_walk.orientations(*points),
        partial(np.copyto, whole, whole.copy()),
        "get_6d_orientations",
        MAPS,
    )
    yield first
    backbone = np.ascontiguousarray(atoms[:, :, :3])
    single = lambda: [orientation_maps(member) for member in backbone]  # noqa: E731
    yield first._replace(what="6D, orientation_maps", ours=single, reused=None, target=math.nan)


def _ensemble(num: int, length: int) -> Case:
    batch = BatchedGenerator("A" * length, n_batch=num).generate_batch(seed=1, drift=DRIFT)
    coords = batch.coords.astype(np.float64)
    return Case(
        "ensemble",
        num,
        length,
        DRIFT,
        batch.analyze_ensemble,
        None,
        lambda: peptide_walk.medoid(coords),
        partial(np.copyto, coords, coords.copy()),
        "analyze_ensemble",
        ENSEMBLE,
    )


def bench(source: Path | None = None, **sizes) -> Iterator[Row]:
    """All lines without the peer, for the table of all benchmarks."""
    del source  # of structure files, which are not needed
    for case in cases(**sizes):
        works = (case.ours, case.reference, case.copy)
        ours, reference, copy = medians(*(partial(burst_ms, work) for work in works))
        yield Row(case.what, case.size, ours, reference, "residue by residue", copy, "copy of the result")


def times(case: Case, peer: Peer | None) -> Times:
    """Medians, in turns."""
    nothing = lambda: math.nan  # noqa: E731
    works = (case.ours, case.reused, case.reference, case.copy)
    measures = [partial(burst_ms, work) if work else nothing for work in works]
    of_peer = partial(peer.cpu_ms, case.call, case.num, case.length, case.drift) if peer else nothing
    return Times(*medians(*measures, of_peer))


def burst_ms(work: Work) -> float:
    """CPU time of a call in milliseconds, the mean of as many as fit into a burst."""
    num, start = 0, time.process_time()
    while num == 0 or time.process_time() - start < _BURST:
        work()
        num += 1
    return 1e3 * (time.process_time() - start) / num


def main(arguments: list[str]) -> None:
    """Measure all and print the table."""
    from benchmarks.run import WIDTH, versions  # it imports this module

    options = dict(argument.partition("=")[::2] for argument in arguments)
    if options.keys() - {"peer"}:
        raise ValueError(f"no option {', '.join(sorted(options.keys() - {'peer'}))}; there is peer")
    console = Console(width=max(Console().width, WIDTH))
    console.print(versions())
    with closing(synth_pdb(options["peer"])) if "peer" in options else nullcontext() as peer:
        rows = [(case, times(case, peer)) for case in cases()]
        beside = f" beside synth-pdb {peer.version}" if peer else ""
    console.print(table(rows, beside))


def synth_pdb(python: str) -> Peer:
    """The peer of this Python; ``ValueError`` where it is not installed."""
    return Peer(python, Path(__file__).with_name("peer.py"), "synth-pdb")


def table(rows: Iterable[tuple[Case, Times]], beside: str) -> Table:
    """Ratios are times of others to ours; the share is that of a copy's speed, into the same array again."""
    result = Table(title=f"CPU time in ms, medians{beside}", box=SIMPLE)
    for name in ("what", "size"):
        result.add_column(name)
    for name in ("ours", "out=", "peer", "ratio", "target", "reference", "ratio", "copy", "share"):
        result.add_column(name, justify="right")
    for case, ms in rows:
        fastest = ms.ours if math.isnan(ms.reused) else ms.reused
        figures = (
            *(ms.ours, ms.reused, ms.peer, ms.peer / ms.ours, case.target),
            *(ms.reference, ms.reference / ms.ours, ms.copy),
        )
        result.add_row(case.what, case.size, *map(figure, figures), f"{ms.copy / fastest:.0%}")
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
