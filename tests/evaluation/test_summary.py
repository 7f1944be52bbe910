import csv
import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from foldpix.evaluation.chains import Skipped
from foldpix.evaluation.codebook import CodebookUse
from foldpix.evaluation.evaluate import Evaluation
from foldpix.evaluation.image_stage import Record
from foldpix.evaluation.metrics import Closeness
from foldpix.evaluation.summary import summarize, write_records, write_summary
from foldpix.evaluation.table import summary_table

RMSDS = (1.0, 2.0, 6.0)


@pytest.fixture
def evaluation():
    """Three chains through a tokenizer; the first has its image measured too."""
    found = Evaluation()
    found.records = [
        Record(
            f"c{i}",
            "tokenizer",
            50,
            Closeness(rmsd + 1, rmsd, 0.5, 0.6, i > 0),
            100 * (i + 1),
            1000 * (i + 1),
            math.nan,
            clipped=False,
            truth="picture" if i else "structure",
        )
        for i, rmsd in enumerate(RMSDS)
    ]
    found.records.append(
        Record(
            "c0",
            "image",
            50,
            Closeness(0.1, 0.05, 1.0, 1.0, True),
            0,
            24 * 50 * 50,
            math.nan,
            False,
            "structure",
        )
    )
    found.use = {"tokenizer": [CodebookUse(16), CodebookUse(16)]}
    found.use["tokenizer"][0].add(np.arange(4))
    found.use["tokenizer"][1].add(np.array([3, 3]))
    found.skipped = [Skipped(f"bad{i}", "3 residues, fewer than 40") for i in range(12)]
    return found


def printed(summary, skipped):
    console = Console(width=120, file=io.StringIO())
    console.print(summary_table(summary, skipped))
    return console.file.getvalue()


def test_summary_has_plain_names_and_means(evaluation):
    summary = summarize(evaluation)
    assert summary["tokenizer/num_chains"] == 3 and summary["image/num_chains"] == 1
    assert summary["tokenizer/ca_rmsd"] == 3.0 and summary["tokenizer/ca_rmsd_median"] == 2.0
    assert summary["tokenizer/backbone_rmsd"] == 4.0
    assert summary["tokenizer/handedness"] == pytest.approx(2 / 3)
    assert summary["tokenizer/tokens_per_residue"] == 4.0
    assert summary["tokenizer/bits_per_residue"] == 40.0
    assert summary["image/bits_per_residue"] == 24 * 50
    assert "image/tokens_per_residue" not in summary
    assert (summary["tokenizer/level0/codes_used"], summary["tokenizer/level1/codes_used"]) == (4, 1)
    assert summary["tokenizer/level0/codebook_use"] == 0.25
    assert summary["tokenizer/level0/perplexity"] == pytest.approx(4)
    assert summary["num_skipped"] == 12
    assert summary["num_truth_from_picture"] == 2


def test_chains_beyond_d_max_are_told_apart(evaluation):
    assert not any(name.startswith("image_inside") for name in summarize(evaluation))
    far = Closeness(4.1, 4.05, 0.5, 0.5, False)
    evaluation.records.append(Record("c1", "image", 50, far, 0, 24 * 50 * 50, math.nan, True, "structure"))
    summary = summarize(evaluation)
    assert summary["image/backbone_rmsd"] == pytest.approx(2.1)
    assert summary["image_inside/backbone_rmsd"] == pytest.approx(0.1)
    assert summary["image_inside/handedness"] == 1.0
    assert "image, inside d_max" in printed(summary, [])


def test_files(evaluation, tmp_path):
    write_records(tmp_path / "metrics.csv", evaluation.records)
    write_summary(tmp_path / "summary.json", summarize(evaluation), evaluation)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["stage"]) for row in rows] == [
        ("c0", "image"), ("c0", "tokenizer"), ("c1", "tokenizer"), ("c2", "tokenizer"),
    ]  # fmt: skip
    assert [float(row["ca_rmsd"]) for row in rows] == [0.05, *RMSDS]
    assert [row["right_handed"] for row in rows] == ["1", "0", "1", "1"]
    assert [row["tokens_per_residue"] for row in rows] == ["", "2", "4", "6"]
    assert [row["truth"] for row in rows] == ["structure", "structure", "picture", "picture"]
    loaded = json.loads((tmp_path / "summary.json").read_text())
    assert loaded["tokenizer/ca_rmsd"] == 3.0
    assert loaded["skipped"][0] == {"id": "bad0", "reason": "3 residues, fewer than 40"}


def test_table(evaluation):
    text = printed(summarize(evaluation), evaluation.skipped)
    image, tokenizer = (line for line in text.splitlines() if line.startswith("│"))
    assert image.replace("│", " ").split()[:5] == ["image", "1", "0.100", "/", "0.100"]
    assert image.replace("│", " ").split()[-2:] == ["-", "1,200.0"]
    assert "3.00 / 2.00" in tokenizer and "66.7%" in tokenizer
    assert "no structure file: 2 chains of the tokenizer are compared with" in text
    assert "level 0: 4 of 16 codes used (25%), perplexity 4" in text
    assert (
        "12 skipped:" in text and "bad9: 3 residues" in text and "and 2 more" in text and "bad10" not in text
    )


def test_no_word_of_pictures_where_every_chain_has_its_structure(evaluation):
    evaluation.records = evaluation.records[-1:]
    assert summarize(evaluation)["num_truth_from_picture"] == 0
    assert "no structure file" not in printed(summarize(evaluation), [])


def test_an_image_that_could_not_be_measured_is_a_dash(evaluation):
    evaluation.records.pop()
    text = printed(summarize(evaluation), [])
    image, _ = (line for line in text.splitlines() if line.startswith("│"))
    assert image.replace("│", " ").split()[1:] == ["-"] * 8
    assert "skipped" not in text
