"""synth-pdb in an environment of its own: calls go there and CPU times come back as lines of JSON.

Its Python runs this file as a script, so nothing of ours is imported here.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version


class Peer:
    """A running process of the peer's Python; close it after use."""

    def __init__(self, python: str) -> None:
        """Start it.

        Raises
        ------
        ValueError
            If synth-pdb is not installed there.
        """
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | threads,
        )
        self.version = self._process.stdout.readline().strip()
        if not self.version:
            self.close()
            raise ValueError(f"synth-pdb does not start in {python}; install it there: pip install synth-pdb")

    def cpu_ms(self, call: str, num: int, length: int, drift: float) -> float:
        """CPU time of one call, see `prepared`."""
        self._process.stdin.write(json.dumps([call, num, length, drift]) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@cache
def prepared(call: str, num: int, length: int, drift: float) -> Callable[[], object]:
    """``generate_batch`` for polyalanine, or a method of the batch that it makes."""
    from synth_pdb.batch_generator import BatchedGenerator

    generator = BatchedGenerator("A" * length, n_batch=num)
    if call == "generate_batch":
        return lambda: generator.generate_batch(seed=1, drift=drift)
    return getattr(generator.generate_batch(seed=1, drift=drift), call)


def serve() -> None:
    """Answer each line of input."""
    print(version("synth-pdb"), flush=True)
    for line in sys.stdin:
        work = prepared(*json.loads(line))
        start = time.process_time()
        work()
        print(1e3 * (time.process_time() - start), flush=True)


if __name__ == "__main__":
    serve()
