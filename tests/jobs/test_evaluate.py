import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foldpix.dataset.bins import bin_name
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.shards import write_shards
from foldpix.image import picture_of, write_png
from foldpix.jobs import evaluate
from foldpix.jobs.schema.evaluate import EvaluateConfig
from foldpix.structure import Backbone, write_structure
from tests.evaluation.conftest import RoundingTokenizer, random_chain

REPO = Path(__file__).parents[2]


def backbone(length, seed, name):
    return Backbone(random_chain(length, seed), "A" * length, name, "A")


@pytest.fixture
def folder(tmp_path):
    """Four good files and three bad ones."""
    root = tmp_path / "source"
    (root / "deeper").mkdir(parents=True)
    for i, length in enumerate((40, 44, 52)):
        write_structure(root / f"c{i}.pdb", backbone(length, i, f"c{i}"))
    write_structure(root / "deeper" / "c3.cif.gz", backbone(60, 3, "c3"))
    write_structure(root / "short.pdb", backbone(12, 0, "short"))
    (root / "empty.cif").touch()
    (root / "torn.bcif.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (root / "notes.txt").write_text("no structure")
    return root


@pytest.fixture
def fake_checkpoint(monkeypatch):
    monkeypatch.setattr(evaluate, "_tokenizer", lambda ckpt, device: RoundingTokenizer())


def test_a_folder_through_image_and_tokenizer(folder, tmp_path, capsys, fake_checkpoint):
    out = tmp_path / "deep" / "out"
    summary = evaluate.run(
        EvaluateConfig(source=str(folder), ckpt="x", out=str(out), batch_size=2, workers=1)
    )
    assert summary["image/num_chains"] == summary["tokenizer/num_chains"] == 4
    assert summary["num_skipped"] == 3
    assert summary["image/backbone_rmsd"] < 0.3
    assert summary["image/backbone_rmsd"] < summary["tokenizer/backbone_rmsd"]
    assert summary["image/handedness"] == 1.0
    assert {path.name for path in out.iterdir()} == {"metrics.csv", "summary.json", "reconstruction.png"}
    assert json.loads((out / "summary.json").read_text()).items() >= summary.items()
    captured = capsys.readouterr()
    assert "level 3: 1 of 64 codes used" in captured.out and "short: 12 residues" in captured.out
    assert captured.err == ""
    with Image.open(out / "reconstruction.png") as file:
        pixels = np.array(file.convert("RGB"))
    assert min(pixels.shape[:2]) > 500 and pixels.std() > 20


def test_limit_takes_the_first_chains(folder, tmp_path):
    summary = evaluate.run(EvaluateConfig(source=str(folder), out=str(tmp_path / "out"), limit=2, workers=1))
    assert summary["image/num_chains"] == 2
    assert "tokenizer/num_chains" not in summary


@pytest.fixture
def dataset(tmp_path):
    """A split of three chains without sources, one of them with a damaged PNG."""
    root = tmp_path / "data"
    folder = root / bin_name(50)
    folder.mkdir(parents=True)
    rows = []
    for i in range(3):
        write_png(folder / f"c{i}.png", picture_of(backbone(50 + i, i, f"c{i}")))
        rows.append(
            ManifestRow(Status.CONVERTED, "", f"c{i}", "A", 50 + i, folder.name, "val", f"gone{i}.pdb")
        )
    (folder / "c1.png").write_bytes(b"\x89PNG")
    write_manifest(root, rows)
    return root


def test_a_dataset_whose_sources_are_gone(dataset, tmp_path, capsys, fake_checkpoint):
    summary = evaluate.run(
        EvaluateConfig(dataset=str(dataset), ckpt="x", out=str(tmp_path / "out"), workers=1)
    )
    assert summary["tokenizer/num_chains"] == 2 and "image/num_chains" not in summary
    assert summary["num_skipped"] == 1
    cells = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["image", *["-"] * 8] in cells


def test_shards_alone(dataset, tmp_path, capsys, fake_checkpoint):
    write_png(dataset / bin_name(50) / "c1.png", picture_of(backbone(51, 1, "c1")))
    write_shards(dataset)
    copy = tmp_path / "copy"
    shutil.copytree(dataset / "shards", copy / "shards")
    summary = evaluate.run(EvaluateConfig(dataset=str(copy), ckpt="x", out=str(tmp_path / "out"), workers=1))
    assert summary["tokenizer/num_chains"] == summary["num_truth_from_picture"] == 3
    assert "no structure file: 3 chains" in capsys.readouterr().out


def test_nothing_can_be_measured_without_sources_and_tokenizer(dataset, tmp_path):
    (dataset / bin_name(50) / "c1.png").unlink()
    rows = [ManifestRow(Status.CONVERTED, "", "c0", "A", 50, bin_name(50), "val", "gone.pdb")]
    write_manifest(dataset, rows)
    with pytest.raises(ValueError, match=r"the sources are gone.*give ckpt="):
        evaluate.run(EvaluateConfig(dataset=str(dataset), out=str(tmp_path / "out"), workers=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one"),
        ({"source": "a", "dataset": "b"}, "source=a and dataset=b: give exactly one"),
        ({"source": "nowhere"}, "source=nowhere does not exist"),
        ({"source": ".", "batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"source": ".", "workers": 0}, "workers=0 must be at least 1, or null for every core"),
        ({"source": ".", "limit": 0}, "limit=0 must be at least 1, or null"),
        ({"source": ".", "d_max": 0.0}, r"d_max=0\.0 must be positive"),
    ],
)
def test_contradictions(options, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        evaluate.run(EvaluateConfig(out=str(tmp_path / "out"), **options))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_chain_left(tmp_path):
    with pytest.raises(ValueError, match="no structure file in"):
        evaluate.run(EvaluateConfig(source=str(tmp_path), out=str(tmp_path / "out"), workers=1))
    (tmp_path / "empty.pdb").touch()
    with pytest.raises(
        ValueError, match=r"no chain to evaluate in .*: 1 skipped, such as empty \("
    ) as caught:
        evaluate.run(EvaluateConfig(source=str(tmp_path), out=str(tmp_path / "out"), workers=1))
    assert "\n" not in str(caught.value)


def command(*options, cwd):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, REPO / "evaluate.py", *options],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_command(folder, tmp_path):
    done = command(f"source={folder}", "out=out", "workers=1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tokens/res" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"source", "out"}  # nothing else is left behind


def test_an_error_is_one_line(tmp_path):
    done = command("source=.", "dataset=.", "out=x", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: source=. and dataset=.: ") and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_processes_change_nothing(folder, tmp_path, fake_checkpoint):
    for workers in (1, 2):
        out = tmp_path / f"{workers}"
        evaluate.run(
            EvaluateConfig(source=str(folder), ckpt="x", out=str(out), batch_size=1, workers=workers)
        )
    for name in ("metrics.csv", "summary.json", "reconstruction.png"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.slow
def test_real_chains(real_structures, tmp_path):
    source = tmp_path / "chains"
    source.mkdir()
    tenth = sorted((real_structures / "chains").glob("*.pdb.gz"))[::10]
    for path in tenth:
        (source / path.name).symlink_to(path.resolve())
    summary = evaluate.run(EvaluateConfig(source=str(source), out=str(tmp_path / "out"), workers=1))
    assert summary["image/num_chains"] == len(tenth)
    assert summary["image_inside/num_chains"] > 0.8 * len(tenth)
    assert summary["image_inside/backbone_rmsd"] <= 0.12
    assert summary["image_inside/handedness"] == 1.0
