"""Batches built from torsions, by the formulas of ``foldpix.geometry`` alone."""

import numpy as np

from foldpix.generation.peptide import BatchedPeptide
from foldpix.geometry import build_backbone, place_atom, virtual_cb
from foldpix.structure.oxygen import C_O, CA_C_O

ATOMS = ("N", "CA", "C", "O", "CB")
HELIX, STRAND = (-63.0, -43.0, 180.0), (-120.0, 135.0, 180.0)


def backbone(torsions, is_d=False):
    """N, CA, C, O, CB (B, L, 5, 3) from phi, psi, omega in degrees (B, L, 3)."""
    radian = np.radians(np.asarray(torsions, dtype=np.float64))
    n_ca_c = build_backbone(radian)
    n, ca, c = np.moveaxis(n_ca_c, -2, 0)
    o = place_atom(n, ca, c, C_O, CA_C_O, radian[..., 1] + np.pi)
    left = virtual_cb(n_ca_c)
    normal = np.cross(ca - n, c - ca)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    right = left - 2 * np.sum((left - ca) * normal, axis=-1, keepdims=True) * normal
    return np.stack([n, ca, c, o, np.where(np.reshape(is_d, (-1, 1)), right, left)], axis=-2)


def drawn(seed, num, length, around=HELIX, spread=4.0):
    """Torsions (B, L, 3) in degrees about those of an ideal chain."""
    rng = np.random.default_rng(seed)
    return np.asarray(around) + spread * rng.standard_normal((num, length, 3)) * (1, 1, 0.3)


def peptide_of(coords_BL53, names, chain_ids=None, **extras):
    """A batch of coordinates (B, L, 5, 3); glycine's CB is virtual."""
    chain_ids = ["A"] * len(names) if chain_ids is None else list(chain_ids)
    numbers = [chain_ids[: i + 1].count(chain) for i, chain in enumerate(chain_ids)]
    return BatchedPeptide(
        np.reshape(coords_BL53, (len(coords_BL53), -1, 3)),
        list(names),
        ATOMS * len(names),
        np.repeat(numbers, 5),
        np.repeat(chain_ids, 5),
        atom_mask=[name != "GLY" or atom != "CB" for name in names for atom in ATOMS],
        **extras,
    )


def helix(num=4, length=20, seed=0, names=None, **extras):
    """Helices in float32 whose names, if not given, hold all twenty."""
    names = names or list(np.resize(_TWENTY, length))
    coords = backbone(drawn(seed, num, length)).astype(np.float32)
    return peptide_of(coords, names, **extras)


# fmt: off
_TWENTY = ["ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE",
           "LEU", "LYS", "MET", "PHE", "SER", "THR", "TRP", "TYR", "VAL", "PRO"]
# fmt: on
