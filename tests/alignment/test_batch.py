"""The checks of pairs and batches, in a process of their own: JAX does not go with workers that fork."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPO

# Unoptimised functions are compiled in half the time.
_QUICK = "--xla_backend_optimization_level=0"
_TWO_DEVICES = "--xla_force_host_platform_device_count=2"


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("marker", "flags"), [("not slow", _QUICK), pytest.param("slow", _TWO_DEVICES, marks=pytest.mark.slow)]
)
def test_pairs_and_batches(marker, flags):
    command = [sys.executable, "-m", "pytest", "-q", "-m", marker, "tests/alignment/batch_checks.py"]
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
