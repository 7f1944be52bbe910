import gzip
import io

import numpy as np
import pytest
from biotite.structure import check_duplicate_atoms
from biotite.structure.io.pdb import PDBFile
from biotite.structure.io.pdbx import BinaryCIFFile, CIFFile, get_structure

from foldpix.generation.peptide import BatchedPeptide
from foldpix.generation.rotamers import draw_chi
from foldpix.generation.sidechains import full_atom_layout, place_side_chains
from foldpix.structure import StructureError, count_chains
from tests.generation.peptides import ATOMS, backbone, drawn, helix, peptide_of

SUFFIXES = [".pdb", ".ent", ".cif", ".mmcif", ".bcif", ".pdb.gz", ".cif.gz", ".bcif.gz"]


def read_with_biotite(path):
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    if ".bcif" in path.name:
        return get_structure(BinaryCIFFile.read(io.BytesIO(data)))
    if "cif" in path.name:
        return get_structure(CIFFile.read(io.StringIO(data.decode())))
    return PDBFile.read(io.StringIO(data.decode())).get_structure()


def of_two_chains(num=3):
    names = ["ALA", "GLY", "D-PHE", "SEC", "TRP"]
    is_d = [name.startswith("D-") for name in names]
    return peptide_of(backbone(drawn(0, num, 5, spread=50), is_d), names, "AAABB")


def test_text_of_one_member():
    names = ["N", "CA", "C", "O", "CB", "N", "CA", "C", "O", "CB", "N", "CA", "SE", "HB2"]
    coords = np.zeros((2, 14, 3))
    coords[1] = np.arange(14)[:, None] * [1.0, -10.5, 100.0004]
    batch = BatchedPeptide(
        *(coords, ["GLY", "D-ALA", "SEC"], names, [1] * 5 + [2] * 5 + [1] * 4, ["A"] * 10 + ["B"] * 4),
        atom_mask=[k != 4 for k in range(14)],
    )
    assert [line.rstrip() for line in batch.to_pdb(1).splitlines()] == [
        "ATOM      1  N   GLY A   1       0.000   0.000   0.000  1.00  0.00           N",
        "ATOM      2  CA  GLY A   1       1.000 -10.500 100.000  1.00  0.00           C",
        "ATOM      3  C   GLY A   1       2.000 -21.000 200.001  1.00  0.00           C",
        "ATOM      4  O   GLY A   1       3.000 -31.500 300.001  1.00  0.00           O",
        "HETATM    5  N   DAL A   2       5.000 -52.500 500.002  1.00  0.00           N",
        "HETATM    6  CA  DAL A   2       6.000 -63.000 600.002  1.00  0.00           C",
        "HETATM    7  C   DAL A   2       7.000 -73.500 700.003  1.00  0.00           C",
        "HETATM    8  O   DAL A   2       8.000 -84.000 800.003  1.00  0.00           O",
        "HETATM    9  CB  DAL A   2       9.000 -94.500 900.004  1.00  0.00           C",
        "TER      10      DAL A   2",
        "HETATM   11  N   SEC B   1      10.000-105.0001000.004  1.00  0.00           N",
        "HETATM   12  CA  SEC B   1      11.000-115.5001100.004  1.00  0.00           C",
        "HETATM   13 SE   SEC B   1      12.000-126.0001200.005  1.00  0.00          SE",
        "HETATM   14  HB2 SEC B   1      13.000-136.5001300.005  1.00  0.00           H",
        "TER      15      SEC B   1",
        "END",
    ]
    assert batch.to_pdb(-1) == batch.to_pdb(np.int64(1)) == batch[1].to_pdb()
    assert batch.to_pdb() == batch.to_pdb(index=0) != batch.to_pdb(1)


def test_save_pdb_is_the_text_and_makes_folders(tmp_path):
    batch = of_two_chains()
    path = tmp_path / "new" / "folder" / "x.pdb"
    batch.save_pdb(path, index=2)
    assert path.read_text() == batch.to_pdb(2)
    batch.save_pdb(str(path))
    assert path.read_text() == batch.to_pdb(0)
    assert [entry.name for entry in path.parent.iterdir()] == ["x.pdb"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_biotite_reads_all_models(tmp_path, suffix):
    batch = of_two_chains()
    path = tmp_path / f"new/x{suffix}"
    batch.save(path)
    read, stack = read_with_biotite(path), batch.to_stack()
    for name in ("chain_id", "res_id", "res_name", "atom_name", "element", "hetero"):
        assert read.get_annotation(name).tolist() == stack.get_annotation(name).tolist(), name
    precision = 0 if "cif" in suffix else 5.1e-4
    np.testing.assert_allclose(read.coord, stack.coord, rtol=0, atol=precision)
    assert not check_duplicate_atoms(read[0]).any()
    assert count_chains(path) == 2 * len(batch)


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif"])
@pytest.mark.parametrize(("index", "chosen"), [(1, [1]), (slice(1, None), [1, 2]), ([2, 0], [2, 0])], ids=str)
def test_some_members(tmp_path, suffix, index, chosen):
    batch = helix(3, 6)
    batch.save(tmp_path / f"x{suffix}", index)
    read = read_with_biotite(tmp_path / f"x{suffix}")
    np.testing.assert_allclose(read.coord, batch.to_stack().coord[chosen], rtol=0, atol=5.1e-4)


def test_residues_are_numbered_by_chain_and_chains_are_ended():
    lines = of_two_chains().to_pdb().splitlines()
    numbers = [(line[21], int(line[22:26])) for line in lines if line[12:16] == " CA "]
    assert numbers == [("A", 1), ("A", 2), ("A", 3), ("B", 1), ("B", 2)]
    assert [line[:3] for line in lines].count("TER") == 2


@pytest.mark.parametrize("index", [3, -4, 100])
def test_no_such_member(tmp_path, index):
    batch = helix(3, 4)
    for call in (batch.to_pdb, lambda k: batch.save_pdb(tmp_path / "x.pdb", k)):
        with pytest.raises(IndexError, match=f"member {index} of a batch of 3; there are 0 to 2"):
            call(index)
    with pytest.raises(IndexError):
        batch.save(tmp_path / "x.pdb", index)
    assert list(tmp_path.iterdir()) == []


def moved(offset):
    return BatchedPeptide(np.full((2, 1, 3), offset), ["GLY"], ["CA"], [1])


def with_chain(chain):
    return BatchedPeptide(np.zeros((1, 1, 3)), ["GLY"], ["CA"], [1], [chain])


def long_chain(length, names="C"):
    numbers = np.repeat(np.arange(1, length + 1), len(names))
    return BatchedPeptide(np.zeros((1, len(numbers), 3)), ["GLY"] * length, list(names) * length, numbers)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (moved(9999.9996), "coordinate 10000 is outside PDB's -999.999 to 9999.999"),
        (moved(-999.9996), "coordinate -1000 is outside PDB's"),
        (with_chain("AA"), "chain id 'AA' is longer than PDB's one ASCII character"),
        (long_chain(10_000), "10000 residues are more than PDB's 9999"),
        (long_chain(9_999, "ABCDEFGHIJK"), "109990 atoms and chain ends are more than PDB's 99999"),
        (
            BatchedPeptide(np.zeros((10_000, 1, 3)), ["GLY"], ["CA"], [1]),
            "10000 models are more than PDB's 9999",
        ),
        (BatchedPeptide(np.zeros((1, 1, 3)), ["D-FOO"], ["CA"], [1]), "residue name 'D-FOO' is longer"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_what_pdb_does_not_hold_names_the_way_out(tmp_path, batch, message):
    with pytest.raises(ValueError, match=f"{message}.*; write .cif or .bcif instead"):
        batch.save(tmp_path / "x.pdb")
    assert list(tmp_path.iterdir()) == []
    batch.save(tmp_path / "x.bcif")
    assert read_with_biotite(tmp_path / "x.bcif").coord.shape == batch.coords.shape


def test_the_last_numbers_that_fit(tmp_path):
    moved(9999.9994).save(tmp_path / "x.pdb")
    long_chain(9_999).save(tmp_path / "y.pdb")
    assert read_with_biotite(tmp_path / "y.pdb").res_id[-1] == 9_999


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif"])
def test_what_cannot_be_written(tmp_path, suffix):
    batch = helix(3, 4)
    with pytest.raises(ValueError, match="there is no structure left"):
        batch[:0].save(tmp_path / f"x{suffix}")
    batch.coords[1, 3, 0] = np.nan
    with pytest.raises(ValueError, match="member 1 has coordinates that are not finite"):
        batch.save(tmp_path / f"x{suffix}")
    assert list(tmp_path.iterdir()) == []
    batch.save(tmp_path / f"x{suffix}", [0, 2])


def test_unknown_suffix(tmp_path):
    with pytest.raises(StructureError, match=r"unknown suffix of 'x\.xyz'; known are \.pdb"):
        helix(1, 4).save(tmp_path / "x.xyz")


def test_the_virtual_cb_is_no_atom():
    names = ["GLY", "ALA", "GLY"]
    batch = peptide_of(backbone(drawn(0, 1, 3)), names)
    assert batch.n_atoms == 15
    lines = [line for line in batch.to_pdb().splitlines() if line.startswith("ATOM")]
    assert [line[12:16].strip() for line in lines] == [*ATOMS[:4], *ATOMS, *ATOMS[:4]]


def test_all_atoms(tmp_path):
    names = ["MET", "SEC", "D-TRP", "GLY", "HIS", "ARG"]
    layout = full_atom_layout((tuple(names[:4]), tuple(names[4:])))
    is_d = [name.startswith("D-") for name in names]
    chi = draw_chi(tuple(names), 0, np.arange(2))
    coords = place_side_chains(backbone(drawn(0, 2, 6), is_d), layout, chi)
    chain_ids = np.array(["A", "B"])[layout.chain_N]
    batch = BatchedPeptide(coords, names, layout.atom_names, layout.number_N, chain_ids)
    for suffix in (".pdb", ".bcif"):
        batch.save(tmp_path / f"x{suffix}")
        read = read_with_biotite(tmp_path / f"x{suffix}")
        assert tuple(read.atom_name.tolist()) == layout.atom_names
        assert tuple(read.element.tolist()) == layout.elements
        np.testing.assert_allclose(read.coord, coords, rtol=0, atol=5.1e-4)
    by_residue, mask = batch.by_residue()
    np.testing.assert_array_equal(by_residue[:, mask], coords)
    off = {check.name for check in batch.validate().checks if not check.ok}
    assert off <= {"clashes", "Ramachandran"}
