"""Batches of peptides beside others: the others compute the same, and the peer answers from its process."""

import sys

import numpy as np
import pytest

from benchmarks.generation import bench_generate
from benchmarks.reference import peptide_walk
from foldpix.generation.ensemble import analyze_ensemble
from foldpix.generation.orientations import orientation_maps_6d
from foldpix.generation.walk import walk
from foldpix.geometry import virtual_cb

STUB = """
class Batch:
    def analyze_ensemble(self):
        print("not an answer", file=__import__("sys").stderr)

class BatchedGenerator:
    def __init__(self, sequence, n_batch):
        assert (sequence, n_batch) == ("AAAAA", 3)
    def generate_batch(self, seed, drift):
        assert drift == 5.0
        return Batch()
"""


@pytest.fixture
def torsions() -> np.ndarray:
    return peptide_walk.draw_torsions(4, 20, 30.0, 1)


def test_reference_builds_what_we_build(torsions):
    ours = np.empty((*torsions.shape[:2], 5, 3))
    walk(torsions, np.zeros(20, dtype=bool), ours)
    assert peptide_walk.build(torsions) == pytest.approx(ours[:, :, :4], abs=1e-9)


def test_reference_scatters_as_asked():
    torsions = np.degrees(peptide_walk.draw_torsions(100, 100, 5.0, 1))
    assert torsions.reshape(-1, 3).std(axis=0) == pytest.approx([5, 5, 2], rel=0.05)
    assert torsions.reshape(-1, 3).mean(axis=0) == pytest.approx(peptide_walk.HELIX, abs=0.3)
    assert np.ptp(peptide_walk.draw_torsions(5, 5, 0.0, 1), axis=(0, 1)) == pytest.approx(0)


def test_reference_sees_the_same_orientations(torsions):
    atoms = peptide_walk.build(torsions)
    points = atoms[:, :, 0], atoms[:, :, 1], virtual_cb(atoms[:, :, :3])
    ours = orientation_maps_6d(*points)
    for map_, expected in zip(ours.values(), peptide_walk.orientations(*points), strict=True):
        assert np.abs((map_ - expected + 180) % 360 - 180).max() < 1e-6


def test_reference_finds_the_same_medoid(torsions):
    coords = peptide_walk.build(torsions).reshape(4, -1, 3)
    medoid, rmsd = peptide_walk.medoid(coords)
    ours = analyze_ensemble(coords)
    assert medoid == ours["medoid_index"]
    assert ours["rmsd_matrix"] == pytest.approx(rmsd, abs=1e-6)


def test_peer_is_timed_in_its_own_process(tmp_path, monkeypatch):
    package, info = tmp_path / "synth_pdb", tmp_path / "synth_pdb-9.9.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    (package / "batch_generator.py").write_text(STUB)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: synth-pdb\nVersion: 9.9\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    peer = bench_generate.synth_pdb(sys.executable)
    assert peer.version == "9.9"
    assert peer.cpu_ms("analyze_ensemble", 3, 5, 5.0) > 0
    assert peer.cpu_ms("generate_batch", 3, 5, 5.0) > 0
    peer.close()


def test_a_python_without_the_peer_is_refused():
    with pytest.raises(ValueError, match=r"synth-pdb does not start in .*; install it there"):
        bench_generate.synth_pdb(sys.executable)


def test_table_has_a_line_for_every_case(monkeypatch):
    monkeypatch.setattr("benchmarks.timing.SECONDS", 0.0)
    rows = [
        (case, bench_generate.times(case, None))
        for case in bench_generate.cases(num=3, lengths=(6, 8), num_maps=3, ensemble_length=6)
    ]
    cells = [list(column.cells) for column in bench_generate.table(rows, "").columns]
    assert cells[0] == [
        *["generate, drift 5"] * 2,
        *["generate, drift 0"] * 2,
        *["generate, torsions given"] * 2,
        *["6D maps", "6D, orientation_maps", "ensemble"],
    ]
    assert set(cells[4]) == {"-"}
    assert cells[6] == ["25.0", "25.0", "60.0", "60.0", "-", "-", "10.0", "-", "30.0"]
    assert all(time.ours > 0 and time.reference > 0 for _, time in rows)


def test_options():
    with pytest.raises(ValueError, match="no option pear; there is peer"):
        bench_generate.main(["pear=python"])
