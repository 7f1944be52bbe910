"""Conformations as biotite's arrays, as backbones and as structure files of one model or many."""

import gzip
import itertools
from pathlib import Path

import numpy as np
from biotite.structure import AtomArrayStack

from foldpix.generation.atom_table import AtomTable, check_members
from foldpix.generation.sequence import l_form
from foldpix.structure import Backbone
from foldpix.structure.formats import file_format
from foldpix.structure.residues import one_letter
from foldpix.structure.whole import write_whole
from foldpix.structure.write import structure_bytes


def stack_of(table: AtomTable, coords: np.ndarray) -> AtomArrayStack:
    """The real atoms of coordinates (B, N, 3) with all that is known of them; float32."""
    stack = AtomArrayStack(len(coords), table.atoms.array_length())
    stack.coord = coords[:, table.is_real].astype(np.float32)
    for category in table.atoms.get_annotation_categories():
        stack.set_annotation(category, table.atoms.get_annotation(category))
    return stack


def backbones_of(table: AtomTable, coords: np.ndarray, names: list[str]) -> list[Backbone]:
    """One for each member and chain, member after member; model is the place of the member, from 1.

    Their letters are the twenty and X, which selenocysteine is too.
    """
    backbone = coords[:, table.backbone_rows()]
    letters = "".join(one_letter(l_form(name)) for name in table.sequence)
    bounds = [*table.chain_starts.tolist(), len(letters)]
    parts = [slice(*ends) for ends in itertools.pairwise(bounds)]
    return [
        Backbone(member[part], letters[part], name, str(table.residue_chains[part.start]), model)
        for model, (member, name) in enumerate(zip(backbone, names, strict=True), start=1)
        for part in parts
    ]


def pdb_bytes(table: AtomTable, coords: np.ndarray) -> bytes:
    """A PDB file of all members of (B, N, 3).

    Raises
    ------
    ValueError
        If there is no member, a coordinate is not finite, or the columns of the format are too narrow.
    """
    check_members(coords)
    return table.pdb_template.text(coords if table.is_real.all() else coords[:, table.is_real])


def save_models(path: str | Path, table: AtomTable, coords: np.ndarray) -> None:
    """Write all members of (B, N, 3) in the format of the suffix; missing folders are made.

    Raises
    ------
    ValueError
        As :func:`pdb_bytes`, or if the suffix is unknown.
    """
    _, kind, gzipped = file_format(path)
    if kind == "pdb":
        data = pdb_bytes(table, coords)
    else:
        check_members(coords)
        data = structure_bytes(stack_of(table, coords), kind)
    save_bytes(path, gzip.compress(data, mtime=0) if gzipped else data)


def save_bytes(path: str | Path, data: bytes) -> None:
    """Write a file whole, and the folders it lies in where there are none."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
