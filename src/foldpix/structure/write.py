"""Writing structure files."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from biotite.structure import AtomArray, AtomArrayStack
from biotite.structure.io.pdbx import BinaryCIFFile, CIFFile, set_structure

from foldpix.geometry import virtual_cb
from foldpix.structure.backbone import Backbone
from foldpix.structure.formats import file_format
from foldpix.structure.oxygen import place_oxygen
from foldpix.structure.pdb_text import PdbTemplate
from foldpix.structure.residues import THREE_LETTER
from foldpix.structure.whole import write_whole

_ATOM_NAMES = np.array(["N", "CA", "C", "O", "CB"])
_ELEMENTS = np.array(["N", "C", "C", "O", "C"])


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
    data = structure_bytes(atoms, kind)
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


def structure_bytes(atoms: AtomArray | AtomArrayStack, kind: str) -> bytes:
    """A structure file of one model or many.

    Parameters
    ----------
    atoms : AtomArray or AtomArrayStack
        With ``occupancy`` and ``b_factor``; finite.
    kind : str
        "pdb", "cif" or "bcif".

    Raises
    ------
    ValueError
        If the columns of the PDB format are too narrow.
    """
    if kind == "pdb":
        return PdbTemplate(atoms).text(atoms.coord.reshape(-1, atoms.array_length(), 3))
    if kind == "bcif":
        binary, buffer = BinaryCIFFile(), io.BytesIO()
        set_structure(binary, atoms)
        binary.write(buffer)
        return buffer.getvalue()
    text = CIFFile()
    set_structure(text, atoms)
    return text.serialize().encode()
