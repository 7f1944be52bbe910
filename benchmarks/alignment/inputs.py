"""Drugs and pairs of them: ``mols.sdf``, ``pairs.json``, ``best_known.json`` and ``surfaces200.npz``."""

import json
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from rdkit import Chem

from foldpix.alignment import Cloud

SOURCE = "../shared/peers/shepherd_bench"
Clouds = tuple[list[Cloud], list[Cloud]]


def read_molecules(source: Path) -> list[Chem.Mol]:
    """Without hydrogens."""
    records = Chem.SDMolSupplier(str(source / "mols.sdf"), removeHs=False)
    return [Chem.RemoveHs(mol) for mol in records]


def read_pairs(source: Path, num: int) -> list[tuple[int, int]]:
    """Places of references and fits; from the first again where more are wanted than there are."""
    return list(islice(cycle(json.loads((source / "pairs.json").read_text())["pairs"]), num))


def best_known(source: Path, num: int) -> np.ndarray:
    """The best volume scores known."""
    return np.array(json.loads((source / "best_known.json").read_text())["scores"][:num])


def volumes(molecules: list[Chem.Mol], pairs: list[tuple[int, int]]) -> Clouds:
    """Heavy atoms, centred."""
    points = [mol.GetConformer().GetPositions() for mol in molecules]
    clouds = [Cloud(x - x.mean(axis=0)) for x in points]
    return [clouds[ref] for ref, _ in pairs], [clouds[fit] for _, fit in pairs]


def surfaces(source: Path, pairs: list[tuple[int, int]]) -> Clouds:
    """Points of surfaces and potentials there, around centred heavy atoms."""
    arrays = np.load(source / "surfaces200.npz")
    clouds = {k: Cloud(arrays[f"{k}_pos"], arrays[f"{k}_esp"]) for pair in pairs for k in pair}
    return [clouds[ref] for ref, _ in pairs], [clouds[fit] for _, fit in pairs]
