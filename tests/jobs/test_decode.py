import csv
import gzip
import os
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from foldpix.dataset.pictures import stored_pictures
from foldpix.dataset.tokens import ChainTokens, TokenTable, TokenWriter
from foldpix.evaluation.chains import Sample
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.evaluation.reconstruct import ImageRoundTrips
from foldpix.generation import sample_backbones
from foldpix.image import decode as decode_image
from foldpix.image import from_pixels, picture_of, read_png, write_png
from foldpix.jobs import decode as job
from foldpix.jobs import decode_chain, encode
from foldpix.jobs.schema.decode import DecodeConfig
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.tokenizer import load_tokenizer
from foldpix.structure import Backbone, read_structure, write_structure
from foldpix.training.checkpoint import load_model
from tests.evaluation.conftest import random_chain
from tests.jobs.conftest import make_checkpoint
from tests.training.tiny import NUM_TRAIN, NUM_VAL, REPO, finish, start

CHAINS = list(sample_backbones(NUM_VAL + NUM_TRAIN, 40, 80, seed=1))


def config(source, out, **options):
    return DecodeConfig(str(source), str(out), **{"workers": 1, "refine": False, **options})


def table(out):
    return {row["id"]: row for row in csv.DictReader((out / "summary.csv").read_text().splitlines())}


def b_factors(path):
    lines = [line for line in path.read_text().splitlines() if line[12:16] == " CA "]
    return np.array([float(line[60:66]) for line in lines])


def put(path, length=44, seed=0, **changes):
    """A PNG of a chain; ``changes`` to the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    backbone = Backbone(random_chain(length, seed), "G" * length, path.stem, "A")
    write_png(path, replace(picture_of(backbone), **changes))
    return path


def times(out, pattern="*"):
    return {path.name: path.stat().st_mtime_ns for path in out.glob(pattern)}


def test_a_data_set_comes_back(images, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    summary = job.run(config(images, out))
    assert (summary["structures"], summary["failed"], summary["done"]) == (24, 0, 0)
    rows = table(out)
    assert rows.keys() == {backbone.name for backbone in CHAINS}
    for backbone in CHAINS:
        (found,) = read_structure(out / f"{backbone.name}.pdb")
        assert (found.sequence, found.chain) == (backbone.sequence, "A")
        assert backbone_rmsd(found.coords, backbone.coords) < 0.2
        row = rows[backbone.name]
        assert (row["status"], row["reason"], row["chain_breaks"]) == ("decoded", "", "0")
        assert int(row["length"]) == len(backbone) and float(row["margin"]) > 0.9
    errors = [float(row["mean_error"]) for row in rows.values()]
    assert summary["mean_error"] == pytest.approx(np.mean(errors), rel=1e-3)
    assert summary["worst_error"] == pytest.approx(max(errors), rel=1e-3)
    captured = capsys.readouterr()
    assert captured.err == "" and str(out / "summary.csv") in captured.out
    assert len(list(out.iterdir())) == 24 + 2  # summary.csv and the lock


def test_the_b_factor_is_the_expected_error(images, tmp_path):
    png = sorted(images.glob("bin_*/*.png"))[0]
    job.run(config(png, tmp_path, refine=True))
    picture = read_png(png)
    expected = decode_image(from_pixels(picture.pixels), picture.d_max)
    found = b_factors(tmp_path / f"{png.stem}.pdb")
    assert np.abs(found - expected.error).max() < 0.006 and found.max() > 0
    row = table(tmp_path)[png.stem]
    assert float(row["mean_error"]) == pytest.approx(expected.error.mean(), rel=1e-3)
    assert float(row["residual"]) == pytest.approx(expected.residual, rel=1e-3)


@pytest.mark.parametrize("format", ["cif", "bcif", "pdb.gz"])
def test_formats(images, tmp_path, format):
    shard = sorted((images / "shards").glob("*/val-*.tar"))[0]
    job.run(config(shard, tmp_path, format=format))
    ids = {each.id for each in stored_pictures(shard)}
    assert {path.name for path in tmp_path.glob(f"*.{format}")} == {f"{id}.{format}" for id in ids}
    for backbone in CHAINS:
        if backbone.name in ids:
            path = tmp_path / f"{backbone.name}.{format}"
            assert backbone_rmsd(read_structure(path)[0].coords, backbone.coords) < 0.2
    if format == "pdb.gz":
        assert b"CB" in gzip.decompress(path.read_bytes())


def test_torsions_of_a_chain_with_a_break(tmp_path):
    coords = random_chain(50, 3)
    coords[20:] += [30.0, 0.0, 0.0]
    png = tmp_path / "x.png"
    write_png(png, picture_of(Backbone(coords, "A" * 50, "x", "A")))
    job.run(config(png, tmp_path / "out", torsions=True))
    rows = list(csv.reader((tmp_path / "out" / "x.torsions.csv").read_text().splitlines()))
    assert rows[0] == ["residue", "phi", "psi", "omega"] and [row[0] for row in rows[1:]] == [
        str(number) for number in range(1, 51)
    ]
    assert table(tmp_path / "out")["x"]["chain_breaks"] == "1"
    values = rows[1:]
    empty = {
        (i, name) for i, row in enumerate(values) for name, cell in zip("rpso", row, strict=True) if not cell
    }
    assert empty == {(0, "p"), (49, "s"), (49, "o"), (19, "s"), (19, "o"), (20, "p")}
    helix = [tuple(map(float, values[i][1:])) for i in range(2, 9)]
    turned = np.abs((np.array(helix) - [-60.0, -45.0, 180.0] + 180) % 360 - 180)
    assert turned.max() < 15


def test_a_second_run_does_only_what_is_new(tmp_path, capsys):
    source, out = tmp_path / "source", tmp_path / "out"
    for seed, name in enumerate("abc"):
        put(source / f"{name}.png", seed=seed)
    (source / "d.png").write_bytes(b"cut")
    assert job.run(config(source, out))["structures"] == 3
    before = times(out, "*.pdb")
    put(source / "b.png", length=46, seed=9)
    put(source / "d.png", seed=4)
    put(source / "e.png", seed=5)
    os.utime(source / "a.png")
    (out / "c.pdb").unlink()
    summary = job.run(config(source, out))
    assert (summary["structures"], summary["done"], summary["failed"]) == (5, 1, 0)
    after = times(out, "*.pdb")
    assert {name for name in after if after[name] != before.get(name)} == {"b.pdb", "c.pdb", "d.pdb", "e.pdb"}
    assert {id: row["status"] for id, row in table(out).items()} == dict.fromkeys("abcde", "decoded")
    assert table(out)["b"]["length"] == "46"
    for options in ({"refine": True}, {"torsions": True}, {"format": "cif"}):
        assert job.run(config(source, out, **options))["done"] == 0
    assert job.run(config(source, out, format="cif"))["done"] == 5


@pytest.mark.parametrize("after", [0, 2])
def test_a_run_that_was_cut_off_goes_on(tmp_path, monkeypatch, after):
    source, out = tmp_path / "source", tmp_path / "out"
    for seed, name in enumerate("abcd"):
        put(source / f"{name}.png", seed=seed)
    whole = job.run(config(source, tmp_path / "whole"))
    genuine, calls = decode_chain.decode_image, []

    def cut_off(*args):
        calls.append(args)
        if len(calls) > after:
            raise KeyboardInterrupt
        return genuine(*args)

    monkeypatch.setattr(decode_chain, "decode_image", cut_off)
    with pytest.raises(KeyboardInterrupt):
        job.run(config(source, out))
    monkeypatch.undo()
    with (out / "summary.csv").open("a") as file:
        file.write("d,decoded,,44,0.1")  # a row half written
    assert job.run(config(source, out))["done"] == after
    for name in (*(f"{id}.pdb" for id in "abcd"), "summary.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert whole["structures"] == 4


def test_no_structure_takes_the_place_of_another(tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    first, second = put(source / "1" / "x.png", seed=1), put(source / "2" / "x.png", 48, seed=2)
    assert job.run(config(source, out))["failed"] == 1
    before = (out / "x.pdb").read_bytes()
    rows = list(csv.DictReader((out / "summary.csv").read_text().splitlines()))
    assert [(row["status"], row["reason"], row["source"]) for row in rows] == [
        ("decoded", "", str(first)),
        ("failed", f"duplicate id x, also {first}", str(second)),
    ]
    with pytest.raises(ValueError, match=r"1 failed, such as x \(duplicate id x, also "):
        job.run(config(second, out))
    assert (out / "x.pdb").read_bytes() == before
    first.unlink()
    assert job.run(config(second, out))["structures"] == 1
    assert len(read_structure(out / "x.pdb")[0]) == 48
    assert list(table(out)) == ["x"]


def test_structures_of_other_origin_stay(tmp_path):
    png, out = put(tmp_path / "x.png"), tmp_path / "out"
    out.mkdir()
    write_structure(out / "x.pdb", Backbone(random_chain(9, 0), "A" * 9))
    with pytest.raises(ValueError, match=r"structures of other origin, such as x\.pdb; choose another out"):
        job.run(config(png, out))
    (out / "summary.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"summary\.csv was not written by decode\.py; choose another out"):
        job.run(config(png, out))
    assert len(read_structure(out / "x.pdb")[0]) == 9


def test_bad_pictures_never_stop_the_job(tmp_path):
    source = tmp_path / "source"
    good = put(source / "good.png")
    pixels, noise = read_png(good).pixels, np.random.default_rng(0).integers(0, 256, (44, 44, 3), np.uint8)
    (source / "empty.png").touch()
    (source / "cut.png").write_bytes(good.read_bytes()[:2000])
    shutil.copy(REPO / "docs" / "images" / "demo.png", source / "foreign.png")
    put(source / "noise.png", pixels=noise)
    put(source / "flat.png", pixels=np.full_like(pixels, 7))
    put(source / "one.png", pixels=pixels[:1, :1], sequence="G")
    put(source / "scale.png", d_max=float("inf"))
    put(source / "wide.png", chain="AB")
    bomb = bytearray(good.read_bytes())
    bomb[16:24] = (30_000).to_bytes(4, "big") * 2
    (source / "bomb.png").write_bytes(bomb)
    (source / "no.tar").write_bytes(b"no tar")
    out = tmp_path / "out"
    summary = job.run(config(source, out))
    assert (summary["structures"], summary["suspicious"], summary["failed"]) == (3, 2, 8)
    reasons = {id: row["reason"] for id, row in table(out).items()}
    assert reasons["good"] == "" and "grey levels off" in reasons["noise"]
    assert "margin of the hand -" in reasons["flat"]
    assert reasons["empty"] == "no readable PNG (cannot identify image file)"
    assert reasons["cut"] == "no readable PNG (image file is truncated)"
    assert reasons["foreign"] == "not a foldpix image of format 1 (format: none)"
    assert (
        "L >= 2" in reasons["one"]
        and reasons["scale"] == "d_max must be positive and finite, not inf angstrom"
    )
    assert reasons["wide"].endswith("write .cif or .bcif instead")
    assert reasons["no"].startswith("no tar") and reasons["bomb"]
    assert {path.stem for path in out.glob("*.pdb")} == {"good", "noise", "flat"}


@pytest.fixture(scope="module")
def tokens(checkpoint, tmp_path_factory):
    """A table of the tokens of six chains."""
    root = tmp_path_factory.mktemp("tokens")
    (root / "structures").mkdir()
    for backbone in CHAINS[:6]:
        write_structure(root / "structures" / f"{backbone.name}.cif", backbone)
    encode.run(EncodeConfig(str(root / "structures"), str(root / "t.parquet"), checkpoint, workers=1))
    return root / "t.parquet"


def test_tokens_give_what_evaluation_measures(tokens, checkpoint, tmp_path):
    summary = job.run(config(tokens, tmp_path, ckpt=checkpoint, refine=True, batch_size=3))
    assert (summary["structures"], summary["failed"]) == (6, 0)
    model = load_model(checkpoint)
    for backbone in CHAINS[:6]:
        (found,) = read_structure(tmp_path / f"{backbone.name}.pdb")
        sample = Sample(backbone.name, picture_of(backbone).pixels, 80.0, backbone.coords)
        (trip,) = ImageRoundTrips(model)([sample])
        assert found.sequence == backbone.sequence
        # Images of random weights are of no chain: what they decode to is not stable to the last digit.
        assert backbone_rmsd(found.coords, trip.coords) < 0.05
    again = job.run(config(tokens, tmp_path, ckpt=checkpoint, refine=True))
    assert again["done"] == 6


def test_another_model_is_named(tokens, checkpoint, tmp_path):
    other = make_checkpoint(tmp_path / "other.ckpt", seed=1)
    ours = TokenTable(tokens).header.fingerprint[:12]
    with pytest.raises(
        ValueError, match=rf"holds tokens of the model {ours} .*, but ckpt=.* is [0-9a-f]{{12}} "
    ):
        job.run(config(tokens, tmp_path / "out", ckpt=other))


def test_tokens_of_a_model_need_it(tokens, tmp_path):
    with pytest.raises(ValueError, match="holds tokens of a model; give ckpt="):
        job.run(config(tokens, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_tokens_of_another_model_are_decoded_anew(tokens, checkpoint, tmp_path):
    source, out = tmp_path / "t.parquet", tmp_path / "out"
    shutil.copy(tokens, source)
    job.run(config(source, out, ckpt=checkpoint))
    before = times(out, "*.pdb")
    other = make_checkpoint(tmp_path / "other.ckpt", seed=1)
    encode.run(EncodeConfig(str(tokens.parent / "structures"), str(source), other, workers=1))
    assert job.run(config(source, out, ckpt=other))["done"] == 0
    assert all(times(out, "*.pdb")[name] != before[name] for name in before)


def test_bad_rows_never_stop_the_job(tokens, checkpoint, tmp_path):
    found = pq.read_table(tokens)
    columns = found.to_pydict()
    columns["level_0"][0] = columns["level_0"][0][:-1]
    columns["level_1"][1][0] = 16
    columns["name"][2:5] = ["../x", "deep/x", ""]
    columns["d_max"][5] = -1.0
    source = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns, schema=found.schema), source)
    assert job.run(config(source, tmp_path / "out", ckpt=checkpoint))["structures"] == 1
    rows = list(csv.DictReader((tmp_path / "out" / "summary.csv").read_text().splitlines()))
    assert [(row["id"], row["reason"]) for row in rows if row["status"] == "failed"] == [
        ("", "no name"),
        (CHAINS[0].name, next(each.reason for each in TokenTable(source))),
        (CHAINS[1].name, "level 1 has the code 16; the codebook has 16"),
        (CHAINS[5].name, "d_max must be positive and finite, not -1.0 angstrom"),
        ("deep/x", f"duplicate id x, also {source}"),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"t.parquet", "out"}
    assert [path.name for path in (tmp_path / "out").glob("*.pdb")] == ["x.pdb"]


def test_a_diverged_tokenizer(tmp_path):
    diverged = torch.load(make_checkpoint(tmp_path / "d.ckpt", seed=0), weights_only=True)
    diverged["state_dict"]["model.quantizers.0.codebook"][3] = np.nan
    torch.save(diverged, tmp_path / "d.ckpt")
    header = load_tokenizer(str(tmp_path / "d.ckpt"))[1]
    codes = [np.full(shape, 3) for shape in header.shapes(40)]
    good = [np.full(shape, 2) for shape in header.shapes(40)]
    with TokenWriter(tmp_path / "t.parquet", header) as writer:
        for name, levels in (("bad", codes), ("good", good)):
            writer.write([ChainTokens(name, "A", "G" * 40, 80.0, tuple(levels))])
    summary = job.run(config(tmp_path / "t.parquet", tmp_path / "out", ckpt=str(tmp_path / "d.ckpt")))
    assert (summary["structures"], summary["failed"]) == (1, 1)
    assert table(tmp_path / "out")["bad"]["reason"] == "the image is not finite: the tokenizer's run diverged"


def test_processes_change_nothing(images, tmp_path):
    shards = images / "shards"
    for workers in (1, 2):
        job.run(config(shards, tmp_path / f"{workers}", workers=workers))
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"source": "nowhere"},
            "source=nowhere does not exist; give a PNG, a shard, a folder or a token table",
        ),
        ({"source": "x.txt"}, r"source=x\.txt is no folder and ends in none of \.png, \.tar, \.parquet"),
        ({"source": "x.parquet"}, r"x\.parquet: no readable Parquet file"),
        ({"ckpt": "x.ckpt"}, r"source=\. holds no tokens; leave out ckpt=x\.ckpt"),
        ({"format": "png"}, "format=png: pdb, cif or bcif, each also with .gz"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"workers": 0}, "workers=0 must be at least 1, or null for every core"),
    ],
)
def test_mistakes_come_before_any_work(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x.txt", "x.parquet"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=message) as caught:
        job.run(DecodeConfig(**{"source": ".", "out": "out", **options}))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_nothing_to_decode(tmp_path):
    (tmp_path / "source").mkdir()
    with pytest.raises(ValueError, match=r"no picture \(\.png\) and no shard \(\.tar\) in "):
        job.run(config(tmp_path / "source", tmp_path / "out"))


def test_the_command_needs_no_torch(images, tmp_path):
    png = sorted(images.glob("bin_*/*.png"))[0]
    done = finish(
        start("-X", "importtime", REPO / "decode.py", f"source={png}", "out=out", "workers=1", cwd=tmp_path)
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and all(line.startswith("import time:") for line in lines)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "numpy" in imported and not imported & {"torch", "pytorch_lightning", "pyarrow"}
    assert "expected error, worst chain" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    bad = finish(start(REPO / "decode.py", "source=out/summary.csv", "out=x", cwd=tmp_path))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: source=out/summary.csv is no folder") and bad.stderr.count("\n") == 1
