"""Another program in an environment of its own: calls go there and CPU times come back as lines of JSON.

Its Python runs this file as a script with the path of another one, which has ``version()`` and
``prepared(...)``: what to call, or a pair of what to do before and what to call.
"""

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO


class Peer:
    """A running process of the peer's Python; close it after use.

    Parameters
    ----------
    python : str
    script : Path
        What to run there.
    wanted : str
        What must be installed there.

    Raises
    ------
    ValueError
        If it is not.
    """

    def __init__(self, python: str, script: Path, wanted: str) -> None:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(
            [python, __file__, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | threads,
        )
        self.version = self._process.stdout.readline().strip()
        if not self.version:
            self.close()
            raise ValueError(f"{wanted} does not start in {python}; install it there: pip install {wanted}")

    def cpu_ms(self, *call: Any) -> float:
        """CPU time of one call of what ``prepared(*call)`` gives, NaN where it gives None."""
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve(script: str) -> None:
    """Answer each line of input."""
    answers = _own_output()
    sys.path.append(str(Path(__file__).parents[1]))
    names = runpy.run_path(script)
    print(names["version"](), file=answers, flush=True)
    for line in sys.stdin:
        work = names["prepared"](*json.loads(line))
        print(_cpu_ms(work), file=answers, flush=True)


def _own_output() -> TextIO:
    """The standard output, which from now on nobody else writes to: libraries greet there."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _cpu_ms(work: Callable[[], object] | tuple[Callable[[], object], Callable[[], object]] | None) -> float:
    if work is None:
        return float("nan")
    if isinstance(work, tuple):
        before, work = work
        before()
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


if __name__ == "__main__":
    serve(sys.argv[1])
