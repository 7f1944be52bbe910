"""Made-up chains as a ragged batch. A module apart: the rest of this room works without PyTorch."""

import numpy as np
import torch
from torch import Tensor

from foldpix.batch import Batch, LevelSchema
from foldpix.generation.peptide import BatchedPeptide
from foldpix.generation.ragged import RaggedPeptides

#: Atoms are nodes. `coords` has a residue's N, CA, C, O, CB where all residues have these.
PEPTIDE_SCHEMA = (
    LevelSchema()
    .with_level("residue")
    .with_field("coords", "residue", torch.float32, (5, 3))
    .with_field("atom_mask", "residue", torch.bool, (5,))
    .with_field("torsions", "residue", torch.float64, (3,))
    .with_field("members", "system", torch.int64, ())
    .with_field("num_clashes", "system", torch.int64, ())
)


def to_batch(peptides: BatchedPeptide | RaggedPeptides) -> Batch:
    """A graph a member or chain; angstrom and radian.

    Of a `BatchedPeptide` the nodes are its atoms, with ``positions`` (B N, 3), and ``torsions`` are at level
    residue. Nothing is copied: who writes to the batch writes to them. Of `RaggedPeptides` the rows
    of level residue are ``coords`` (R, 5, 3), ``atom_mask`` (R, 5) and ``torsions`` (R, 3): copies that leave
    the padding out, or the peptides' own memory where there is none.
    """
    if isinstance(peptides, BatchedPeptide):
        num, num_atoms = peptides.coords.shape[:2]
        lengths = {"node": [num_atoms] * num}
        fields = {"positions": peptides.coords.reshape(-1, 3)}
        if peptides.torsions is not None:
            fields["torsions"] = peptides.torsions.reshape(-1, 3)
            lengths["residue"] = [peptides.n_residues] * num
    else:
        lengths = {"residue": peptides.mask.sum(axis=1).tolist()}
        names = ("coords", "atom_mask", "torsions")
        fields = {name: _rows(getattr(peptides, name), peptides.mask) for name in names}
    for name in ("members", "num_clashes"):
        if (values := getattr(peptides, name)) is not None:
            fields[name] = values
    return Batch.from_fields({name: _tensor(rows) for name, rows in fields.items()}, lengths, PEPTIDE_SCHEMA)


def _rows(padded: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Residues of all chains, (B, L, ...) to (R, ...)."""
    return padded.reshape(-1, *padded.shape[2:]) if mask.all() else padded[mask]


def _tensor(rows: np.ndarray) -> Tensor:
    """On the same memory where PyTorch can: it knows no negative strides and no arrays to be read only."""
    ours = rows.flags.writeable and all(stride >= 0 for stride in rows.strides)
    return torch.from_numpy(rows if ours else rows.copy())
