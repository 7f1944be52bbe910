"""How data workers start."""

import multiprocessing
import sys


def fork_workers() -> None:
    """Let data workers fork, Linux's default before Python 3.14.

    A spawned rank hands ``spawn`` on to its workers: each would import everything anew, at every validation.
    """
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
