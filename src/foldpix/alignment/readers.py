"""Molecules from SDF, MOL2, PDB and SMILES files."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

#: Seed of the conformers made for SMILES: the same string gives the same coordinates.
CONFORMER_SEED = 20250101


@dataclass(frozen=True)
class Record:
    """One record of a file.

    Attributes
    ----------
    name : str
        The record's own, or the file's stem with the record's number from 1.
    mol : Mol or None
        Sanitised, hydrogens kept, with one conformer in three dimensions; None if the record holds no such.
    error : str
        Why it does not, in one line.
    """

    name: str
    mol: Chem.Mol | None
    error: str = ""


def read_molecules(path: str | Path) -> Iterator[Record]:
    """The records of a file one after the other, broken ones too, so that they stop nothing.

    Parameters
    ----------
    path : path-like
        .sdf, .sd, .mol, .mol2, .pdb, .ent, .smi or .smiles, each also with .gz, in any case. A line of a
        SMILES file is a SMILES and a name; its conformer is made by ETKDG with a fixed seed and relaxed by
        MMFF94 where that has parameters.

    Returns
    -------
    iterator of Record

    Raises
    ------
    ValueError
        If the file has another ending, or its gzip data is broken.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gzipped = suffixes[-1:] == [".gz"]
    suffix = "".join(suffixes[-2:-1] if gzipped else suffixes[-1:])
    if suffix not in _FORMATS:
        raise ValueError(
            f"{path.name} is of no known format; the known ones are {', '.join(_FORMATS)} and .gz"
        )
    split, parse = _FORMATS[suffix]
    stem = path.name[: path.name.lower().rindex(suffix)]
    try:
        with (gzip.open if gzipped else open)(path, "rt", encoding="utf-8", errors="replace") as lines:
            for number, block in enumerate(split(lines), start=1):
                yield _record(block, parse, f"{stem}_{number}")
    except (EOFError, zlib.error):
        raise ValueError(f"{path.name}: the gzip data is truncated or broken") from None


def _record(block: str, parse: Callable[[str], Chem.Mol | None], default_name: str) -> Record:
    with rdBase.BlockLogs():
        mol = parse(block)
    if mol is None or mol.GetNumAtoms() == 0:
        return Record(default_name, None, "RDKit reads no molecule from it")
    name = mol.GetProp("_Name").strip() if mol.HasProp("_Name") else ""
    if mol.GetNumConformers() == 0:
        return Record(name or default_name, None, "no conformer can be made for it")
    if not mol.GetConformer().Is3D():
        return Record(name or default_name, None, "its coordinates are a drawing's, in two dimensions")
    return Record(name or default_name, mol)


def _sdf_blocks(lines: Iterable[str]) -> Iterator[str]:
    block: list[str] = []
    for line in lines:
        if line.startswith("$$$$"):
            yield "".join(block)
            block = []
        else:
            block.append(line)
    if "".join(block).strip():
        yield "".join(block)


def _mol2_blocks(lines: Iterable[str]) -> Iterator[str]:
    block: list[str] = []
    for line in lines:
        if line.startswith("@<TRIPOS>MOLECULE"):
            if block:
                yield "".join(block)
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield "".join(block)


def _smiles_lines(lines: Iterable[str]) -> Iterator[str]:
    yield from (line for line in lines if line.strip())


def _whole(lines: Iterable[str]) -> Iterator[str]:
    yield "".join(lines)


def _from_sdf(block: str) -> Chem.Mol | None:
    supplier = Chem.SDMolSupplier()
    supplier.SetData(block, removeHs=False)
    return next(supplier, None)


def _from_mol2(block: str) -> Chem.Mol | None:
    return Chem.MolFromMol2Block(block, removeHs=False)


def _from_pdb(text: str) -> Chem.Mol | None:
    return Chem.MolFromPDBBlock(text, removeHs=False)


def _from_smiles(line: str) -> Chem.Mol | None:
    smiles, _, name = line.strip().partition(" ") if "\t" not in line else line.strip().partition("\t")
    mol = Chem.MolFromSmiles(smiles)
    return None if mol is None else embedded(mol, name.strip() or smiles)


def embedded(mol: Chem.Mol, name: str = "") -> Chem.Mol:
    """A copy with explicit hydrogens and one conformer, none where ETKDG fails."""
    mol = Chem.AddHs(mol)
    mol.SetProp("_Name", name)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = CONFORMER_SEED  # type: ignore[assignment]  # the stubs are wrong
    if rdDistGeom.EmbedMolecule(mol, parameters) == 0 and rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
    return mol


_FORMATS: Final = {
    ".sdf": (_sdf_blocks, _from_sdf),
    ".sd": (_sdf_blocks, _from_sdf),
    ".mol": (_sdf_blocks, _from_sdf),
    ".mol2": (_mol2_blocks, _from_mol2),
    ".pdb": (_whole, _from_pdb),
    ".ent": (_whole, _from_pdb),
    ".smi": (_smiles_lines, _from_smiles),
    ".smiles": (_smiles_lines, _from_smiles),
}
