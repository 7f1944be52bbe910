import csv
import os
from pathlib import Path

import pytest

from foldpix.dataset.manifest import ManifestLog, ManifestRow, Status, read_manifest, write_manifest

HEAD = "status,reason,id,chain,length,bin,split,source,checksum,dropped\n"


def converted(source: str, key: str, chain: str = "A") -> ManifestRow:
    return ManifestRow(
        Status.CONVERTED, "", key, chain, 50, "bin_40_64", "train", source, "c" * 32, dropped=3
    )


def failed(source: str, reason: str = "the file is empty") -> ManifestRow:
    return ManifestRow(Status.FAILED, reason, source.split("/")[-1], source=source)


AWKWARD = [
    converted("/d/b.pdb", "b"),
    failed("/d/a, with comma.pdb", 'it says "no", and\nmore'),
    converted("/d/c\n\nlines.pdb", "c"),
    converted("/d/latin\udce9.pdb", "latin"),
    failed("/d/ünï.pdb"),
]


def test_round_trip_sorted(tmp_path):
    write_manifest(tmp_path, AWKWARD)
    assert read_manifest(tmp_path) == sorted(AWKWARD, key=lambda row: row.source)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]


def test_on_the_disk_before_and_after_it_takes_its_name(tmp_path, monkeypatch):
    events = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor):
        events.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", lambda *paths: events.append("rename") or real_replace(*paths))
    write_manifest(tmp_path, AWKWARD)
    assert events == ["manifest.csv.tmp", "rename", tmp_path.name]


def test_file_is_plain_csv(tmp_path):
    write_manifest(tmp_path, [converted("/d/b.pdb", "b"), failed("/d/a.pdb")])
    lines = list(csv.DictReader((tmp_path / "manifest.csv").read_text().splitlines()))
    assert list(lines[0]) == HEAD.strip().split(",")
    assert [line["status"] for line in lines] == ["failed", "converted"]
    assert (lines[1]["length"], lines[1]["dropped"]) == ("50", "3")


def test_log_appends_and_the_latest_counts(tmp_path):
    with ManifestLog(tmp_path, [failed("/d/a.pdb"), failed("/d/z.pdb")]) as log:
        log.append([converted("/d/z.pdb", "z_A"), converted("/d/z.pdb", "z_B")])
        log.append([failed("/d/b.pdb")])
        expected = [
            failed("/d/a.pdb"),
            converted("/d/z.pdb", "z_A"),
            converted("/d/z.pdb", "z_B"),
            failed("/d/b.pdb"),
        ]
        assert read_manifest(tmp_path) == expected  # while the log is open


def test_cut_off_rows_do_not_count(tmp_path):
    """Wherever a kill cuts the file, each source has all of its rows or those of before."""
    with ManifestLog(tmp_path, AWKWARD[:2]) as log:
        before = (tmp_path / "manifest.csv").stat().st_size
        log.append([converted("/d/s.pdb", f"s_{chain}", chain) for chain in "ABC"])
        log.append([AWKWARD[2]])
        log.append([converted("/d/b.pdb", "b2")])
    whole = (tmp_path / "manifest.csv").read_bytes()
    counts = set()
    for size in range(before, len(whole) + 1):
        (tmp_path / "manifest.csv").write_bytes(whole[:size])
        rows = read_manifest(tmp_path)
        by_source = {
            source: [row.id for row in rows if row.source == source] for source in (r.source for r in rows)
        }
        assert by_source.get("/d/s.pdb", ["s_A", "s_B", "s_C"]) == ["s_A", "s_B", "s_C"]
        assert by_source["/d/b.pdb"] in (["b"], ["b2"])
        assert AWKWARD[1] in rows
        counts.add(len(rows))
    assert counts == {2, 5, 6}
    assert by_source["/d/b.pdb"] == ["b2"]


def test_an_id_follows_its_file(tmp_path):
    with ManifestLog(tmp_path, [converted("/old/x.pdb", "x"), converted("/old/y.pdb", "y")]) as log:
        log.append([converted("/new/x.pdb", "x")])
        log.append([failed("/new/y.pdb")])
    assert {(row.source, row.status) for row in read_manifest(tmp_path)} == {
        ("/new/x.pdb", "converted"),
        ("/old/y.pdb", "converted"),
        ("/new/y.pdb", "failed"),
    }


def test_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no manifest"),
        ("a,b\n1,2\n", "is no manifest"),
        (HEAD + "converted,,a\n", "3 values for 10 columns"),
        (HEAD + "done,,a,A,50,b,train,/a,c,0\n", "'done' is not a valid Status"),
        (HEAD + "converted,,a,A,long,b,train,/a,c,0\n", "long"),
    ],
)
def test_no_manifest(tmp_path, text, message):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_manifest(tmp_path)
    assert str(tmp_path / "manifest.csv") in str(caught.value)
