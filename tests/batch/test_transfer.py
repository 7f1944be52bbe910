"""Two real processes that send batches to each other through gloo."""

import multiprocessing
import signal

import pytest

from tests.batch.ranks import run_case

TOGETHER = ["plain", "live_rows", "wrong_template", "interleaved"]


def run(folder, names):
    """Exit codes of both ranks."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=run_case, args=(rank, folder, names)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        process.kill()
    return [process.exitcode for process in processes]


def test_batches_travel_until_the_sender_dies(tmp_path):
    """Its death is an error for the receiver, not a hang."""
    assert run(tmp_path, [*TOGETHER, "dead_sender"]) == [-signal.SIGKILL, 0]
    assert all((tmp_path / f"{name}{rank}").exists() for name in TOGETHER for rank in (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no_batch", "silent_sender"])
def test_what_never_comes_is_an_error(tmp_path, name):
    assert run(tmp_path, [name])[1] == 0


@pytest.mark.slow
def test_a_dead_receiver_is_an_error_not_a_hang(tmp_path):
    assert run(tmp_path, ["dead_receiver"]) == [-signal.SIGKILL, 0]
