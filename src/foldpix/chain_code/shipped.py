"""The codebooks that come with the package."""

from importlib.resources import as_file, files
from pathlib import Path

from foldpix.chain_code.codebook import read_codebook
from foldpix.chain_code.coder import ChainCoder

#: Codes of each codebook: 4, 6, 8, 10 and 12 bits a residue.
SHIPPED = (16, 64, 256, 1024, 4096)
DEFAULT = 4096


def load(codebook: int | str | Path = DEFAULT) -> ChainCoder:
    """A tokenizer that is ready for use.

    Parameters
    ----------
    codebook : int, str or Path
        How many codes the shipped codebook has: 16, 64, 256, 1024 or 4096. Or the path of one of your own, as
        ``fit.py`` writes it.

    Raises
    ------
    ValueError
        If no such codebook comes with the package, or the file is none.
    OSError
        If there is no such file.
    """
    if not isinstance(codebook, int):
        return ChainCoder(read_codebook(Path(codebook)))
    if codebook not in SHIPPED:
        sizes = ", ".join(map(str, SHIPPED))
        raise ValueError(f"no codebook of {codebook} codes comes with foldpix; there are {sizes}")
    with as_file(files("foldpix.chain_code") / "codebooks" / f"{codebook}.safetensors") as path:
        return ChainCoder(read_codebook(path))
