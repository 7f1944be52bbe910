"""The checks of pairs and batches, in a process of their own: JAX does not go with workers that fork."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPO

_TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("marker", "devices"), [("not slow", {}), pytest.param("slow", _TWO_DEVICES, marks=pytest.mark.slow)]
)
def test_pairs_and_batches(marker, devices):
    command = [sys.executable, "-m", "pytest", "-q", "-m", marker, "tests/alignment/batch_checks.py"]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"} | devices
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
