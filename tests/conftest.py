"""What all tests share."""

from pathlib import Path

import numpy as np
import pytest

STRUCTURES = Path(__file__).parents[2] / "shared" / "structures"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def real_structures() -> Path:
    """Folder of real PDB chains beside the repository."""
    if not STRUCTURES.is_dir():
        pytest.skip(f"no folder of real chains beside the repository ({STRUCTURES.name})")
    return STRUCTURES


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q
