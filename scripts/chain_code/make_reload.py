"""Writes tests/chain_code/data/reload.npz: codes of a made-up chain with a break, and what they decode to.

Later versions must decode the same codes to the same structures: run this only when a shipped codebook is
replaced on purpose, which breaks every table that was made with it.

    python scripts/chain_code/make_reload.py
"""

from pathlib import Path

import numpy as np

import foldpix
from foldpix.chain_code import SHIPPED
from foldpix.generation import sample_backbones
from foldpix.structure import Backbone

DATA = Path(__file__).parents[2] / "tests" / "chain_code" / "data" / "reload.npz"


def main() -> None:
    """Make the file anew."""
    chain = next(sample_backbones(1, 90, 90))
    coords = chain.coords.copy()
    coords[55:] += 9.0
    arrays = {}
    for size in SHIPPED:
        coder = foldpix.load(size)
        code = coder.encode(Backbone(coords, chain.sequence))
        arrays |= {f"codes_{size}": code.codes, f"breaks_{size}": code.breaks, f"poses_{size}": code.poses}
        arrays[f"coords_{size}"] = coder.decode(code).coords
    DATA.parent.mkdir(exist_ok=True)
    np.savez_compressed(DATA, **arrays)


if __name__ == "__main__":
    main()
