"""Structure files written by hand: atom records as rows, in each of the three formats."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from biotite.structure.io.pdbx import BinaryCIFBlock, BinaryCIFCategory, BinaryCIFColumn, BinaryCIFFile

# N, CA, C, O of residue 0; residue i stands 3.8 angstrom times i along x, so C-N is 1.5 angstrom.
PLACES = {
    "N": (0.0, 0.0, 0.0),
    "CA": (1.1, 0.9, 0.0),
    "C": (2.3, 0.0, 0.0),
    "O": (2.3, -1.2, 0.0),
    "OP1": (9, 9, 9),
}


class Row(NamedTuple):
    record: str
    name: str
    altloc: str
    res_name: str
    chain: str
    number: int
    icode: str
    xyz: tuple[float, float, float]
    occupancy: float
    model: int


def residue(
    place: float,
    res_name: str = "ALA",
    *,
    chain: str = "A",
    number: int | None = None,
    icode: str = "",
    hetero: bool = False,
    altloc: str = "",
    occupancy: float = 1.0,
    atoms: str = "N CA C O",
    lift: float = 0.0,
    model: int = 1,
) -> list[Row]:
    """The rows of a residue at a place of the chain; `lift` moves it along z."""
    number = int(place) + 1 if number is None else number
    record = "HETATM" if hetero else "ATOM"
    rows = []
    for name in atoms.split():
        x, y, z = PLACES[name]
        xyz = (x + 3.8 * place, y, z + lift)
        rows.append(Row(record, name, altloc, res_name, chain, number, icode, xyz, occupancy, model))
    return rows


def pdb_text(rows: Iterable[Row]) -> str:
    lines, model = [], None
    for serial, row in enumerate(rows, start=1):
        if row.model != model:
            lines += ["ENDMDL"] * (model is not None) + [f"MODEL     {row.model:4d}"]
            model = row.model
        x, y, z = row.xyz
        atom = f"{row.record:6s}{serial:5d}  {row.name:3s}{row.altloc or ' '}{row.res_name:>3s}"
        number = f"{row.chain or ' '}{row.number:4d}{row.icode or ' '}"
        lines.append(f"{atom} {number}   {x:8.3f}{y:8.3f}{z:8.3f}{row.occupancy:6.2f}{0:6.2f}")
    return "\n".join([*lines, "ENDMDL", "END", ""])


# fmt: off
COLUMNS = [
    "group_PDB", "id", "label_atom_id", "label_alt_id", "label_comp_id", "auth_asym_id", "auth_seq_id",
    "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "pdbx_PDB_model_num",
]
# fmt: on


def _fields(serial: int, row: Row) -> list[str]:
    return [
        row.record,
        str(serial),
        row.name,
        row.altloc or ".",
        row.res_name,
        row.chain,
        str(row.number),
        row.icode or "?",
        *(f"{value:.3f}" for value in row.xyz),
        f"{row.occupancy:.2f}",
        str(row.model),
    ]


def cif_text(rows: Iterable[Row]) -> str:
    header = ["data_TEST", "#", "loop_", *(f"_atom_site.{name}" for name in COLUMNS)]
    lines = [" ".join(_fields(serial, row)) for serial, row in enumerate(rows, start=1)]
    return "\n".join([*header, *lines, "#", ""])


def write_bcif(path: Path, rows: Iterable[Row]) -> None:
    table = list(zip(*(_fields(serial, row) for serial, row in enumerate(rows, start=1)), strict=True))
    columns = {}
    for name, values in zip(COLUMNS, table, strict=True):
        mask = np.array([{".": 1, "?": 2}.get(value, 0) for value in values], dtype=np.uint8)
        column = np.array(values)
        if name.startswith("Cartn"):
            column = column.astype(np.float32)
        if name in ("auth_seq_id", "pdbx_PDB_model_num"):
            column = column.astype(np.int32)
        columns[name] = BinaryCIFColumn(column, mask if mask.any() else None)
    BinaryCIFFile({"TEST": BinaryCIFBlock({"atom_site": BinaryCIFCategory(columns)})}).write(path)


@pytest.fixture(params=["pdb", "cif", "bcif"])
def entry(request, tmp_path) -> Callable[[list[Row]], Path]:
    """Writes rows as a file; the test runs once for each format."""

    def write(rows: list[Row]) -> Path:
        path = tmp_path / f"1abc.{request.param}"
        if request.param == "bcif":
            write_bcif(path, rows)
        else:
            path.write_text({"pdb": pdb_text, "cif": cif_text}[request.param](rows))
        return path

    return write


@pytest.fixture(name="residue")
def residue_rows():
    return residue


@pytest.fixture(name="pdb_text")
def pdb_text_of():
    return pdb_text


@pytest.fixture(name="cif_text")
def cif_text_of():
    return cif_text
