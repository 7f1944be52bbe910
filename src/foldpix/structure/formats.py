"""The file formats, told by their suffix."""

from pathlib import Path
from typing import NamedTuple

from foldpix.structure.error import StructureError

FORMATS = {".pdb": "pdb", ".ent": "pdb", ".cif": "cif", ".mmcif": "cif", ".bcif": "bcif"}


class FileFormat(NamedTuple):
    """What a file name says: the name of the structure, "pdb", "cif" or "bcif", and whether it is gzipped."""

    name: str
    kind: str
    gzipped: bool


def file_format(path: str | Path) -> FileFormat:
    """Take a file name apart, whatever the case of its suffixes.

    Raises
    ------
    StructureError
        If the suffix is none of the known ones.
    """
    path = Path(path)
    gzipped = path.suffix.lower() == ".gz"
    inner = path.with_suffix("") if gzipped else path
    kind = FORMATS.get(inner.suffix.lower())
    if kind is None:
        allowed = ", ".join(FORMATS)
        raise StructureError(f"unknown suffix of '{path.name}'; known are {allowed}, each also with .gz")
    return FileFormat(inner.stem, kind, gzipped)
