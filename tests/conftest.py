"""What all tests share."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # the processors are taken by processes; set before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# JAX compiles functions in half the time when it does not optimise them; read when JAX is first used.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

REPO = Path(__file__).parents[1]
STRUCTURES = REPO.parent / "shared" / "structures"


def pytest_configure(config: pytest.Config) -> None:
    """What one process compiles with JAX, the others of this run of the tests need not."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = tempfile.TemporaryDirectory()
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of alignment last: JAX runs threads in their process, and no data workers fork from it then."""
    items.sort(key=lambda item: item.path.parent.name == "alignment")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def real_structures() -> Path:
    """Folder of real PDB chains beside the repository."""
    if not STRUCTURES.is_dir():
        pytest.skip(f"no folder of real chains beside the repository ({STRUCTURES.name})")
    return STRUCTURES


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def run_jax(expression: str, x: np.ndarray, setup: str = "") -> np.ndarray:
    """The value of an expression in x, a JAX array, from a process of its own, after the line ``setup``.

    JAX runs threads, and other tests of this process fork data workers: the two do not go together.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "x.npy", Path(folder) / "y.npy"
        np.save(source, x)
        code = (
            f"import sys, jax, numpy as np, foldpix.geometry, foldpix.image\n{setup}\n"
            f"x = jax.numpy.asarray(np.load(sys.argv[1]))\nnp.save(sys.argv[2], np.asarray({expression}))"
        )
        subprocess.run([sys.executable, "-c", code, str(source), str(target)], check=True, cwd=REPO)
        return np.load(target)
