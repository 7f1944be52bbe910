"""Chain codes on their way into a table."""

from functools import partial

from foldpix.chain_code import DEFAULT
from foldpix.dataset.tokens import ChainTokens
from foldpix.jobs.chain_codes import code_header, coder_of, structure_codes
from foldpix.jobs.schema.encode import EncodeConfig


class CodeEncoder:
    """Workers read and code each file."""

    def __init__(self, config: EncodeConfig) -> None:
        codebook = DEFAULT if config.ckpt is None else config.ckpt
        self.header = code_header(coder_of(codebook))
        self.read = partial(structure_codes, codebook=codebook, d_max=config.d_max)

    def tokens(self, group: list[ChainTokens]) -> list[ChainTokens]:
        """As they were read."""
        return group
