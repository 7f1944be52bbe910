"""Reading structure files."""

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from foldpix.structure.atom import Atom
from foldpix.structure.backbone import Backbone
from foldpix.structure.chains import backbones, count_polypeptides
from foldpix.structure.error import StructureError
from foldpix.structure.formats import file_format
from foldpix.structure.pdb import pdb_atoms
from foldpix.structure.pdbx import bcif_atoms, cif_atoms

_PARSERS = {"pdb": pdb_atoms, "cif": cif_atoms, "bcif": bcif_atoms}


def read_structure(path: str | Path, models: Literal["first", "all"] = "first") -> list[Backbone]:
    """Read the polypeptide chains of a PDB, mmCIF or BinaryCIF file.

    Only amino-acid residues are read: no waters, ligands or nucleic acids, and no free amino acid (a
    hetero residue counts where a peptide bond joins it to a neighbour). Of alternate locations the one
    with the highest occupancy is taken, of equal ones the first. A modified residue has its parent's
    letter, any other the letter X. Residues that lack N, CA or C, or have coordinates that are not
    finite, are dropped and counted. A chain without a complete residue is left out.

    Parameters
    ----------
    path : path-like
        .pdb, .ent, .cif, .mmcif or .bcif, each also with .gz, in any case.
    models : {"first", "all"}
        Which models of the file to read.

    Returns
    -------
    list of Backbone
        One per model and chain, in the order of the file. `name` is the file's stem, `chain` the
        author's chain id.

    Raises
    ------
    StructureError
        If the file is broken or holds no polypeptide, whatever its bytes.
    OSError
        If the file cannot be read.
    """
    if models not in ("first", "all"):
        raise ValueError(f"models is '{models}'; it must be 'first' or 'all'")
    return backbones(_atoms(path, models == "first"), file_format(path).name)


def count_chains(path: str | Path) -> int:
    """The polypeptide chains of all models of a file, with those that have no complete residue.

    More than `read_structure` returned means that it left something out. Raises as that does.
    """
    return count_polypeptides(_atoms(path, first_model=False))


def _atoms(path: str | Path, first_model: bool) -> Iterable[Atom]:
    _, kind, gzipped = file_format(path)
    data = Path(path).read_bytes()
    if gzipped:
        data = _decompress(data)
    if not data.strip():
        raise StructureError("the file is empty")
    return _PARSERS[kind](data, first_model)


def _decompress(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise StructureError("the gzip data is truncated or broken") from None
