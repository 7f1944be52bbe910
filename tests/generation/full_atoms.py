"""Full-atom residues of all kinds at all places of chains."""

import itertools
import warnings
from functools import cache

import biotite.structure as struc
import numpy as np
from biotite.structure.info import residue as component

from foldpix.generation.rotamers import draw_chi
from foldpix.generation.sequence import COMPONENT_OF_D, NAME_OF_LETTER, component_code, is_d, parse_sequence
from foldpix.generation.sidechains import full_atom_layout, place_side_chains
from foldpix.generation.templates import SWAPPED_IN_D
from foldpix.generation.walk import walk

L_NAMES = tuple(NAME_OF_LETTER.values())
# Every residue inside a chain, at its start and at its end, and one that is all of its chain.
CHAINS = parse_sequence(
    "A-" + "-".join(L_NAMES) + "-" + "-".join(COMPONENT_OF_D) + "-G:" + ":".join((*L_NAMES, *COMPONENT_OF_D))
)
NAMES = tuple(itertools.chain.from_iterable(CHAINS))
NUM = 6


def backbone(names, torsions, dtype=np.float64):
    out = np.empty((*torsions.shape[:2], 5, 3), dtype=dtype)
    walk(torsions.astype(dtype), np.array([is_d(name) for name in names]), out)
    return out


def torsions(num, length, seed=0):
    angles = np.random.default_rng(seed).uniform(-np.pi, np.pi, (num, length, 3))
    angles[..., 2] = np.pi
    return angles


@cache
def built(dtype=np.float64):
    """Layout, chi, backbone and atoms of NUM members of CHAINS."""
    layout, chi = full_atom_layout(CHAINS), draw_chi(NAMES, 1, np.arange(NUM))
    coords_BL53 = backbone(NAMES, torsions(NUM, len(NAMES)), dtype)
    return layout, chi, coords_BL53, place_side_chains(coords_BL53, layout, chi)


def residues():
    """Row, name, place (first, last, inner, only) and atoms, {name: (NUM, 3)}, of each residue."""
    layout, _, _, coords = built()
    rows = enumerate((name, k, len(chain)) for chain in CHAINS for k, name in enumerate(chain))
    for row, (name, k, length) in rows:
        place = "only" if length == 1 else {0: "first", length - 1: "last"}.get(k, "inner")
        atoms = np.flatnonzero(layout.residue_N == row)
        yield row, name, place, {layout.atom_names[atom]: coords[:, atom] for atom in atoms}


def degrees(*points):
    measure = {3: struc.angle, 4: struc.dihedral}[len(points)]
    return np.degrees(measure(*points))


def wrapped(angles):
    return (angles + 180) % 360 - 180


def volume(atoms, centre, *around):
    a, b, c = (atoms[atom] - atoms[centre] for atom in around)
    return np.sum(np.cross(a, b) * c, axis=-1)


def ideal_atoms(name):
    """Atoms of a residue, {name: (3,)}, in the dictionary."""
    with warnings.catch_warnings():  # biotite takes other coordinates where the ideal ones are missing
        warnings.simplefilter("ignore")
        ideal = component(component_code(name))
    return dict(zip(ideal.atom_name.tolist(), ideal.coord, strict=True))


def mirror_of(names):
    """For each atom of L-residues the place of its mirror image among those of D-residues, in one chain."""
    layout = full_atom_layout((names,))
    swapped = {name: dict(pair.split() for pair in pairs.split(",")) for name, pairs in SWAPPED_IN_D.items()}
    place = {key: k for k, key in enumerate(zip(layout.residue_N, layout.atom_names, strict=True))}
    for row, atom in place:
        pairs = swapped.get(names[row], {})
        yield place[row, (pairs | {other: one for one, other in pairs.items()}).get(atom, atom)]
