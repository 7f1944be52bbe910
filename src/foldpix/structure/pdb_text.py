"""The text of a PDB file: fixed columns, filled for all atoms and models at once."""

from collections.abc import Iterator

import numpy as np
from biotite.structure import AtomArray, AtomArrayStack

_INSTEAD = "write .cif or .bcif instead"

_BLANK, _MINUS = np.frombuffer(b" -", dtype=np.uint8)

#: Columns of a record and the line's end.
_WIDTH = 81

#: Atoms formatted at a time; it bounds the memory.
_BLOCK = 8_000


class PdbTemplate:
    """The lines of a model without its coordinates, with TER after each chain (wwPDB, version 3.3).

    Parameters
    ----------
    atoms : AtomArray or AtomArrayStack
        Atoms of a chain stand together; ``occupancy`` and ``b_factor`` are set, and finite. The coordinates
        are not used.

    Raises
    ------
    ValueError
        If something does not fit into the columns of the format.
    """

    def __init__(self, atoms: AtomArray | AtomArrayStack) -> None:
        num = atoms.array_length()
        chain_ends = np.flatnonzero(np.append(atoms.chain_id[1:] != atoms.chain_id[:-1], True))
        _check_atoms(atoms, num + len(chain_ends))
        row = np.arange(num) + np.searchsorted(chain_ends, np.arange(num))
        self._lines = np.concatenate([_record("")] * (num + len(chain_ends)))
        self._lines[row] = _atom_lines(atoms)
        ends = row[chain_ends] + 1
        self._lines[ends, 16:26] = self._lines[ends - 1, 16:26]
        self._lines[ends, :3] = _record("TER")[:, :3]
        self._lines[:, 6:11] = _fixed(np.arange(1, len(self._lines) + 1), 5)
        self._row = row

    def text(self, coords: np.ndarray) -> bytes:
        """A file of one model or many; MODEL records where there are more than one.

        Parameters
        ----------
        coords : ndarray, shape=(M, N, 3)
            Angstrom, finite.

        Raises
        ------
        ValueError
            If a coordinate, after rounding, or the number of models does not fit into its columns.
        """
        _check_limit("models", len(coords), 9999)
        _check_range("coordinate", coords, 3, -999.999, 9999.999)
        return b"".join([*self._models(coords), b"END\n"])

    def _models(self, coords_MN3: np.ndarray) -> Iterator[bytes]:
        num, lines, row = len(coords_MN3), self._lines, self._row
        if num > 1:
            lines, row = np.concatenate([_record("MODEL"), lines, _record("ENDMDL")]), row + 1
        step = max(1, _BLOCK // len(row))
        for first in range(0, num, step):
            thousandths = np.rint(coords_MN3[first : first + step].astype(np.float64) * 1000)
            pages = np.repeat(lines[None], len(thousandths), axis=0)
            pages[:, row, 30:54] = _fixed(thousandths, 8, 3).reshape(*thousandths.shape[:2], 24)
            if num > 1:
                pages[:, 0, 10:14] = _fixed(np.arange(first + 1, first + len(pages) + 1), 4)
            yield pages.tobytes()


def _atom_lines(atoms: AtomArray | AtomArrayStack) -> np.ndarray:
    """ATOM and HETATM records without serial numbers and coordinates, uint8, shape (N, 81)."""
    element_width, name_width = np.strings.str_len(atoms.element), np.strings.str_len(atoms.atom_name)
    # The element ends in the second of the four columns of a name, which a name of four letters fills.
    indent = np.where((name_width < 4) & (element_width < 2), 1, 0)
    lines = np.repeat(_record("ATOM"), atoms.array_length(), axis=0)
    lines[atoms.hetero, :6] = _record("HETATM")[:, :6]
    lines[:, 12:16] = _text(atoms.atom_name, 4, indent)
    lines[:, 17:20] = _text(atoms.res_name, 3, 3 - np.strings.str_len(atoms.res_name))
    lines[:, 21:22] = _text(atoms.chain_id, 1)
    lines[:, 22:26] = _fixed(atoms.res_id, 4)
    lines[:, 54:60] = _fixed(np.rint(atoms.occupancy * 100.0), 6, 2)
    lines[:, 60:66] = _fixed(np.rint(atoms.b_factor.astype(np.float64) * 100), 6, 2)
    lines[:, 76:78] = _text(atoms.element, 2, 2 - element_width)
    return lines


def _record(text: str) -> np.ndarray:
    """A line, uint8, shape (1, 81)."""
    return np.frombuffer(f"{text:<{_WIDTH - 1}}\n".encode(), dtype=np.uint8)[None]


def _text(values: np.ndarray, width: int, indent: np.ndarray | int = 0) -> np.ndarray:
    """Text as columns that begin after a number of blanks: uint8, shape (n, width)."""
    text = np.full((len(values), width), ord(" "), dtype=np.uint8)
    # The letters of NumPy's text are numbers of four bytes, with zeros behind.
    letters = np.ascontiguousarray(values).view(np.uint32).reshape(len(values), -1)
    row, place = np.nonzero(letters)
    text[row, place + np.broadcast_to(indent, len(values))[row]] = letters[row, place]
    return text


def _fixed(values: np.ndarray, width: int, decimals: int = 0) -> np.ndarray:
    """Whole numbers, as columns with a point before the last decimals: uint8, shape (..., width)."""
    columns = np.empty((*values.shape, width), dtype=np.uint8)
    left = np.abs(values).astype(np.uint32)
    # What stands where the digits have ended: the sign, then blanks.
    beyond = np.where(values < 0, _MINUS, _BLANK)
    for place in range(width):  # from the right
        rest = left // 10
        column = (left - 10 * rest + ord("0")).astype(np.uint8)
        if place > decimals + (decimals > 0):
            column = np.where(left == 0, beyond, column)
            beyond = np.where(left == 0, _BLANK, beyond)
        if decimals and place == decimals:
            columns[..., width - 1 - place] = ord(".")
        else:
            columns[..., width - 1 - place], left = column, rest
    return columns


def _check_atoms(atoms: AtomArray | AtomArrayStack, num_records: int) -> None:
    for what, values, width in (
        ("chain id", atoms.chain_id, 1),
        ("residue name", atoms.res_name, 3),
        ("atom name", atoms.atom_name, 4),
    ):
        for value in np.unique(values).tolist():
            if len(value) > width or not value.isascii():
                limit = "one ASCII character" if width == 1 else f"{width} ASCII characters"
                raise ValueError(f"{what} '{value}' is longer than PDB's {limit}; {_INSTEAD}")
    _check_limit("residues", int(atoms.res_id.max()), 9999)
    _check_limit("atoms and chain ends", num_records, 99999)
    _check_range("B-factor", atoms.b_factor, 2, -99.99, 999.99)


def _check_limit(what: str, number: int, most: int) -> None:
    if number > most:
        raise ValueError(f"{number} {what} are more than PDB's {most}; {_INSTEAD}")


def _check_range(what: str, values: np.ndarray, decimals: int, low: float, high: float) -> None:
    for value in (values.min(initial=0.0), values.max(initial=0.0)):
        rounded = np.round(np.float64(value), decimals)
        if not low <= rounded <= high:
            raise ValueError(f"{what} {rounded:g} is outside PDB's {low} to {high}; {_INSTEAD}")
