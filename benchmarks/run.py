"""Every benchmark on one thread, as one table: ``python -m benchmarks.run [source=DIR] [only=decode]``.

``source`` is a folder of structure files; without it the chains are made up. ``only`` names one benchmark.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy and PyTorch start their threads

import platform  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from types import ModuleType  # noqa: E402

import numpy as np  # noqa: E402
import PIL  # noqa: E402
import torch  # noqa: E402
from rich.box import SIMPLE  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.batch import bench_batch, bench_ring  # noqa: E402
from benchmarks.chain_code import bench_chain_code  # noqa: E402
from benchmarks.dataset import bench_convert, bench_reader  # noqa: E402
from benchmarks.generation import bench_generate  # noqa: E402
from benchmarks.image import bench_decode, bench_encode  # noqa: E402
from benchmarks.model import bench_model  # noqa: E402
from benchmarks.timing import Row, figure  # noqa: E402

MODULES = (
    bench_encode,
    bench_decode,
    bench_convert,
    bench_reader,
    bench_generate,
    bench_model,
    bench_chain_code,
    bench_batch,
    bench_ring,
)
WIDTH = 120


def main(arguments: list[str]) -> None:
    """Run all and print the table."""
    options = dict(argument.split("=", 1) for argument in arguments)
    source = Path(options["source"]) if "source" in options else None
    torch.set_num_threads(1)
    console = Console(width=max(Console().width, WIDTH))
    console.print(versions())
    rows = []
    for module in chosen(options.get("only", "")):
        for row in module.bench(source=source):
            rows.append(row)
            console.print(f"{row.what}, {row.size}", style="dim", end="\r" if console.is_terminal else "\n")
    console.print(table(rows))


def chosen(only: str) -> list[ModuleType]:
    """The benchmark of this name, all without a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    names = {module.__name__.rpartition("bench_")[2]: module for module in MODULES}
    if only and only not in names:
        raise ValueError(f"no benchmark {only}; there are {', '.join(names)}")
    return [names[only]] if only else list(MODULES)


def versions() -> str:
    """Processor and libraries."""
    return (
        f"{processor()}, one thread; Python {platform.python_version()}, NumPy {np.__version__}, "
        f"PyTorch {torch.__version__}, Pillow {PIL.__version__}"
    )


def processor() -> str:
    """The processor's name, as well as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(rows: Iterable[Row]) -> Table:
    """The figures. Ratios: the reference's time to ours, ours to the limit's."""
    result = Table(title="CPU time in ms, medians", box=SIMPLE)
    for name in ("what", "size"):
        result.add_column(name)
    for name in ("ours", "reference", "ratio", "limit", "ratio"):
        result.add_column(name, justify="right")
    result.add_column("reference / limit")
    for row in rows:
        result.add_row(
            row.what,
            row.size,
            figure(row.ours),
            figure(row.reference),
            figure(row.reference / row.ours),
            figure(row.limit),
            figure(row.ours / row.limit),
            " / ".join(filter(None, (row.reference_name, row.limit_name))),
        )
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
