"""Atoms of a PDB file."""

from collections.abc import Iterator

from foldpix.structure.atom import BACKBONE_ATOMS, Atom
from foldpix.structure.error import StructureError


def pdb_atoms(data: bytes, first_model: bool) -> Iterator[Atom]:
    """N, CA and C of a PDB file, and the first atom of each residue.

    That first atom shows that there is a residue, where it has none of the three.

    Parameters
    ----------
    data : bytes
        The file.
    first_model : bool
        Whether to stop behind the first model that holds an atom.

    Raises
    ------
    StructureError
        If coordinates or occupancy are no numbers; the error names the line.
    """
    model, model_has_atoms, residue = 1, False, ""
    for number, line in enumerate(_lines(data), start=1):
        if line.startswith(("ATOM", "HETATM")):
            if line[12:16].strip() in BACKBONE_ATOMS or line[17:27] != residue:
                yield _atom(line, number, model)
            model_has_atoms, residue = True, line[17:27]
        elif line.startswith(("MODEL", "ENDMDL")) and model_has_atoms:
            if first_model:
                return
            model, model_has_atoms, residue = model + 1, False, ""


def _lines(data: bytes) -> list[str]:
    return data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _atom(line: str, number: int, model: int) -> Atom:
    try:
        xyz = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        occupancy = float(line[54:60].strip() or 1.0)
    except ValueError:
        raise StructureError(f"line {number}: coordinates or occupancy are no numbers") from None
    return Atom(
        model=model,
        chain=line[21].strip(),
        residue=line[22:27],
        res_name=line[17:20].strip(),
        name=line[12:16].strip(),
        altloc=line[16].strip(),
        occupancy=occupancy,
        hetero=line.startswith("HETATM"),
        xyz=xyz,
    )
