"""Backbones as one code number a residue: the step from each residue to the next, out of a learnt codebook."""

from foldpix.chain_code.codebook import Codebook, read_codebook, write_codebook
from foldpix.chain_code.coder import ChainCode, ChainCoder
from foldpix.chain_code.shipped import DEFAULT, SHIPPED, load

__all__ = [
    "DEFAULT",
    "SHIPPED",
    "ChainCode",
    "ChainCoder",
    "Codebook",
    "load",
    "read_codebook",
    "write_codebook",
]
