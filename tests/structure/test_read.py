"""Suffixes, compression and faults of files."""

import gzip
import pickle
import random
import re
from pathlib import Path

import pytest

from foldpix.structure import Backbone, StructureError, read_structure, write_structure


@pytest.fixture
def chain(residue):
    return [*residue(0, "MET"), *residue(1, "LYS")]


@pytest.mark.parametrize("suffix", [".pdb", ".ENT", ".Pdb.GZ", ".ent.gz"])
def test_pdb_suffixes(tmp_path, chain, pdb_text, suffix):
    data = pdb_text(chain).encode()
    path = tmp_path / f"pdb1.a-b{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.lower().endswith("gz") else data)
    (backbone,) = read_structure(str(path))
    assert (backbone.name, backbone.sequence) == ("pdb1.a-b", "MK")


@pytest.mark.parametrize("suffix", [".cif", ".CIF.gz", ".mmcif", ".mmCIF.gz"])
def test_cif_suffixes(tmp_path, chain, cif_text, suffix):
    data = cif_text(chain).encode()
    path = tmp_path / f"1abc{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.lower().endswith("gz") else data)
    (backbone,) = read_structure(path)
    assert (backbone.name, backbone.sequence) == ("1abc", "MK")


@pytest.mark.parametrize("name", ["1abc.xyz", "1abc.pdb.bz2", "1abc", "1abc.gz", "1abc.mmtf.gz"])
def test_unknown_suffix_names_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"ATOM")
    with pytest.raises(StructureError, match=r"\.pdb, \.ent, \.cif, \.mmcif, \.bcif"):
        read_structure(tmp_path / name)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize("kind", ["pdb", "cif"])
def test_line_ends(tmp_path, chain, pdb_text, cif_text, kind, newline):
    text = {"pdb": pdb_text, "cif": cif_text}[kind](chain)
    path = tmp_path / f"x.{kind}"
    path.write_bytes(text.replace("\n", newline).encode())
    assert read_structure(path)[0].sequence == "MK"


def test_bytes_that_are_no_utf8_beside_the_atoms(tmp_path, chain, pdb_text, cif_text):
    (tmp_path / "x.pdb").write_bytes(b"AUTHOR    J.M\xfcLLER \x85\n" + pdb_text(chain).encode())
    (tmp_path / "x.cif").write_bytes(b"# \xfc\xff\n" + cif_text(chain).encode())
    assert [read_structure(tmp_path / f"x.{kind}")[0].sequence for kind in ("pdb", "cif")] == ["MK", "MK"]


def test_blank_chain_id_and_short_lines(tmp_path, residue, pdb_text):
    lines = pdb_text([*residue(0, chain=""), *residue(1, chain="")]).split("\n")
    path = tmp_path / "x.pdb"
    path.write_text("\n".join(line[:54] for line in lines))  # no occupancy
    (backbone,) = read_structure(path)
    assert (backbone.chain, len(backbone)) == ("", 2)


def test_models_without_endmdl_and_an_empty_model(tmp_path, chain, pdb_text):
    body = "\n".join(line for line in pdb_text(chain).split("\n") if line.startswith("ATOM"))
    path = tmp_path / "x.pdb"
    path.write_text(f"MODEL        1\nENDMDL\nMODEL        2\n{body}\nMODEL        3\n{body}\nENDMDL\n")
    assert [b.model for b in read_structure(path, models="all")] == [1, 2]
    assert len(read_structure(path)) == 1


def test_cif_author_and_label_columns(tmp_path):
    names = re.findall(
        r"\w+", "group_PDB label_atom_id label_comp_id label_asym_id auth_asym_id label_seq_id auth_seq_id"
    )
    rows = [("N", 0.0), ("CA", 1.0), ("C", 2.0)]
    text = ["data_x", "loop_", *(f"_atom_site.{name}" for name in [*names, "Cartn_x", "Cartn_y", "Cartn_z"])]
    # both residues have author number "?": their label numbers tell them apart
    text += [f"ATOM {name} GLY B heavy {i} ? {x + 4 * i} 0 0" for i in (1, 2) for name, x in rows]
    path = tmp_path / "x.cif"
    path.write_text("\n".join(text))
    (backbone,) = read_structure(path)
    assert (backbone.chain, backbone.sequence) == ("heavy", "GG")
    path.write_text("\n".join(text).replace("_atom_site.auth_asym_id", "_atom_site.something"))
    assert read_structure(path)[0].chain == "B"


def test_cif_quotes_line_breaks_and_other_tables(tmp_path):
    text = """data_x
_entry.id x
loop_
_atom_site.id
_atom_site.label_atom_id
_atom_site.label_comp_id
_atom_site.auth_asym_id
_atom_site.auth_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
1 "N" 'GLY' "A b" 1 0 0 0
2 CA
GLY 'A b' 1 1 1 0
3 C GLY "A b" 1 2 0 0
4 "O5'" NAG "A b" 2 9 9 9
loop_
_citation.id
_citation.title
1 'the end'
"""
    (tmp_path / "x.cif").write_text(text)
    (backbone,) = read_structure(tmp_path / "x.cif")
    assert (backbone.chain, backbone.sequence) == ("A b", "G")
    assert backbone.coords.tolist() == [[[0, 0, 0], [1, 1, 0], [2, 0, 0]]]


ATOM = "ATOM      1  N   GLY A   1      {}   0.000   0.000  1.00  0.00"
LOOP = "data_x\nloop_\n_atom_site.label_atom_id\n_atom_site.label_comp_id\n_atom_site.auth_asym_id\n"
CARTN = "_atom_site.auth_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n"

FAULTS = {
    "empty.pdb": (b"", "empty"),
    "blank.cif": (b" \n \n", "empty"),
    "empty.bcif": (b"", "empty"),
    "empty.pdb.gz": (b"", "empty"),
    "emptied.pdb.gz": (gzip.compress(b""), "empty"),
    "text.pdb": (b"this is no structure\n" * 9, "no atom record"),
    "text.cif": (b"this is no structure\n" * 9, "no atom_site table"),
    "text.bcif": (b"this is no structure\n" * 9, "not a BinaryCIF file"),
    "half.pdb.gz": (gzip.compress(b"ATOM " * 99)[:-9], "gzip"),
    "garbage.pdb.gz": (b"\x00\x01garbage", "gzip"),
    "flipped.pdb.gz": (gzip.compress(b"ATOM " * 99)[:20] + b"\xff" * 30, "gzip"),
    "gzipped-garbage.bcif.gz": (gzip.compress(bytes(range(256))), "not a BinaryCIF file"),
    "gzipped-garbage.cif.gz": (gzip.compress(bytes(range(256))), "no atom_site table"),
    "map.bcif": (b"\x81\xa3abc\x01", "not a BinaryCIF file"),
    "utf16.pdb": (ATOM.encode("utf-16"), "no atom record"),
    "star.pdb": (ATOM.format("********").encode(), "line 1: coordinates"),
    "shifted.pdb": (("HEADER\n" + ATOM.format("   1.0 .0")).encode(), "line 2: coordinates"),
    "short.pdb": (ATOM.format("   1.000").encode()[:40], "line 1: coordinates"),
    "loop-without-rows.cif": ((LOOP + CARTN).encode(), "empty or broken"),
    "loop-with-half-a-row.cif": ((LOOP + CARTN + "N GLY A 1 0 0 0\nCA GLY").encode(), "empty or broken"),
    "word.cif": ((LOOP + CARTN + "N GLY A 1 here 0 0\n").encode(), "no numbers"),
    "no-coordinates.cif": ((LOOP + "N GLY A\n").encode(), "has no Cartn_x"),
    "no-names.cif": (b"data_x\nloop_\n_atom_site.id\n1\n", "has no label_atom_id"),
    "unknown-coordinates.cif": ((LOOP + CARTN + "CA GLY A 1 ? . ?\n").encode(), "none with N, CA and C"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line_reasons(tmp_path, name):
    data, reason = FAULTS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(StructureError, match=reason) as error:
        read_structure(tmp_path / name)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_structure(tmp_path / "absent.pdb")


def test_models_is_first_or_all(tmp_path):
    with pytest.raises(ValueError, match="'first' or 'all'"):
        read_structure(tmp_path / "x.pdb", models="1")


def test_error_travels_between_processes():
    assert str(pickle.loads(pickle.dumps(StructureError("no atom record")))) == "no atom record"


def _damaged(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        return data[: rng.randrange(len(data))]
    if kind == 1:
        return rng.randbytes(rng.randrange(2000))
    if kind == 2:
        start = rng.randrange(len(data))
        del damaged[start : start + rng.randrange(300)]
        return bytes(damaged)
    for _ in range(rng.choice([1, 10, 100])):
        damaged[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_read_or_refused(entry, residue, seed):
    """No other exception and (as pytest makes errors of them) no warning, whatever the bytes."""
    path: Path = entry([row for i in range(12) for row in residue(i)])
    data, rng, refused = path.read_bytes(), random.Random(seed), 0
    for _ in range(150):
        path.write_bytes(_damaged(rng, data))
        try:
            assert all(isinstance(backbone, Backbone) for backbone in read_structure(path))
        except StructureError as error:
            assert "\n" not in str(error)
            refused += 1
    assert 0 < refused < 150


def test_a_file_of_our_own_truncated_anywhere(tmp_path, entry, residue):
    (backbone,) = read_structure(entry([*residue(0), *residue(1), *residue(2)]))
    path = tmp_path / "x.bcif.gz"
    write_structure(path, backbone)
    data = path.read_bytes()
    for length in range(0, len(data) - 1, 97):
        path.write_bytes(data[:length])
        with pytest.raises(StructureError, match=r"gzip|empty"):
            read_structure(path)
