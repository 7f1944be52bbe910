"""A pool of processes for many small tasks."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config

Task = TypeVar("Task")
Result = TypeVar("Result")


class Workers:
    """Processes of one thread each, started when first needed.

    Parameters
    ----------
    count : int or None
        None takes every core; 1 works in this process.
    """

    def __init__(self, count: int | None) -> None:
        self.count = count or cpu_count()
        with parallel_config(backend="loky", inner_max_num_threads=1):
            self._pool = Parallel(n_jobs=self.count, return_as="generator", batch_size=1)

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Generator[Result, None, None]:
        """Results in the order of the tasks.

        They pile up where they are taken more slowly than they are made: ask for large ones in several calls.

        Raises
        ------
        ChildProcessError
            If a worker was killed.
        """
        try:
            yield from self._pool(delayed(function)(task) for task in tasks)
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a worker was killed, perhaps for want of memory; run the same command with fewer workers"
            ) from error
