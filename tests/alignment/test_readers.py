"""Files of molecules, with records that are broken."""

import gzip

import numpy as np
import pytest
from rdkit import Chem

from foldpix.alignment.readers import read_molecules
from tests.alignment.conftest import embed

MOL2 = """@<TRIPOS>MOLECULE
water
 3 2 0 0 0
SMALL
NO_CHARGES

@<TRIPOS>ATOM
 1 O 0.0 0.0 0.117 O.3 1 HOH 0.0
 2 H1 0.0 0.757 -0.469 H 1 HOH 0.0
 3 H2 0.0 -0.757 -0.469 H 1 HOH 0.0
@<TRIPOS>BOND
 1 1 2 1
 2 1 3 1
"""


def block(smiles, name):
    mol = embed(smiles)
    mol.SetProp("_Name", name)
    return Chem.MolToMolBlock(mol)


@pytest.mark.parametrize("name", ["x.v2.sdf", "x.v2.SDF.GZ", "x.v2.sd"])
def test_broken_records_stop_nothing(tmp_path, name):
    drawing = Chem.MolToMolBlock(Chem.MolFromSmiles("CCC"))
    records = [block("CCO", "ethanol"), "garbage\n\n\nxx\n", drawing, block("C", "")]
    text = "$$$$\n".join(records).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith("GZ") else text)
    ethanol, garbage, flat, methane = read_molecules(path)
    assert (ethanol.name, garbage.name, methane.name) == ("ethanol", "x.v2_2", "x.v2_4")
    assert ethanol.mol.GetNumAtoms() == 9 and methane.mol.GetNumAtoms() == 5
    assert garbage.mol is None and "no molecule" in garbage.error
    assert flat.mol is None and "two dimensions" in flat.error


def test_every_format_gives_the_same_atoms(tmp_path):
    mol = embed("CC(=O)N")
    (tmp_path / "a.pdb").write_text(Chem.MolToPDBBlock(mol))
    (tmp_path / "a.mol").write_text(Chem.MolToMolBlock(mol))
    for name in ("a.pdb", "a.mol"):
        (record,) = read_molecules(tmp_path / name)
        assert [atom.GetSymbol() for atom in record.mol.GetAtoms()] == [a.GetSymbol() for a in mol.GetAtoms()]
        assert record.mol.GetConformer().GetPositions() == pytest.approx(
            mol.GetConformer().GetPositions(), abs=1e-3
        )


def test_mol2_files_hold_many_molecules(tmp_path):
    (tmp_path / "a.mol2").write_text("# a comment\n" + MOL2 + MOL2.replace("water", "more"))
    records = list(read_molecules(tmp_path / "a.mol2"))
    assert [record.name for record in records] == ["water", "more"]
    assert records[1].mol.GetConformer().GetPositions()[1] == pytest.approx([0.0, 0.757, -0.469])


def test_smiles_get_the_same_conformer_every_time(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO ethanol alcohol\n\nno_smiles\nCB(O)O\nCC\tethane\n")
    first, again = list(read_molecules(path)), list(read_molecules(path))
    assert [record.name for record in first] == ["ethanol alcohol", "a_2", "CB(O)O", "ethane"]
    assert [record.mol is None for record in first] == [False, True, False, False]
    for one, two in zip(first, again, strict=True):
        if one.mol is not None:
            assert np.array_equal(
                one.mol.GetConformer().GetPositions(), two.mol.GetConformer().GetPositions()
            )
    oxygen, carbon = first[0].mol.GetConformer().GetPositions()[[2, 1]]
    assert np.linalg.norm(oxygen - carbon) == pytest.approx(1.42, abs=0.03)


def test_an_empty_file_has_no_molecule(tmp_path):
    (tmp_path / "a.sdf").write_text("")
    assert list(read_molecules(tmp_path / "a.sdf")) == []


def test_unknown_endings_and_broken_gzip_are_named(tmp_path):
    (tmp_path / "a.xyz").write_text("")
    with pytest.raises(ValueError, match=r"a\.xyz is of no known format; .*\.sdf.*\.smi"):
        next(read_molecules(tmp_path / "a.xyz"))
    (tmp_path / "a.sdf.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    with pytest.raises(ValueError, match=r"a\.sdf\.gz: the gzip data is truncated"):
        list(read_molecules(tmp_path / "a.sdf.gz"))
