"""From atom records to backbones: alternate locations, ligands, incomplete residues, chains."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from foldpix.structure.atom import BACKBONE_ATOMS, Atom
from foldpix.structure.backbone import MAX_PEPTIDE_BOND, Backbone
from foldpix.structure.error import StructureError
from foldpix.structure.residues import is_amino_acid, one_letter


class Residue(NamedTuple):
    """One residue with its alternate locations resolved; coords (3, 3) float32, NaN where missing."""

    name: str
    hetero: bool
    coords: np.ndarray


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
    found = [
        _backbone(residues, name, chain, model)
        for (model, chain), residues in chains.items()
        if any(_is_complete(residue) for residue in residues)
    ]
    if not found:
        raise StructureError(f"{num_residues} amino-acid residues, none with N, CA and C")
    return found


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
    for key, run in groupby(atoms, key=lambda atom: (atom.model, atom.chain, atom.residue)):
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
    shared = [atom for atom in group if not atom.altloc]
    return _residue(max([own + shared for own in conformers.values()], key=_rank))


def _rank(conformer: Sequence[Atom]) -> tuple[int, float]:
    return len({atom.name for atom in conformer} & set(BACKBONE_ATOMS)), conformer[0].occupancy


def _residue(conformer: Sequence[Atom]) -> Residue:
    coords = np.full((3, 3), np.nan)
    for atom in reversed(conformer):  # the first of several atoms of one name stays
        if atom.name in BACKBONE_ATOMS:
            coords[BACKBONE_ATOMS.index(atom.name)] = atom.xyz
    with np.errstate(over="ignore"):
        return Residue(conformer[0].res_name, conformer[0].hetero, coords.astype(np.float32))


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
    with np.errstate(all="ignore"):
        return bool(np.linalg.norm(following.coords[0] - residue.coords[2]) <= MAX_PEPTIDE_BOND)


def _is_complete(residue: Residue) -> bool:
    return bool(np.isfinite(residue.coords).all())


def _backbone(residues: Sequence[Residue], name: str, chain: str, model: int) -> Backbone:
    complete = [residue for residue in residues if _is_complete(residue)]
    return Backbone(
        coords=np.stack([residue.coords for residue in complete]),
        sequence="".join(one_letter(residue.name) for residue in complete),
        name=name,
        chain=chain,
        model=model,
        num_dropped=len(residues) - len(complete),
    )
