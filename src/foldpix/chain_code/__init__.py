"""Backbones as one code number a residue: the step to each residue, out of a learnt codebook."""

from foldpix.chain_code.codebook import Codebook, read_codebook, write_codebook
from foldpix.chain_code.coder import BREAK_BITS, ChainCode, ChainCoder
from foldpix.chain_code.shipped import DEFAULT, SHIPPED, load

__all__ = [
    "BREAK_BITS",
    "DEFAULT",
    "SHIPPED",
    "ChainCode",
    "ChainCoder",
    "Codebook",
    "load",
    "read_codebook",
    "write_codebook",
]
