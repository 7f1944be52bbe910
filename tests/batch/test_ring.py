"""Batches from a process of their own."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from foldpix.batch.ring import Ring
from tests.batch.feeding import ROOM, chain, failing, many_chains, stuck, too_large

REPO = Path(__file__).parents[2]


def mapped() -> list[str]:
    """Shared memory that this process maps: lines of the system's list, which marks what has no name."""
    maps = Path("/proc/self/maps")
    return [line for line in maps.read_text().splitlines() if "/dev/shm" in line] if maps.exists() else []


def held() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_chain_arrives_in_order_until_the_generator_is_killed():
    """Batches of 100 do not fit into slots of 64; they come in parts."""
    seen = []
    with Ring(partial(stuck, 30, 100), chain(0), num_slots=3, **ROOM) as ring:
        batches = iter(ring)
        while len(seen) < 3000:
            batch = next(batches)
            assert batch.system_capacity == 64
            assert all(line.endswith("(deleted)") for line in mapped())
            seen += batch.energies[:, 0].tolist()
            first, many = batch[-1].positions[0, 0].item(), 1 + int(seen[-1]) % 7
            assert (first, batch[-1].num_nodes) == (seen[-1], many)
            assert batch[-1].edge_index.tolist() == [[0, many - 1]]
        kept = batch.clone()
        os.kill(ring._process.pid, signal.SIGKILL)
        start = time.monotonic()
        with pytest.raises(RuntimeError, match="has gone: it was killed by SIGKILL"):
            next(batches)
        assert time.monotonic() - start < 5
    assert seen == list(range(3000))
    del batch, batches
    assert mapped() == []
    assert kept[-1].energies.item() == 2999


@pytest.mark.parametrize(
    ("make", "complaint"),
    [(failing, "ArithmeticError: out of chains"), (too_large, "does not fit into a slot")],
)
@pytest.mark.slow
def test_a_generator_that_fails(make, complaint):
    with Ring(make, chain(0), **ROOM) as ring, pytest.raises(RuntimeError, match=complaint):
        for _ in ring:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["endless", "stuck"])
def test_a_killed_loop_ends_the_generator(generator):
    """Whether it waits for a slot or is busy with itself."""
    command = [sys.executable, "-m", "tests.batch.feeding", generator]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPO, **pipes) as loop:
        child = int(loop.stdout.readline())
        assert running(child)
        loop.kill()
        end = time.monotonic() + 5
        while running(child) and time.monotonic() < end:
            time.sleep(0.05)
        assert not running(child)
        assert "the loop that uses the batches has gone" in loop.stderr.read()


@pytest.mark.slow
def test_no_loss_and_no_leak_over_many_chains():
    total, expected, opened = 100_000, 0, None
    with Ring(partial(many_chains, total, 50), chain(0), **ROOM) as ring:
        for batch in ring:
            opened = opened or held()
            assert batch.energies[:, 0].tolist() == list(range(expected, expected + batch.num_graphs))
            expected += batch.num_graphs
        assert held() == opened
    assert expected == total


def test_two_slots_at_least():
    with pytest.raises(ValueError, match="num_slots=1; give 2 or more"):
        Ring(stuck, chain(0), num_slots=1, **ROOM)


def running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
