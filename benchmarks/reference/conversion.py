"""Conversion as published: biotite, pair by pair formulas, pixels cut off, Pillow's PNG, FASTA."""

from pathlib import Path

import biotite.structure as struc
import numpy as np
from biotite.sequence import ProteinSequence
from biotite.structure.io.pdb import PDBFile
from PIL import Image

from benchmarks.reference.orientation import encode


def convert(path: Path, png: Path, fasta: Path) -> None:
    """A PDB file of one chain to PNG and FASTA."""
    atoms = PDBFile.read(path).get_structure(model=1)
    starts = struc.get_residue_starts(atoms)
    coords = np.stack([atoms.coord[atoms.atom_name == name] for name in ("N", "CA", "C")], axis=1)
    pixels = ((encode(coords) + 1) / 2 * 255).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(png)
    sequence = "".join(ProteinSequence.convert_letter_3to1(name) for name in atoms.res_name[starts])
    fasta.write_text(f">{path.stem}\n{sequence}\n")
