"""Chain codes of structure files, as a worker makes them, and back; without torch, as it is slow to start."""

import math
from functools import lru_cache

from foldpix.chain_code import SHIPPED, ChainCode, ChainCoder, load
from foldpix.dataset.sources import Source, key_of
from foldpix.dataset.tokens import ChainTokens, TokenHeader
from foldpix.evaluation.chains import Skipped, StructureChain
from foldpix.evaluation.listing import structure_chains

#: Endings of codebooks; other checkpoints are those of train.py.
CODEBOOK = ".safetensors"


@lru_cache(maxsize=1)
def coder_of(codebook: int | str) -> ChainCoder:
    """The coder of a shipped codebook's size or of a file, read once a process."""
    return load(codebook)


def code_header(coder: ChainCoder) -> TokenHeader:
    """What a table of its codes says of a coder."""
    codebook = coder.codebook
    return TokenHeader(codebook.fingerprint, (1,), len(codebook), grid_dim=1, chain_codes=True)


def structure_codes(source: Source, codebook: int | str, d_max: float) -> list[ChainTokens | Skipped]:
    """Every chain of the first model, named by its id, and what could not be read or coded."""
    if source.refusal:
        return [Skipped(key_of(source.path), source.refusal)]
    chains = structure_chains([source.path], d_max, shortest=1, longest=math.inf)
    return [each if isinstance(each, Skipped) else _tokens(each, coder_of(codebook)) for each in chains]


def coder_for(header: TokenHeader, codebook: str | None) -> ChainCoder:
    """The coder that a table was made with.

    Raises
    ------
    ValueError
        If it is not the shipped one of its size, or not the codebook that is given.
    """
    if codebook is None and header.codebook_size not in SHIPPED:
        raise ValueError(
            f"no codebook of {header.codebook_size} codes comes with foldpix; give ckpt=, the one used"
        )
    coder = coder_of(header.codebook_size if codebook is None else codebook)
    if (own := code_header(coder)) != header:
        wanted = "the shipped codebook" if codebook is None else f"ckpt={codebook}"
        raise ValueError(
            f"the tokens are of {header}, but {wanted} is {own}; give ckpt=, the codebook they were made with"
        )
    return coder


def code_of(tokens: ChainTokens) -> ChainCode:
    """The chain code that a row of a table holds."""
    (codes,) = tokens.levels
    return ChainCode(codes, tokens.sequence, tokens.name, tokens.chain, tokens.breaks, tokens.poses)


def _tokens(chain: StructureChain, coder: ChainCoder) -> ChainTokens | Skipped:
    try:
        code = coder.encode(chain.backbone)
    except ValueError as error:
        return Skipped(chain.id, str(error))
    levels, sequence = (code.codes,), code.sequence
    return ChainTokens(
        chain.id, code.chain, sequence, chain.d_max, levels, code.breaks, code.poses, code.deviation
    )
