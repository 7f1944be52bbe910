import io

import numpy as np
import pytest
from biotite.structure import AtomArrayStack
from biotite.structure.io.pdb import PDBFile

from foldpix.structure.pdb_text import PdbTemplate

NAMES = np.array([("N", "N"), ("CA", "C"), ("SE", "SE"), ("HD11", "H"), ("OXT", "O"), ("CA", "CA")])


def random_stack(seed, num_models=3, num_atoms=40):
    rng = np.random.default_rng(seed)
    atoms = AtomArrayStack(num_models, num_atoms)
    scale = 10.0 ** rng.uniform(-4, 3, atoms.coord.shape)
    atoms.coord = (rng.choice([-0.999, 0.999, 9.99], scale.shape) * scale).astype(np.float32)
    atoms.atom_name, atoms.element = NAMES[rng.integers(len(NAMES), size=num_atoms)].T
    atoms.chain_id = np.repeat(["A", "b", "7"], np.array([1, 2, 1]) * num_atoms // 4)
    atoms.res_id = rng.choice([1, 9, 10, 99, 100, 9999], num_atoms)
    atoms.res_name = rng.choice(["ALA", "DAL", "U"], num_atoms)
    atoms.hetero = rng.random(num_atoms) < 0.3
    atoms.set_annotation("occupancy", rng.uniform(0, 1, num_atoms))
    atoms.set_annotation("b_factor", rng.uniform(-99.99, 999.99, num_atoms))
    return atoms


def by_biotite(atoms):
    file = PDBFile()
    file.set_structure(atoms)
    return [line for line in file.lines if line.startswith(("ATOM", "HETATM"))]


def without_serial(lines):
    return [line[:6] + line[11:].replace("-0.000", " 0.000") for line in lines]


@pytest.mark.parametrize("num_models", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_atom_records_are_those_of_biotite(seed, num_models):
    atoms = random_stack(seed, num_models)
    lines = PdbTemplate(atoms).text(atoms.coord).decode().splitlines()
    records = [line for line in lines if line.startswith(("ATOM", "HETATM"))]
    assert without_serial(records) == without_serial(by_biotite(atoms))


def test_models_chain_ends_and_serial_numbers():
    atoms = random_stack(0)
    lines = PdbTemplate(atoms).text(atoms.coord).decode().splitlines()
    one = ["ATOM"] * 10 + ["TER"] + ["ATOM"] * 20 + ["TER"] + ["ATOM"] * 10 + ["TER"]
    kinds = [line[:6].strip().replace("HETATM", "ATOM") for line in lines]
    assert kinds == ["MODEL", *one, "ENDMDL"] * 3 + ["END"]
    assert [line.rstrip() for line in lines if line.startswith("MODEL")] == [
        f"MODEL        {number}" for number in (1, 2, 3)
    ]
    assert [int(line[6:11]) for line in lines[1:44]] == list(range(1, 44))
    assert {len(line) for line in lines[:-1]} == {80}
    for end in (11, 32, 43):
        assert lines[end][:3] == "TER"
        assert lines[end][17:26] == lines[end - 1][17:26]
        assert lines[end][26:].strip() == ""


def test_many_models_in_blocks(rng):
    atoms = random_stack(1, num_models=700)
    text = PdbTemplate(atoms).text(atoms.coord).decode()
    again = PDBFile.read(io.StringIO(text)).get_structure()
    np.testing.assert_allclose(again.coord, atoms.coord, rtol=0, atol=1.1e-3)
    assert "MODEL      700" in text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("chain_id", "AA", "chain id 'AA' is longer than PDB's one ASCII character"),
        ("res_name", "D-ALA", "residue name 'D-ALA' is longer than PDB's 3 ASCII characters"),
        ("atom_name", "HD111", "atom name 'HD111' is longer than PDB's 4 ASCII characters"),
        ("res_id", 10_000, "10000 residues are more than PDB's 9999"),
    ],
)
def test_what_columns_do_not_hold(name, value, message):
    atoms = random_stack(0)
    values = getattr(atoms, name).astype(object)
    values[3] = value
    setattr(atoms, name, values.astype(type(value)))
    with pytest.raises(ValueError, match=f"{message}; write .cif or .bcif instead"):
        PdbTemplate(atoms)


def test_too_many_atoms_and_models():
    atoms = random_stack(0, num_models=1, num_atoms=40)
    many = random_stack(0, num_models=1, num_atoms=100_000)
    PdbTemplate(many[..., 4:])
    with pytest.raises(ValueError, match="100003 atoms and chain ends are more than PDB's 99999"):
        PdbTemplate(many)
    with pytest.raises(ValueError, match="10000 models are more than PDB's 9999"):
        PdbTemplate(atoms).text(np.broadcast_to(atoms.coord, (10_000, 40, 3)))
