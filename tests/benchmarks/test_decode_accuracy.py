"""The accuracy of decoding, measured from files to tables."""

import csv

import numpy as np
import pytest

from benchmarks.image import decode_accuracy, decode_tables, decode_trials
from benchmarks.image.decode_trials import OURS, REFERENCES, Skipped, Task, Trial, noisy_image, run
from benchmarks.image.perfect_errors import covariances, draw_errors
from foldpix.generation import sample_backbones
from foldpix.image import decode, from_pixels, picture_of
from foldpix.structure import Backbone, write_structure


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four chains, one of them with residues 20 to 24 missing, and a file that is none."""
    folder = tmp_path_factory.mktemp("structures")
    for number, backbone in enumerate(sample_backbones(4, 41, 70)):
        keep = np.ones(len(backbone), dtype=bool)
        keep[20:25] = number != 0
        sequence = "".join(np.array(list(backbone.sequence))[keep])
        write_structure(folder / f"x{number}.pdb", Backbone(backbone.coords[keep], sequence))
    (folder / "bad.pdb").write_text("nothing\n")
    return folder


def trial(**values) -> Trial:
    defaults = dict(
        path="a",
        id="a",
        length=50,
        far=False,
        noise=0.0,
        solver="fast",
        rmsd=0.1,
        right_handed=True,
        cpu_s=1.0,
    )
    return Trial(**(defaults | values))


def rows(table) -> list[list[str]]:
    return [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]


def test_a_chain_with_a_gap(folder):
    first, second = run(Task(str(folder / "x0.pdb")))
    assert (first.solver, second.solver) == tuple(OURS)
    assert first.breaks == first.reported_breaks == {19}
    assert first.right_handed
    assert second.rmsd < first.rmsd < 0.1
    assert not first.far
    for each in (first, second):
        assert np.sqrt(np.mean(each.true_error**2)) == pytest.approx(each.rmsd, rel=1e-4)
        assert each.error.shape == (each.length,)


def test_unreadable_files_and_chains_too_long_are_told_apart(folder, monkeypatch):
    (bad,) = run(Task(str(folder / "bad.pdb")))
    assert isinstance(bad, Skipped)
    assert bad.id == "bad"
    monkeypatch.setattr(decode_trials, "LENGTHS", range(2, 41))
    (long,) = run(Task(str(folder / "x1.pdb")))
    assert "residues, not 2 to 40" in long.reason


def test_noise_is_independent_and_as_strong_as_asked():
    backbone = next(sample_backbones(1, 90, 90))
    exact = from_pixels(picture_of(backbone).pixels)
    assert np.array_equal(noisy_image(backbone, 0, "a"), exact)
    noise = (noisy_image(backbone, 4, "a") - exact) * 127.5
    inner = noise[np.abs(exact) < 0.8]
    assert inner.std() == pytest.approx(4, rel=0.02)
    assert abs(inner.mean()) < 0.1
    assert np.array_equal(noisy_image(backbone, 4, "a"), noisy_image(backbone, 4, "a"))
    assert not np.array_equal(noisy_image(backbone, 4, "a"), noisy_image(backbone, 4, "b"))


def test_command_prints_and_writes_what_it_measured(folder, tmp_path, capsys):
    decode_accuracy.main([f"source={folder}", "noise=4", "per_bin=1", f"out={tmp_path}"])
    printed = capsys.readouterr().out
    assert "skipped bad:" in printed
    assert "5 files, 1 skipped" in printed
    assert "4 chains" in printed
    with (tmp_path / "trials.csv").open() as file:
        written = list(csv.DictReader(file))
    bins = {(int(row["length"]) - 1) // 64 for row in written}
    assert sum(row["set"] == "all" for row in written) == 4 * len(OURS)
    assert sum(row["set"] == "subset" for row in written) == len(bins) * 2 * len(decode_trials.SOLVERS)
    assert {row["reported_breaks"] for row in written if row["id"] == "x0"} >= {"19"}


def test_options():
    options = decode_accuracy.parse(["noise=0,8,2", "limit=3"])
    assert options.noises == (0, 2, 8)
    assert options.limit == 3
    with pytest.raises(ValueError, match="no option noises; there are source, limit"):
        decode_accuracy.parse(["noises=3"])


def test_without_chains_there_is_a_reason(tmp_path, folder):
    with pytest.raises(ValueError, match="no structure files"):
        decode_accuracy.main([f"source={tmp_path}"])
    with pytest.raises(ValueError, match="cannot list"):
        decode_accuracy.main([f"source={tmp_path / 'x'}"])
    with pytest.raises(ValueError, match="no chain to measure on; the first reason: "):
        decode_accuracy.main([f"source={folder / 'bad.pdb'}"])


def test_subsets_are_spread():
    assert decode_accuracy.evenly(range(10), 2) == [2, 7]
    assert decode_accuracy.evenly(range(3), 5) == [0, 1, 2]
    trials = [trial(id=f"{k}", length=length) for k, length in enumerate([64, 65, 60, 128, 129, 1])]
    assert [t.id for t in decode_accuracy.evenly_by_length(trials, 2)] == ["0", "5", "1", "3", "4"]


def test_chains_worse_than_the_best_reference_are_counted():
    errors = {"a": (0.2, 0.3, 0.25), "b": (0.5, 0.4, 0.6)}
    trials = [
        trial(id=name, solver=solver, rmsd=rmsd)
        for name, of_chain in errors.items()
        for solver, rmsd in zip(REFERENCES, of_chain, strict=True)
    ]
    trials += [trial(id="a", rmsd=0.22), trial(id="b", rmsd=0.39)]
    trials += [trial(id=name, solver="refined", rmsd=0.1) for name in "ab"]
    (cells,) = rows(decode_tables.solvers(trials))
    assert cells[-2:] == ["1", "0"]
    assert cells[1] == "0.350 / 0.350"


def test_accuracy_table_keeps_far_chains_apart():
    trials = [trial(id="a", rmsd=0.1), trial(id="b", rmsd=0.3, far=True, right_handed=False)]
    cells = rows(decode_tables.accuracy(trials))
    assert [row[3:] for row in cells] == [
        ["2", "0.200", "0.200", "0.300", "b", "1"],
        ["1", "0.100", "0.100", "0.100", "a", "1"],
        ["1", "0.300", "0.300", "0.300", "b", "0"],
    ]


def test_breaks_are_found_missed_or_false():
    trials = [trial(breaks=frozenset({3, 9}), reported_breaks=frozenset({9, 20, 30}))]
    assert rows(decode_tables.breaks(trials)) == [["0", "fast", "2", "1", "1", "2", "49"]]


def test_spearman_is_that_of_ranks():
    values = np.random.default_rng(0).normal(size=50)
    assert decode_tables.spearman(values, np.exp(values)) == pytest.approx(1)
    assert decode_tables.spearman(values, -(values**3)) == pytest.approx(-1)
    # 1 - 6 sum d^2 / (n (n^2 - 1))
    assert decode_tables.spearman(np.array([1, 2, 3, 4]), np.array([2, 1, 4, 3])) == pytest.approx(0.6)


def test_drawn_errors_follow_the_predicted_distribution():
    backbone = next(sample_backbones(1, 60, 60))
    image = noisy_image(backbone, 4, "a").astype(np.float64)
    decoded = decode(image)
    by_geometry = np.sqrt(np.trace(covariances(image, decoded.coords, 80.0), axis1=-2, axis2=-1) / 3)
    assert np.corrcoef(by_geometry, decoded.error)[0, 1] > 0.7
    assert by_geometry.mean() == pytest.approx(decoded.error.mean(), rel=0.2)
    rng = np.random.default_rng(0)
    drawn = np.stack([draw_errors(image, decoded, 80.0, rng) for _ in range(40)])
    assert np.sqrt(np.mean(drawn**2, axis=0)) / decoded.error == pytest.approx(1, abs=0.4)
    assert np.mean(drawn**2 / decoded.error**2) == pytest.approx(1, abs=0.05)
