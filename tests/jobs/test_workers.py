import os
from contextlib import closing

import pytest

from foldpix.jobs.workers import Workers


def test_results_come_in_the_order_of_the_tasks():
    for count in (1, 2):
        workers = Workers(count)
        assert list(workers.map(str, range(20))) == [str(number) for number in range(20)]
        assert list(workers.map(abs, [-1])) == [1]


def test_a_killed_worker_is_told_in_one_line():
    with (
        closing(Workers(2).map(os._exit, [1, 1])) as results,
        pytest.raises(ChildProcessError, match=r"a worker was killed, .* fewer workers$"),
    ):
        list(results)
