import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foldpix.chain_code import SHIPPED
from foldpix.dataset.bins import bin_name
from foldpix.dataset.manifest import ManifestRow, Status, write_manifest
from foldpix.dataset.shards import write_shards
from foldpix.evaluation.reconstruct import ImageRoundTrips
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
    monkeypatch.setattr(evaluate, "_tokenizers", lambda ckpt: [ImageRoundTrips(RoundingTokenizer())])


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
    assert {path.name for path in out.iterdir()} == {
        "metrics.csv",
        "summary.json",
        "reconstruction.png",
        "rate_distortion.png",
    }
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


def test_the_codebooks_that_come_along(folder, tmp_path, capsys):
    summary = evaluate.run(EvaluateConfig(source=str(folder), out=str(tmp_path / "out"), workers=1))
    deviations = [summary[f"chain_code_{size}/backbone_rmsd"] for size in SHIPPED]
    assert deviations == sorted(deviations, reverse=True) and deviations[-1] < 0.5
    assert [summary[f"chain_code_{size}/bits_per_residue"] for size in SHIPPED] == [4, 6, 8, 10, 12]
    assert summary["chain_code_4096/40-128/num_chains"] == 4
    assert "chain code 4096: " in capsys.readouterr().out


def test_a_split_of_a_table(folder, tmp_path):
    table = tmp_path / "splits.csv"
    table.write_text("file,split\nc0.pdb,test\nc1.pdb,train\ndeeper/c3.cif.gz,test\n")
    config = EvaluateConfig(source=str(folder), out=str(tmp_path / "out"), split_table=str(table), workers=1)
    config.split = "test"
    summary = evaluate.run(config)
    assert (summary["image/num_chains"], summary["num_skipped"]) == (2, 0)
    config.split = "val"
    with pytest.raises(ValueError, match="no structure file of split=val in"):
        evaluate.run(config)


def test_crops(folder, tmp_path):
    config = EvaluateConfig(source=str(folder), out=str(tmp_path / "out"), crop=40, workers=1)
    summary = evaluate.run(config)
    assert summary["image/num_chains"] == 4  # of 40, 44, 52 and 60 residues


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


def test_the_codebooks_on_pictures_whose_sources_are_gone(dataset, tmp_path):
    summary = evaluate.run(EvaluateConfig(dataset=str(dataset), out=str(tmp_path / "out"), workers=1))
    assert summary["chain_code_4096/num_chains"] == summary["num_truth_from_picture"] == 2
    assert summary["chain_code_4096/backbone_rmsd"] < 0.3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one"),
        ({"source": "a", "dataset": "b"}, "source=a and dataset=b: give exactly one"),
        ({"source": "nowhere"}, "source=nowhere does not exist"),
        ({"source": ".", "batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"source": ".", "workers": 0}, "workers=0 must be at least 1, or null for every core"),
        ({"source": ".", "limit": 0}, "limit=0 must be at least 1, or null"),
        ({"source": ".", "crop": 39}, "crop=39 must be at least 40 residues"),
        ({"dataset": ".", "crop": 64}, "split_table= and crop= go with source="),
        ({"source": ".", "split_table": "x.csv", "split": "all"}, "split=all is none of train, val, test"),
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
