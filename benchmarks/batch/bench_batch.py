"""Ragged batches beside plain PyTorch and others: ``python -m benchmarks.batch.bench_batch [peer=PYTHON]``.

``peer`` is the Python of an environment where nvalchemi, PyG or both are installed. 256 graphs, the steps of
a pipeline; one thread, CPU time, medians of rounds taken in turns.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before PyTorch starts its threads

import math  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterable, Iterator  # noqa: E402
from contextlib import closing, nullcontext  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NamedTuple  # noqa: E402

import torch  # noqa: E402
from rich.box import SIMPLE  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.batch.peer import PACKAGES  # noqa: E402
from benchmarks.peer import Peer  # noqa: E402
from benchmarks.reference import ragged_batch as plain  # noqa: E402
from benchmarks.timing import Row, Work, cpu_ms, figure, median_ms, medians  # noqa: E402
from foldpix.batch import AtomicData, Batch, LevelSchema  # noqa: E402

SCHEMA = (
    LevelSchema()
    .with_field("masses", "node", torch.float32)
    .with_field("categories", "node", torch.int64)
    .with_field("velocities", "node", torch.float32)
)

Sizes = tuple[int, int, float]


class Case(NamedTuple):
    """A line of the table."""

    what: str
    ours: Work
    reference: Work
    reference_name: str
    target: float = math.nan  # most times the reference that ours may take
    num: int = 1  # calls in a work
    call: str = ""  # of the peers, that of another line by default


def cases(num_graphs: int = 256, mean_nodes: int = 150, neighbours: float = 13.23) -> Iterator[Case]:
    """Each operation on one batch of made-up graphs."""
    items = plain.graphs(num_graphs, mean_nodes, neighbours)
    data = [AtomicData(schema=SCHEMA, **item) for item in items]
    batch, lengths = Batch.from_data_list(data), plain.lengths_of(items)
    fields, half = dict(iter(batch)), plain.half_of(num_graphs)
    yield Case(
        "from_data_list",
        lambda: Batch.from_data_list(data),
        lambda: plain.cat(items),
        "torch.cat alone",
        2.2,
    )
    yield Case(
        "from_data_list, indices",
        lambda: Batch.from_data_list(data),
        lambda: plain.collate(items, lengths),
        "plain collate",
        call="from_data_list",
    )
    yield Case(
        "index_select half",
        lambda: batch.index_select(half),
        lambda: plain.select(fields, lengths, half),
        "narrow + cat",
        1.5,
    )
    yield from _get_data(batch, fields, lengths)
    yield _put_defrag(batch, lengths)
    yield _append(batch)
    yield Case("clone", batch.clone, lambda: plain.clone(fields), "plain clone", 1.2)


def _get_data(batch: Batch, fields: plain.Fields, lengths: plain.Lengths) -> Iterator[Case]:
    offsets, num = {level: plain.ptr(rows) for level, rows in lengths.items()}, batch.num_graphs
    reference = lambda: [plain.get(fields, offsets, graph) for graph in range(num)]  # noqa: E731
    what = "get_data, one graph"
    yield Case(
        what, lambda: [batch.get_data(graph) for graph in range(num)], reference, "plain slices", num=num
    )
    yield Case(
        f"{what}, all read",
        lambda: [dict(batch.get_data(graph)) for graph in range(num)],
        reference,
        "plain slices",
        num=num,
        call=what,
    )


def _put_defrag(batch: Batch, lengths: plain.Lengths) -> Case:
    """A quarter of the graphs into a buffer, and out of the batch; both sides copy the batch first."""
    num_graphs = batch.num_graphs
    graphs = plain.quarter_of(num_graphs)
    kept = sorted(set(range(num_graphs)) - set(graphs))
    taken = torch.zeros(num_graphs, dtype=torch.bool)
    taken[graphs] = True
    ours_into = Batch.empty(
        num_systems=num_graphs, num_nodes=batch.num_nodes, num_edges=batch.num_edges, template=batch
    )
    plain_into = {key: torch.zeros_like(rows) for key, rows in batch}

    def ours() -> None:
        source = batch.clone()
        ours_into.put(source, taken)
        source.defrag()
        ours_into._replace(ours_into._storage.without_graphs())

    def reference() -> None:
        source = plain.clone(dict(iter(batch)))
        plain.put(plain_into, source, lengths, graphs)
        plain.defrag(source, lengths, kept)

    return Case("put + defrag a quarter", ours, reference, "plain cycle", 1.3)


def _append(batch: Batch) -> Case:
    half = batch.num_graphs // 2
    first, second = batch.index_select(slice(half)), batch.index_select(slice(half, None))
    mine, theirs, num_nodes = dict(iter(first)), dict(iter(second)), first.num_nodes
    storage = first._storage

    def ours() -> None:
        first.append(second)
        first._replace(storage)

    reference = lambda: plain.append(mine, theirs, num_nodes)  # noqa: E731
    return Case("append half to half", ours, reference, "plain append", 1.2)


def bench(source: Path | None = None, **sizes) -> Iterator[Row]:
    """All lines without the peers, for the table of all benchmarks."""
    del source  # of structure files, which are not needed
    for case in cases(**sizes):
        ours, reference = (ms / case.num for ms in median_ms(case.ours, case.reference))
        yield Row(case.what, "", ours, reference, case.reference_name, reference, case.reference_name)


def times(case: Case, peer: Peer | None, sizes: Sizes) -> list[float]:
    """Medians in milliseconds a call, in turns: ours, the reference, each peer; NaN where there is none."""
    nothing = lambda: math.nan  # noqa: E731
    call = case.call or case.what
    of_peers = [partial(peer.cpu_ms, name, call, *sizes) if peer else nothing for name in PACKAGES]
    all_ms = medians(partial(cpu_ms, case.ours), partial(cpu_ms, case.reference), *of_peers)
    return [ms / case.num for ms in all_ms]


def main(arguments: list[str]) -> None:
    """Measure all and print the table."""
    from benchmarks.run import WIDTH, versions  # it imports this module

    options = dict(argument.partition("=")[::2] for argument in arguments)
    if options.keys() - {"peer"}:
        raise ValueError(f"no option {', '.join(sorted(options.keys() - {'peer'}))}; there is peer")
    torch.set_num_threads(1)
    console, sizes = Console(width=max(Console().width, WIDTH)), (256, 150, 13.23)
    console.print(versions())
    with closing(peers(options["peer"])) if "peer" in options else nullcontext() as peer:
        rows = [(case, times(case, peer, sizes)) for case in cases(*sizes)]
        console.print(table(rows, f" beside {peer.version}" if peer else ""))


def peers(python: str) -> Peer:
    """Those of this Python; ``ValueError`` where none is installed."""
    return Peer(python, Path(__file__).with_name("peer.py"), " ".join(PACKAGES.values()))


def table(rows: Iterable[tuple[Case, list[float]]], beside: str) -> Table:
    """Ratios are our time to the reference's, and times of peers to ours."""
    result = Table(title=f"CPU time in µs, medians{beside}", box=SIMPLE)
    result.add_column("what")
    headings = (
        "ours",
        "plain",
        "ratio",
        "target",
        *(column for name in PACKAGES for column in (name, "ratio")),
    )
    for name in headings:
        result.add_column(name, justify="right")
    result.add_column("plain is")
    for case, (ours, reference, *others) in rows:
        beside_ours = [cell for ms in others for cell in (figure(1e3 * ms), figure(ms / ours))]
        figures = (1e3 * ours, 1e3 * reference, ours / reference, case.target)
        result.add_row(case.what, *map(figure, figures), *beside_ours, case.reference_name)
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
