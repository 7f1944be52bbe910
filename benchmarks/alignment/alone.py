"""Volume overlays in a process of its own, so that its cores and its memory are known.

The argument is JSON: ``source``, ``num`` pairs, ``devices``, each of which gets a core. A line of JSON
comes back.
"""

import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

_ROUNDS = 5


def measure(**what: Any) -> dict[str, float]:
    """``seconds`` by the clock, the best of some calls after the first, and ``peak_mb`` of memory."""
    flags = f"--xla_force_host_platform_device_count={what['devices']}"
    command = [sys.executable, "-m", "benchmarks.alignment.alone", json.dumps(what)]
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def second_core() -> float:
    """How much more matrix products two threads do in a time than one: what the machine gives at best."""
    matrix = np.random.default_rng(0).normal(size=(384, 384)).astype(np.float32)

    def products(_: int) -> None:
        for _ in range(200):
            matrix @ matrix

    def seconds(num: int) -> float:
        with ThreadPoolExecutor(num) as pool:
            return min(_seconds(lambda: list(pool.map(products, range(num)))) for _ in range(_ROUNDS))

    return 2.0 * seconds(1) / seconds(2)


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure in this process."""
    what = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: what["devices"]])
    from benchmarks.alignment.inputs import read_molecules, read_pairs, volumes
    from foldpix.alignment import Volume, align

    source = Path(what["source"])
    clouds = volumes(read_molecules(source), read_pairs(source, what["num"]))
    align(*clouds, Volume())
    seconds = min(_seconds(lambda: align(*clouds, Volume())) for _ in range(what["rounds"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
