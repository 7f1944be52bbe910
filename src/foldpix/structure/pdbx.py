"""Atoms of an mmCIF or BinaryCIF file."""

import io
import re
from collections.abc import Iterator

import numpy as np
from biotite.structure.io.pdbx import BinaryCIFCategory, BinaryCIFFile, CIFCategory

from foldpix.structure.atom import BACKBONE_ATOMS, Atom
from foldpix.structure.error import StructureError

_TABLE_START = re.compile(r"^(loop_\s+)?_atom_site\.", re.MULTILINE)
_TABLE_END = re.compile(r"^(#|loop_|data_|_(?!atom_site\.))", re.MULTILINE)
_NO_ATOMS = "no atom_site table with atoms"
_RESIDUE_COLUMNS = ("label_asym_id", "auth_asym_id", "label_seq_id", "auth_seq_id", "pdbx_PDB_ins_code")


def cif_atoms(data: bytes, first_model: bool) -> list[Atom]:
    """N, CA and C of an mmCIF file, and the first atom of each residue (see `pdb_atoms`)."""
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return _atoms(_parse_table(_atom_site_text(text)), first_model)


def bcif_atoms(data: bytes, first_model: bool) -> list[Atom]:
    """N, CA and C of a BinaryCIF file, and the first atom of each residue (see `pdb_atoms`)."""
    # Garbage fails anywhere inside the decoder, in any way: there is no list of exceptions to catch.
    try:
        blocks = BinaryCIFFile.read(io.BytesIO(data)).values()
        tables = [block["atom_site"] for block in blocks if "atom_site" in block]
    except Exception:
        raise StructureError("not a BinaryCIF file") from None
    if not tables:
        raise StructureError(_NO_ATOMS)
    return _atoms(tables[0], first_model)


def _atom_site_text(text: str) -> str:
    """The first atom_site table, without most of the rows that no backbone needs.

    Parsing the rest takes half the time. Rows that do not split at white space into as many words as
    there are columns (quotes, line breaks) are kept for biotite to understand.
    """
    start = _TABLE_START.search(text)
    if start is None:
        raise StructureError(_NO_ATOMS)
    end = _TABLE_END.search(text, start.end())
    lines = text[start.start() : end.start() if end else len(text)].split("\n")
    columns = [line.split()[0].partition(".")[2] for line in lines if line.startswith("_atom_site.")]
    if "label_atom_id" not in columns or start.group(1) is None:
        return "\n".join(lines)
    return "\n".join(_needed_lines(lines, columns))


def _needed_lines(lines: list[str], columns: list[str]) -> Iterator[str]:
    name = columns.index("label_atom_id")
    keys = [i for i, column in enumerate(columns) if column in _RESIDUE_COLUMNS]
    last: list[str] = []
    for line in lines:
        words = line.split()
        residue = [words[i] for i in keys] if len(words) == len(columns) else []
        if not residue or words[name] in BACKBONE_ATOMS or residue != last:
            yield line
        last = residue


def _parse_table(text: str) -> CIFCategory:
    try:
        return CIFCategory.deserialize(text)
    except Exception:
        raise StructureError("the atom_site table is empty or broken") from None


class _AtomSite:
    """The columns of an atom_site table, whatever the file left out."""

    def __init__(self, table: CIFCategory | BinaryCIFCategory) -> None:
        self._table = table
        self.name = self.column("label_atom_id", "auth_atom_id").astype(str)

    def column(self, *names: str, default: str | None = None) -> np.ndarray:
        """The first column of these that is there: text, or in BinaryCIF what type it has."""
        for name in names:
            if name in self._table:
                return self._table[name].as_array()
        if default is None:
            raise StructureError(f"the atom_site table has no {' or '.join(names)}")
        return np.full(len(self.name), default)

    def occupancy(self) -> np.ndarray:
        if "occupancy" not in self._table:
            return np.ones(len(self.name))
        return self._table["occupancy"].as_array(np.float64, masked_value=1.0)

    def coords(self) -> np.ndarray:
        """Coordinates in angstrom, shape (n, 3), NaN where unknown."""
        names = [f"Cartn_{axis}" for axis in "xyz"]
        if not all(name in self._table for name in names):
            raise StructureError(f"the atom_site table has no {', '.join(names)}")
        return np.stack(
            [self._table[name].as_array(np.float64, masked_value=np.nan) for name in names], axis=-1
        )

    def residues(self) -> list[np.ndarray]:
        """The columns that tell one residue of a file from the next."""
        return [self._table[name].as_array() for name in _RESIDUE_COLUMNS if name in self._table]


def _atoms(table: CIFCategory | BinaryCIFCategory, first_model: bool) -> list[Atom]:
    try:
        with np.errstate(all="ignore"):
            return _records(_AtomSite(table), first_model)
    except StructureError:
        raise
    except Exception:
        raise StructureError("the atom_site table is broken, or its coordinates are no numbers") from None


def _records(site: _AtomSite, first_model: bool) -> list[Atom]:
    models = site.column("pdbx_PDB_model_num", default="1")
    residues = site.residues()
    rows = np.isin(site.name, BACKBONE_ATOMS) | _starts([models, *residues])
    if first_model:
        rows &= models == models[0]
    altloc = site.column("label_alt_id", default=".")[rows].astype(str)
    columns = [
        _ordinals(models[rows]),
        site.column("auth_asym_id", "label_asym_id")[rows].astype(str),
        np.array(
            [" ".join(map(str, key)) for key in zip(*(c[rows].tolist() for c in residues), strict=True)]
        ),
        site.column("label_comp_id", "auth_comp_id")[rows].astype(str),
        site.name[rows],
        np.where(np.isin(altloc, [".", "?"]), "", altloc),
        site.occupancy()[rows],
        site.column("group_PDB", default="ATOM")[rows] == "HETATM",
    ]
    xyz = map(tuple, site.coords()[rows].tolist())
    return [Atom(*row) for row in zip(*(column.tolist() for column in columns), xyz, strict=True)]


def _starts(columns: list[np.ndarray]) -> np.ndarray:
    """Rows at which any column changes; the first row is one."""
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.append(True, changes)


def _ordinals(models: np.ndarray) -> np.ndarray:
    """Model numbers from 1, in the order of the file."""
    _, first, inverse = np.unique(models, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse] + 1
