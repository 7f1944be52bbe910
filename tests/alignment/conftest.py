"""Molecules for the tests of alignment."""

import socket
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from foldpix.alignment.molecule import Molecule
from tests.conftest import REPO

BENCH = REPO.parent / "shared" / "peers" / "shepherd_bench"


@pytest.fixture
def peer_data() -> Path:
    """Folder of the peer's molecules and results beside the repository."""
    if not BENCH.is_dir():
        pytest.skip(f"no data of the peer beside the repository ({BENCH.name})")
    return BENCH


def embed(smiles: str, seed: int = 1) -> Chem.Mol:
    """An RDKit molecule with explicit hydrogens and a conformer."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=seed) == 0
    return mol


def molecule(smiles: str, **options) -> Molecule:
    return Molecule(embed(smiles), **options)


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
