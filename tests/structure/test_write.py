import gzip
import io
import itertools

import numpy as np
import pytest
from biotite.structure import check_duplicate_atoms, distance
from biotite.structure.io.pdb import PDBFile
from biotite.structure.io.pdbx import BinaryCIFFile, CIFFile, get_structure

from foldpix.geometry import build_backbone, virtual_cb
from foldpix.structure import Backbone, place_oxygen, read_structure, write_structure

SUFFIXES = [".pdb", ".ent", ".cif", ".mmcif", ".bcif", ".pdb.gz", ".cif.gz", ".bcif.gz"]


def random_backbone(seed, length=None, chain="A"):
    rng = np.random.default_rng(seed)
    length = length or int(rng.integers(1, 80))
    coords = build_backbone(rng.uniform(-np.pi, np.pi, (length, 3))) + rng.uniform(-500, 500, 3)
    return Backbone(coords, "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWYX"), length)), chain=chain)


def read_with_biotite(path):
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    fields = ["b_factor", "occupancy"]
    if ".bcif" in path.name:
        return get_structure(BinaryCIFFile.read(io.BytesIO(data)), model=1, extra_fields=fields)
    if "cif" in path.name:
        return get_structure(CIFFile.read(io.StringIO(data.decode())), model=1, extra_fields=fields)
    return PDBFile.read(io.StringIO(data.decode())).get_structure(model=1, extra_fields=fields)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("seed", range(4))
def test_round_trip(tmp_path, suffix, seed):
    backbone = random_backbone(seed, chain="Q")
    path = tmp_path / f"model.{seed}{suffix}"
    write_structure(path, backbone)
    (again,) = read_structure(path)
    assert (again.name, again.chain, again.model) == (f"model.{seed}", "Q", 1)
    assert (again.sequence, again.num_dropped) == (backbone.sequence, 0)
    precision = 0 if "cif" in suffix else 6e-4
    np.testing.assert_allclose(again.coords, backbone.coords, rtol=0, atol=precision)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_biotite_reads_every_atom(tmp_path, suffix):
    backbone = random_backbone(9, length=30)
    b_factor = np.linspace(0, 100, 30)
    path = tmp_path / f"x{suffix}"
    write_structure(path, backbone, b_factor)
    atoms = read_with_biotite(path)
    names = [["N", "CA", "C", "O"] + ["CB"] * (letter != "G") for letter in backbone.sequence]
    assert atoms.atom_name.tolist() == list(itertools.chain(*names))
    assert atoms.element.tolist() == [name[0] for name in atoms.atom_name]
    assert not atoms.hetero.any()
    assert set(atoms.chain_id) == {"A"}
    assert not check_duplicate_atoms(atoms).any()
    np.testing.assert_allclose(atoms.occupancy, 1)
    ca = atoms[atoms.atom_name == "CA"]
    assert ca.res_id.tolist() == list(range(1, 31))
    assert [name == "UNK" for name in ca.res_name] == [letter == "X" for letter in backbone.sequence]
    np.testing.assert_allclose(atoms.b_factor, b_factor[atoms.res_id - 1], atol=0.0051)
    o, cb = place_oxygen(backbone.coords), virtual_cb(backbone.coords)
    np.testing.assert_allclose(atoms.coord[atoms.atom_name == "O"], o, atol=1e-3)
    not_glycine = np.array(list(backbone.sequence)) != "G"
    np.testing.assert_allclose(atoms.coord[atoms.atom_name == "CB"], cb[not_glycine], atol=1e-3)
    carbonyl = distance(atoms[atoms.atom_name == "C"], atoms[atoms.atom_name == "O"])
    np.testing.assert_allclose(carbonyl, 1.231, atol=2e-3)


def test_pdb_columns(tmp_path):
    coords = np.array([[[-999.999, 0, 1.0004], [9998, 9999.999, 2], [3, 4, 5]]])
    write_structure(tmp_path / "x.pdb", Backbone(coords, "G"), [-99.99])
    lines = (tmp_path / "x.pdb").read_text().splitlines()
    assert lines[0] == ("ATOM      1  N   GLY A   1    -999.999   0.000   1.000  1.00-99.99           N  ")
    assert lines[1].startswith("ATOM      2  CA  GLY A   1    9998.0009999.999   2.000  1.00")
    assert [line[:6].strip() for line in lines] == ["ATOM"] * 4 + ["TER", "END"]


@pytest.mark.parametrize("chain", ["", "  "])
@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif"])
def test_empty_chain_id_is_written_as_a(tmp_path, chain, suffix):
    write_structure(tmp_path / f"x{suffix}", random_backbone(0, chain=chain))
    assert read_structure(tmp_path / f"x{suffix}")[0].chain == "A"


@pytest.mark.parametrize("chain", ["AAAAA-2", "A b", "'", '"', "?", ".", "é", "_x"])
@pytest.mark.parametrize("suffix", [".cif", ".bcif"])
def test_any_chain_id_in_cif(tmp_path, suffix, chain):
    write_structure(tmp_path / f"x{suffix}", random_backbone(0, chain=chain))
    assert read_structure(tmp_path / f"x{suffix}")[0].chain == chain


def shifted(offset, chain="A"):
    backbone = random_backbone(3, length=5)
    coords = build_backbone(np.zeros((5, 3))) + offset
    return Backbone(coords, backbone.sequence, chain=chain)


@pytest.mark.parametrize(
    ("backbone", "b_factor", "message"),
    [
        (shifted(10_000.0), None, "outside PDB's -999.999 to 9999.999"),
        (shifted(-1_020.0), None, "outside PDB's -999.999 to 9999.999"),
        (shifted(0.0, "AA"), None, "chain id 'AA'"),
        (shifted(0.0, "é"), None, "chain id 'é'"),
        (shifted(0.0), [0, 0, 999.996, 0, 0], "B-factor 1000 is outside PDB's"),
        (shifted(0.0), [0, 0, -100, 0, 0], "B-factor -100 is outside PDB's"),
    ],
)
@pytest.mark.parametrize("suffix", [".pdb", ".ent.gz"])
def test_pdb_overflows_name_the_way_out(tmp_path, suffix, backbone, b_factor, message):
    with pytest.raises(ValueError, match=f"{message}.*write .cif or .bcif instead"):
        write_structure(tmp_path / f"x{suffix}", backbone, b_factor)
    assert list(tmp_path.iterdir()) == []
    for other in (".cif", ".bcif"):
        write_structure(tmp_path / f"x{other}", backbone, b_factor)
        (again,) = read_structure(tmp_path / f"x{other}")
        np.testing.assert_array_equal(again.coords, backbone.coords)


def test_a_placed_oxygen_can_overflow_too(tmp_path):
    coords = random_backbone(1, length=1).coords
    o = place_oxygen(coords)[0]
    axis = int(np.argmax(o - coords[0].max(axis=0)))
    assert o[axis] > coords[0, :, axis].max() + 0.1
    coords = coords + np.float32(9999.95 - coords[0, :, axis].max()) * np.eye(3, dtype=np.float32)[axis]
    with pytest.raises(ValueError, match="outside PDB's"):
        write_structure(tmp_path / "x.pdb", Backbone(coords, "A"))


def test_more_residues_than_pdb_numbers(tmp_path):
    coords = np.tile(random_backbone(0, length=1).coords, (10_000, 1, 1))
    with pytest.raises(ValueError, match=r"10000 residues are more than PDB's 9999.*\.cif"):
        write_structure(tmp_path / "x.pdb", Backbone(coords, "A" * 10_000))
    write_structure(tmp_path / "x.pdb", Backbone(coords[1:], "A" * 9_999))
    assert len(read_structure(tmp_path / "x.pdb")[0]) == 9_999


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".bcif"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(tmp_path, suffix, value):
    backbone = random_backbone(0, length=5)
    with pytest.raises(ValueError, match="not finite"):
        write_structure(tmp_path / f"x{suffix}", backbone, [0, value, 0, 0, 0])
    backbone.coords[2, 1, 0] = value
    with pytest.raises(ValueError, match="not finite"):
        write_structure(tmp_path / f"x{suffix}", backbone)


@pytest.mark.parametrize("b_factor", [1.0, [1.0] * 4, [[1.0]] * 5])
def test_b_factor_is_one_a_residue(tmp_path, b_factor):
    with pytest.raises(ValueError, match=r"5 residues need \(5,\)"):
        write_structure(tmp_path / "x.cif", random_backbone(0, length=5), b_factor)


def test_unknown_suffix(tmp_path):
    with pytest.raises(ValueError, match=r"\.pdb, \.ent, \.cif"):
        write_structure(tmp_path / "x.txt", random_backbone(0))


def test_the_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.pdb"
    write_structure(path, random_backbone(0))
    before = path.read_bytes()

    def full_disk(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_structure(path, random_backbone(1))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_same_bytes_every_time(tmp_path):
    for suffix in SUFFIXES:
        write_structure(tmp_path / f"a{suffix}", random_backbone(0))
        write_structure(tmp_path / f"b{suffix}", random_backbone(0))
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
