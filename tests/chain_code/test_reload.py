"""Codes of earlier versions decode to the same structures."""

from pathlib import Path

import numpy as np
import pytest

import foldpix
from foldpix.chain_code import SHIPPED, ChainCode
from foldpix.geometry import superpose

RELOAD = Path(__file__).parent / "data" / "reload.npz"


@pytest.mark.parametrize("size", SHIPPED)
def test_the_same_structures(size):
    with np.load(RELOAD) as stored:
        code = ChainCode(
            stored[f"codes_{size}"],
            "A" * 90,
            breaks=stored[f"breaks_{size}"],
            poses=stored[f"poses_{size}"],
        )
        coords = stored[f"coords_{size}"].reshape(-1, 3).astype(np.float64)
    decoded = foldpix.load(size).decode(code).coords.reshape(-1, 3).astype(np.float64)
    assert np.abs(superpose(decoded, coords) - coords).max() < 1e-3
