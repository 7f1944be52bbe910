"""The checks of backbones and screening, in processes of their own: JAX does not go with forking workers."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPO

_TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
_SCREEN = """
import sys
import jax, numpy as np
jax.distributed.initialize(sys.argv[1], 2, int(sys.argv[2]))
from foldpix.alignment import Cloud, Volume, align
from foldpix.alignment.screening import screen

rng = np.random.default_rng(0)
ref = Cloud(3.0 * rng.normal(size=(12, 3)))
fits = [Cloud(ref.points + 0.1 * k * rng.normal(size=(12, 3))) for k in range(24)]
fits[3] = Cloud(np.full((3, 3), np.nan))
done = []

def overlay(block):
    done.append(len(block))
    return align([ref] * len(block), block, Volume())

found = screen(fits, overlay, top_k=4, block_size=5)
alone = align([ref] * 24, fits, Volume()).scores
assert sum(done) == (14, 10)[jax.process_index()], done
assert [hit.place for hit in found.hits] == np.argsort(-np.nan_to_num(alone))[:4].tolist(), found.hits
assert dict(found.statuses) == {"ok": 23, "fit: points are not finite": 1}
"""


@pytest.mark.slow  # a process that compiles for half a minute; the pages of the documentation run both
@pytest.mark.parametrize("marker", ["not slow", "slow"])
def test_backbones_and_screening(marker):
    command = [sys.executable, "-m", "pytest", "-q", "-m", marker, "tests/alignment/protein_checks.py"]
    done = subprocess.run(command, cwd=REPO, env=os.environ | _TWO_DEVICES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_two_processes_share_a_stream(free_port):
    address = f"127.0.0.1:{free_port}"
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _SCREEN, address, str(index)],
            cwd=REPO,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    errors = [process.communicate(timeout=200)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
