"""Writing structure files."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from biotite.structure import AtomArray
from biotite.structure.io.pdb import PDBFile
from biotite.structure.io.pdbx import BinaryCIFFile, CIFFile, set_structure

from foldpix.geometry import virtual_cb
from foldpix.structure.backbone import Backbone
from foldpix.structure.formats import file_format
from foldpix.structure.oxygen import place_oxygen
from foldpix.structure.residues import THREE_LETTER
from foldpix.structure.whole import write_whole

_ATOM_NAMES = np.array(["N", "CA", "C", "O", "CB"])
_ELEMENTS = np.array(["N", "C", "C", "O", "C"])
_INSTEAD = "write .cif or .bcif instead"


def write_structure(path: str | Path, backbone: Backbone, b_factor: Any = None) -> None:
    """Write N, CA, C, O and (but for glycine) CB of a backbone; O and CB are placed.

    The file appears whole or not at all. Residues are numbered from 1; X becomes UNK, an empty chain id A.

    Parameters
    ----------
    path : path-like
        .pdb, .ent, .cif, .mmcif or .bcif, each also with .gz.
    backbone : Backbone
    b_factor : array, shape=(L,), optional
        The B-factor of each residue's atoms, 0 by default.

    Raises
    ------
    ValueError
        If a number is not finite, `b_factor` has another length, the suffix is unknown, or the columns of
        the PDB format are too narrow.
    """
    _, kind, gzipped = file_format(path)
    atoms = _atom_array(backbone, b_factor)
    data = _pdb_bytes(atoms) if kind == "pdb" else _pdbx_bytes(atoms, kind)
    write_whole(Path(path), gzip.compress(data, mtime=0) if gzipped else data)


def _atom_array(backbone: Backbone, b_factor: Any) -> AtomArray:
    length = len(backbone)
    values = np.zeros(length) if b_factor is None else np.asarray(b_factor, dtype=np.float64)
    if values.shape != (length,):
        raise ValueError(f"b_factor has shape {values.shape}; {length} residues need ({length},)")
    if not (np.isfinite(backbone.coords).all() and np.isfinite(values).all()):
        raise ValueError("coordinates or B-factors are not finite; drop those residues before writing")
    o, cb = place_oxygen(backbone.coords), virtual_cb(backbone.coords)
    coords = np.concatenate([backbone.coords, np.stack([o, cb], axis=1)], axis=1).astype(np.float32)
    kept = np.ones((length, 5), dtype=bool)
    kept[:, 4] = np.array(list(backbone.sequence)) != "G"
    residue, atom = np.nonzero(kept)
    names = np.array([THREE_LETTER.get(letter, "UNK") for letter in backbone.sequence])

    atoms = AtomArray(len(residue))
    atoms.coord = coords[kept]
    atoms.set_annotation("chain_id", np.full(len(residue), backbone.chain.strip() or "A"))
    atoms.set_annotation("res_id", residue + 1)
    atoms.set_annotation("res_name", names[residue])
    atoms.set_annotation("atom_name", _ATOM_NAMES[atom])
    atoms.set_annotation("element", _ELEMENTS[atom])
    atoms.set_annotation("occupancy", np.ones(len(residue)))
    atoms.set_annotation("b_factor", values[residue].astype(np.float32))
    return atoms


def _pdb_bytes(atoms: AtomArray) -> bytes:
    _check_columns(atoms)
    file = PDBFile()
    file.set_structure(atoms)
    return "\n".join([*file.lines, "TER", "END", ""]).encode("ascii")


def _check_columns(atoms: AtomArray) -> None:
    """What the fixed columns of the PDB format hold, after rounding."""
    chain = str(atoms.chain_id[0])
    if len(chain) > 1 or not chain.isascii():
        raise ValueError(f"chain id '{chain}' is longer than PDB's one ASCII character; {_INSTEAD}")
    if atoms.res_id[-1] > 9999:
        raise ValueError(f"{atoms.res_id[-1]} residues are more than PDB's 9999; {_INSTEAD}")
    for what, values, decimals, low, high in (
        ("coordinate", atoms.coord, 3, -999.999, 9999.999),
        ("B-factor", atoms.b_factor, 2, -99.99, 999.99),
    ):
        rounded = np.round(values.astype(np.float64), decimals)
        if rounded.min() < low or rounded.max() > high:
            worst = rounded.min() if rounded.min() < low else rounded.max()
            raise ValueError(f"{what} {worst:g} is outside PDB's {low} to {high}; {_INSTEAD}")


def _pdbx_bytes(atoms: AtomArray, kind: str) -> bytes:
    if kind == "bcif":
        binary, buffer = BinaryCIFFile(), io.BytesIO()
        set_structure(binary, atoms)
        binary.write(buffer)
        return buffer.getvalue()
    text = CIFFile()
    set_structure(text, atoms)
    return text.serialize().encode()
