"""Made-up but protein-like backbones, for demos, tests and training without any data."""

from foldpix.generation.chains import MadeChain, chain_lengths, sample_backbones, sample_chains
from foldpix.generation.differentiable import build_atoms
from foldpix.generation.generator import BatchedGenerator
from foldpix.generation.peptide import BatchedPeptide
from foldpix.generation.ragged import RaggedPeptides, generate_ragged

__all__ = [
    "BatchedGenerator",
    "BatchedPeptide",
    "MadeChain",
    "RaggedPeptides",
    "build_atoms",
    "chain_lengths",
    "generate_ragged",
    "sample_backbones",
    "sample_chains",
]
