"""Protein backbones as pictures, pictures as tokens, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldpix.chain_code import ChainCoder

__version__ = "0.1.0"


def load(codebook: int | str | Path = 4096) -> "ChainCoder":
    """A tokenizer that is ready for use, as :func:`foldpix.chain_code.load` has it."""
    # Not above: whoever wants one room of the package need not wait for this one.
    from foldpix import chain_code

    return chain_code.load(codebook)
