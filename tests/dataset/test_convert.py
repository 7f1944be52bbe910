import gzip
import hashlib
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest

import foldpix.dataset.convert as convert
from foldpix.dataset.convert import Conversion, ConvertOptions, OutputError, convert_source
from foldpix.dataset.sources import Source, key_of
from foldpix.image import picture_of, png_bytes, read_png
from foldpix.structure import read_structure

# An ideal helix: radius, angle and height of N, CA and C in cylinder coordinates; 100 degrees and 1.5 A on.
HELIX = {"N": (1.55, -28.3, -0.9), "CA": (2.29, 0.0, 0.0), "C": (1.68, 26.9, 1.07)}
ATOM = "ATOM  {:5d}  {:<3s} ALA {}{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           {}\n"


def helix_lines(length, chain="A", shift=0.0, atoms=HELIX):
    lines, serial = "", 0
    for residue in range(length):
        for name, (radius, angle, height) in atoms.items():
            serial += 1
            turn = math.radians(angle + 100 * residue)
            place = radius * math.cos(turn) + shift, radius * math.sin(turn), height + 1.5 * residue
            lines += ATOM.format(serial, name, chain, residue + 1, *place, name[0])
    return lines


def still(length, places):
    """A chain whose residues all have N, CA and C at the same ``places``."""
    return "".join(
        ATOM.format(3 * residue + number, name, "A", residue + 1, *place, name[0])
        for residue in range(length)
        for number, (name, place) in enumerate(zip(HELIX, places, strict=True))
    )


def models(*texts):
    return "".join(f"MODEL     {number:4d}\n{text}ENDMDL\n" for number, text in enumerate(texts, 1))


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out" / ".tmp").mkdir(parents=True)
    return tmp_path / "out"


def convert_text(tmp_path, out, text, name="1abc.pdb", **options) -> Conversion:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return convert_source(Source(str(path)), ConvertOptions(out, **options))


def files(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_png_fasta_and_row(tmp_path, out):
    rows, num_new, _ = convert_text(tmp_path, out, helix_lines(50), d_max=60.0)
    assert files(out) == ["bin_40_64/1abc.png", "fasta/1abc.fasta"]
    assert (out / "fasta/1abc.fasta").read_text() == ">1abc\n" + "A" * 50 + "\n"
    picture = read_png(out / "bin_40_64/1abc.png")
    truth = picture_of(read_structure(tmp_path / "1abc.pdb")[0], 60.0)
    np.testing.assert_array_equal(picture.pixels, truth.pixels)
    assert (picture.name, picture.chain, picture.sequence, picture.d_max) == ("1abc", "A", "A" * 50, 60.0)
    (row,) = rows
    assert num_new == 1
    assert (row.status, row.reason, row.id, row.chain, row.length) == ("converted", "", "1abc", "A", 50)
    assert (row.bin, row.source) == ("bin_40_64", str(tmp_path / "1abc.pdb"))
    assert row.checksum == hashlib.md5(picture.pixels.tobytes()).hexdigest()


def test_dropped_residues_are_in_the_row(tmp_path, out):
    lines = helix_lines(50).splitlines(keepends=True)
    del lines[3 * 7], lines[3 * 20]  # N of one residue, N of another
    (row,) = convert_text(tmp_path, out, "".join(lines)).rows
    assert (row.status, row.length, row.dropped) == ("converted", 48, 2)


@pytest.mark.parametrize("length", [40, 64, 65, 1024])
def test_bin_folder(tmp_path, out, length):
    (row,) = convert_text(tmp_path, out, helix_lines(length)).rows
    assert (out / row.bin / "1abc.png").exists()
    low, high = map(int, row.bin.split("_")[1:])
    assert low <= length <= high


TWO = helix_lines(40) + "TER\n" + helix_lines(41, "B", 30.0)
FLAT = [(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (3.0, 0.0, 0.0)]
BENT = [(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (1.5, 1.5, 0.0)]
RNA = "ATOM      1  P     U A   1      10.000  10.000  10.000  1.00  0.00           P\n"
NAN = helix_lines(50).replace(helix_lines(50)[30:54], f"{'nan':>8}" * 3)


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("", "failed", "the file is empty"),
        ("Dear editor,\nplease find enclosed.\n", "failed", ""),
        (b"\x00\xff\x93" * 500, "failed", ""),
        (RNA, "failed", "no amino-acid residue"),
        (helix_lines(50, atoms={"CA": HELIX["CA"]}), "failed", "none with N, CA and C"),
        (helix_lines(3), "skipped", "3 residues, fewer than 40"),
        (helix_lines(39), "skipped", "39 residues, fewer than 40"),
        (helix_lines(1025), "skipped", "1025 residues, more than 1024"),
        (helix_lines(2000), "skipped", "2000 residues, more than 1024"),
        (TWO, "skipped", "2 chains; chains=split takes each"),
        (models(helix_lines(40), helix_lines(40)), "skipped", "2 models; models=first takes the first"),
        (still(50, [(1.0, 2.0, 3.0)] * 3), "failed", "degenerate backbone"),
        (still(50, FLAT), "failed", "degenerate backbone"),
        (
            helix_lines(60) + still(1, [BENT[0], BENT[0], BENT[2]]).replace("A   1 ", "A  61 "),
            "failed",
            "first in number 61",
        ),
    ],
)
def test_rejected(tmp_path, out, text, status, reason):
    rows, num_new, _ = convert_text(tmp_path, out, text)
    (row,) = rows
    assert (row.status, row.id, row.bin, row.checksum) == (status, "1abc", "", "")
    assert reason in row.reason
    assert row.reason
    assert "\n" not in row.reason
    assert num_new == 0
    assert files(out) == []


def test_all_coordinates_nan(tmp_path, out):
    lines = [line[:30] + f"{'nan':>8}" * 3 + line[54:] for line in helix_lines(50).splitlines(keepends=True)]
    (row,) = convert_text(tmp_path, out, "".join(lines)).rows
    assert row.status == "failed"
    assert row.reason
    assert files(out) == []


def test_frames_apart_but_places_equal(tmp_path, out):
    """Each residue has a frame, but all lie on one another: no direction between them."""
    (row,) = convert_text(tmp_path, out, still(50, BENT)).rows
    assert row.status == "failed"
    assert files(out) == []


@pytest.mark.parametrize("cut", [10, 200])
def test_truncated_gz(tmp_path, out, cut):
    (row,) = convert_text(tmp_path, out, gzip.compress(helix_lines(50).encode())[:cut], "1abc.pdb.gz").rows
    assert (row.status, row.id) == ("failed", "1abc")
    assert "truncated" in row.reason


def test_vanished_folder_and_pipe(tmp_path, out):
    (tmp_path / "d.pdb").mkdir()
    os.mkfifo(tmp_path / "p.pdb")
    reasons = [
        convert_source(Source(str(tmp_path / name)), ConvertOptions(out)).rows[0].reason
        for name in ("gone.pdb", "d.pdb", "p.pdb")
    ]
    assert reasons == ["cannot read: No such file or directory", "not a regular file", "not a regular file"]


def test_unreadable(tmp_path, out, monkeypatch):
    def refuse(path, models):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(convert, "read_structure", refuse)
    (row,) = convert_text(tmp_path, out, helix_lines(50)).rows
    assert (row.status, row.reason) == ("failed", "cannot read: Permission denied")


def test_unexpected_exception_is_a_row(tmp_path, out, monkeypatch):
    monkeypatch.setattr(convert, "picture_of", lambda *_: {}["no such\nkey"])
    (row,) = convert_text(tmp_path, out, helix_lines(50)).rows
    assert (row.status, row.length) == ("failed", 50)
    assert row.reason.startswith("KeyError: ")


def test_refusal(tmp_path, out):
    (row,) = convert_source(
        Source("/d/1abc.pdb", "duplicate id 1abc, also /e/1abc.pdb"), ConvertOptions(out)
    ).rows
    assert (row.status, row.reason) == ("failed", "duplicate id 1abc, also /e/1abc.pdb")


def test_chains_split(tmp_path, out):
    text = TWO + "TER\n" + helix_lines(5, "C", 60.0)
    rows, num_new, _ = convert_text(tmp_path, out, text, chains="split")
    assert [(row.status, row.id, row.chain, row.length) for row in rows] == [
        ("converted", "1abc_A", "A", 40),
        ("converted", "1abc_B", "B", 41),
        ("skipped", "1abc_C", "C", 5),
    ]
    assert num_new == 2
    assert read_png(out / "bin_40_64/1abc_B.png").chain == "B"
    assert (out / "fasta/1abc_B.fasta").read_text() == ">1abc_B\n" + "A" * 41 + "\n"


def test_models_first(tmp_path, out):
    (row,) = convert_text(
        tmp_path, out, models(helix_lines(40), helix_lines(40, shift=9.0)), models="first"
    ).rows
    assert (row.status, row.id) == ("converted", "1abc")


@pytest.mark.parametrize(
    ("path", "chain", "key"),
    [
        ("/d/1abc.pdb", "", "1abc"),
        ("/d/1abc.cif.gz", "B", "1abc_B"),
        ("/d/AF-P1.v4.1.BCIF.GZ", "", "AF-P1_v4_1"),
        ("/d/my file.ent", "A-2", "my_file_A-2"),
        ("/d/1abc.pdb", "a.b", "1abc_a_b"),
    ],
)
def test_key(path, chain, key):
    assert key_of(path, chain) == key


def test_equal_content_is_done_already(tmp_path, out):
    first = convert_text(tmp_path, out, helix_lines(50))
    before = (out / "bin_40_64/1abc.png").stat()
    again = convert_text(tmp_path, out, helix_lines(50))
    assert again.rows == first.rows
    assert again.num_new == 0
    assert (out / "bin_40_64/1abc.png").stat().st_ino == before.st_ino
    assert stat.S_IMODE(before.st_mode) & 0o444


@pytest.mark.parametrize("other", [helix_lines(50).replace("1.5", "1.7"), helix_lines(300)])
def test_other_content_is_a_duplicate(tmp_path, out, other):
    convert_text(tmp_path, out, helix_lines(50))
    before = {name: (out / name).read_bytes() for name in files(out)}
    (row,) = convert_text(tmp_path, out, other).rows
    assert row.status == "failed"
    assert row.reason.startswith("duplicate id 1abc, ")
    assert {name: (out / name).read_bytes() for name in files(out)} == before


def test_duplicate_leaves_no_fasta_of_its_own(tmp_path, out):
    convert_text(tmp_path, out, helix_lines(50))
    (out / "fasta/1abc.fasta").unlink()
    (row,) = convert_text(tmp_path, out, helix_lines(50, "B")).rows
    assert row.status == "failed"
    assert files(out) == ["bin_40_64/1abc.png"]


def test_too_long_id(tmp_path, out):
    (row,) = convert_text(tmp_path, out, helix_lines(50), "x" * 250 + ".pdb").rows
    assert row.status == "failed"
    assert "longer than 240 bytes" in row.reason


def test_durable_syncs_before_it_returns(tmp_path, out, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())))
    convert_text(tmp_path, out, helix_lines(50))
    assert synced == []
    convert_text(tmp_path, out, helix_lines(51), "2abc.pdb", durable=True)
    expected = ["bin_40_64/2abc.png", "fasta/2abc.fasta", "bin_40_64", "fasta", "."]
    assert synced == [str((out / name).resolve()) for name in expected]


def test_durable_reads_back(tmp_path, out, monkeypatch):
    """A disk that stores something else than it was given stops the job."""
    real_put = convert._put

    def bad_disk(target, data):
        return real_put(target, data[:-20] + bytes(20))

    monkeypatch.setattr(convert, "_put", bad_disk)
    with pytest.raises(OutputError, match="does not read back equal"):
        convert_text(tmp_path, out, helix_lines(50), durable=True)


@pytest.mark.parametrize("place", ["scratch is gone", "bin is a file"])
def test_output_trouble_is_no_row(tmp_path, out, place):
    if place == "scratch is gone":
        (out / ".tmp").rmdir()
    else:
        (out / "bin_40_64").write_text("")
    with pytest.raises(OutputError):
        convert_text(tmp_path, out, helix_lines(50))


def test_nothing_half_written_is_left(tmp_path, out):
    for length in (40, 3, 2000, 70):
        convert_text(tmp_path, out, helix_lines(length), f"{length}.pdb")
    assert list((out / ".tmp").iterdir()) == []
    for path in out.glob("bin_*/*.png"):
        assert path.read_bytes() == png_bytes(read_png(path))
