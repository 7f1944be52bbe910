"""From atom records to backbones: alternate locations, ligands, incomplete residues, chains."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress, groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from foldpix.structure.atom import BACKBONE_ATOMS, Atom
from foldpix.structure.backbone import MAX_PEPTIDE_BOND, Backbone
from foldpix.structure.error import StructureError
from foldpix.structure.residues import is_amino_acid, one_letter

Point = tuple[float, float, float]
_MISSING = (math.nan, math.nan, math.nan)


class Residue(NamedTuple):
    """One residue with its alternate locations resolved; N, CA, C in angstrom, NaN where missing."""

    name: str
    hetero: bool
    coords: tuple[Point, ...]


def backbones(atoms: Iterable[Atom], name: str) -> list[Backbone]:
    """One backbone per model and polypeptide chain, in the order of the file.

    Parameters
    ----------
    atoms : iterable of Atom
    name : str
        The name that the backbones get.

    Raises
    ------
    StructureError
        If no chain has a residue with N, CA and C.
    """
    chains = {key: _polypeptide(residues) for key, residues in _residues(atoms).items()}
    if not chains:
        raise StructureError("no atom record")
    num_residues = sum(map(len, chains.values()))
    if num_residues == 0:
        raise StructureError("no amino-acid residue")
    all_chains = (_backbone(residues, name, chain, model) for (model, chain), residues in chains.items())
    found = [backbone for backbone in all_chains if backbone is not None]
    if not found:
        raise StructureError(f"{num_residues} amino-acid residues, none with N, CA and C")
    return found


def count_polypeptides(atoms: Iterable[Atom]) -> int:
    """How many chains of all models have amino-acid residues, complete or not."""
    return sum(bool(_polypeptide(residues)) for residues in _residues(atoms).values())


def _residues(atoms: Iterable[Atom]) -> dict[tuple[int, str], list[Residue]]:
    """The residues of each model and chain."""
    chains: dict[tuple[int, str], list[Residue]] = defaultdict(list)
    for (model, chain, _), group in _groups(atoms).items():
        chains[model, chain].append(_resolve(group))
    return chains


def _groups(atoms: Iterable[Atom]) -> dict[tuple[int, str, tuple[str, int]], list[Atom]]:
    """The atoms of each residue.

    A residue number that comes again is another residue (chains without an id restart their numbers),
    unless all its atoms are alternate locations: some files list one conformer behind the other.
    """
    groups: dict[tuple[int, str, tuple[str, int]], list[Atom]] = {}
    times: dict[tuple[int, str, str], int] = {}
    for key, run in groupby(atoms, key=attrgetter("model", "chain", "residue")):
        group = list(run)
        if key in times and not all(atom.altloc for atom in group):
            times[key] += 1
        model, chain, residue = key
        groups.setdefault((model, chain, (residue, times.setdefault(key, 0))), []).extend(group)
    return groups


def _resolve(group: Sequence[Atom]) -> Residue:
    """Keep one conformer of a residue: a complete one, then that of the highest occupancy, then the first.

    A conformer is an alternate location and a residue name (microheterogeneity has two names at one
    number); the atoms without alternate location complete all of them.
    """
    conformers: dict[tuple[str, str], list[Atom]] = defaultdict(list)
    for atom in group:
        conformers[atom.altloc, atom.res_name].append(atom)
    if len(conformers) == 1:
        return _residue(group)
    shared = [atom for atom in group if not atom.altloc]
    return _residue(max([own + shared for own in conformers.values()], key=_rank))


def _rank(conformer: Sequence[Atom]) -> tuple[int, float]:
    return len({atom.name for atom in conformer} & set(BACKBONE_ATOMS)), conformer[0].occupancy


def _residue(conformer: Sequence[Atom]) -> Residue:
    places = {atom.name: atom.xyz for atom in reversed(conformer)}  # the first of several of one name stays
    coords = tuple(places.get(name, _MISSING) for name in BACKBONE_ATOMS)
    return Residue(conformer[0].res_name, conformer[0].hetero, coords)


def _polypeptide(residues: Sequence[Residue]) -> list[Residue]:
    """The amino acids of a chain, without free ones: a hetero residue needs a peptide bond to a neighbour."""
    chain = [residue for residue in residues if is_amino_acid(residue.name)]
    return [
        residue
        for i, residue in enumerate(chain)
        if not residue.hetero
        or (i > 0 and _is_bonded(chain[i - 1], residue))
        or (i + 1 < len(chain) and _is_bonded(residue, chain[i + 1]))
    ]


def _is_bonded(residue: Residue, following: Residue) -> bool:
    return math.dist(residue.coords[2], following.coords[0]) <= MAX_PEPTIDE_BOND


def _backbone(residues: Sequence[Residue], name: str, chain: str, model: int) -> Backbone | None:
    """The complete residues; None if there are none."""
    with np.errstate(over="ignore"):  # what float32 does not hold is not finite either
        coords = np.array([residue.coords for residue in residues]).astype(np.float32).reshape(-1, 3, 3)
    complete = np.all(np.isfinite(coords), axis=(1, 2))
    if not complete.any():
        return None
    return Backbone(
        coords=coords[complete],
        sequence="".join(one_letter(residue.name) for residue in compress(residues, complete)),
        name=name,
        chain=chain,
        model=model,
        num_dropped=int(np.sum(~complete)),
    )
