"""Row tokens all the way: structures to coordinates, a run, tokens, structures and figures."""

import json
from math import log2

import numpy as np
import pytest
import torch

from foldpix.dataset.config import DataConfig, SourceKind
from foldpix.dataset.coordinates import read_chains
from foldpix.dataset.tokens import TokenTable
from foldpix.evaluation.metrics import backbone_rmsd
from foldpix.image import encode as image_of
from foldpix.image import from_pixels, to_pixels
from foldpix.jobs import decode, encode, evaluate, preprocess, train
from foldpix.jobs.schema.decode import DecodeConfig
from foldpix.jobs.schema.encode import EncodeConfig
from foldpix.jobs.schema.evaluate import EvaluateConfig
from foldpix.jobs.schema.preprocess import PreprocessConfig
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.config import RowsConfig
from foldpix.structure import Backbone, read_structure, write_structure
from foldpix.training.checkpoint import load_model
from foldpix.training.config import LoggerConfig, LoggerKind, OptimizerConfig, TrainerConfig
from foldpix.training.rows_module import RowsModule
from tests.evaluation.conftest import random_chain
from tests.training.tiny import assert_same, load, tiny_model

LENGTHS = (41, 45, 48, 66, 45, 41)


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    root = tmp_path_factory.mktemp("structures")
    lines = ["id,split"]
    for number, length in enumerate(LENGTHS):
        write_structure(root / f"c{number}.pdb", Backbone(random_chain(length, number), "A" * length))
        lines.append(f"c{number},{'val' if number > 3 else 'train'}")
    (root / "split.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="module")
def data(structures, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "set"
    table = str(structures / "split.csv")
    preprocess.run(
        PreprocessConfig(
            str(structures), str(out), split_table=table, workers=1, shards=False, coordinates=True
        )
    )
    return out


def config(data, run_dir, **options):
    model = RowsConfig([1, 4], 16, 2, 32, 4, 1, 1, 1, codebook_size=16, codebook_dim=4)
    return TrainConfig(
        model=model,
        data=DataConfig(str(data), SourceKind.coordinates, [32], batch_size=2, num_workers=0),
        optimizer=OptimizerConfig(warmup_steps=1),
        trainer=TrainerConfig(
            **({"max_steps": 4, "val_every": 2, "checkpoint_every": 2, "log_every": 1} | options)
        ),
        logger=LoggerConfig(LoggerKind.none),
        name="rows",
        run_dir=str(run_dir),
    )


@pytest.fixture(scope="module")
def run_dir(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    metrics = train.run(config(data, folder))
    assert {"val/backbone_rmsd", "val/level1/perplexity", "train/gram"} <= metrics.keys()
    assert np.isfinite(list(metrics.values())).all()
    return folder


@pytest.fixture(scope="module")
def table(structures, run_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("tokens") / "t.parquet"
    summary = encode.run(
        EncodeConfig(source=str(structures), ckpt=checkpoint(run_dir), out=str(out), workers=1)
    )
    expected = [(n + -(-n // 4)) * log2(16) / n for n in LENGTHS]
    assert summary["bits_per_residue"] == pytest.approx(np.mean(expected))
    return out


def checkpoint(run_dir):
    return str(run_dir / "checkpoints" / "last.ckpt")


def test_coordinates_are_those_of_the_structures(structures, data):
    for split, numbers in (("train", (0, 1, 2, 3)), ("val", (4, 5))):
        chains = read_chains(data / "coordinates" / f"{split}.parquet")
        assert chains.ids == [f"c{number}" for number in numbers]
        for number, name in enumerate(chains.ids):
            (backbone,) = read_structure(structures / f"{name}.pdb")
            assert backbone_rmsd(chains.coords(number), backbone.coords) < 0.006


class Cut(Exception):
    pass


def test_a_run_goes_on_as_if_it_had_not_stopped(data, run_dir, tmp_path, monkeypatch):
    begin = RowsModule.on_train_batch_start

    def cut_at_three(self, batch, batch_idx):
        if self.global_step == 3:
            raise Cut
        begin(self, batch, batch_idx)

    part = config(data, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(RowsModule, "on_train_batch_start", cut_at_three)
        with pytest.raises(Cut):
            train.run(part)
    assert load(checkpoint(tmp_path))["global_step"] == 2
    part.ckpt = "last"
    train.run(part)
    one, other = (load(checkpoint(folder)) for folder in (run_dir, tmp_path))
    for key in ("global_step", "state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(one[key], other[key])


def test_another_model_is_refused_by_name(data, run_dir, tmp_path):
    other = config(data, tmp_path)
    other.model.strides, other.ckpt = [1], checkpoint(run_dir)
    with pytest.raises(ValueError, match=r"another model: strides=\[1, 4\] \(this run: \[1\]\)"):
        train.run(other)
    other.model = tiny_model()
    with pytest.raises(ValueError, match=r"another model: .*kind=rows \(this run: None\)"):
        train.run(other)


def test_pictures_show_the_chains(run_dir):
    assert len(list((run_dir / "pictures").glob("step_*.png"))) == 2


def test_images_are_no_data_for_it(data, tmp_path):
    wrong = config(data, tmp_path)
    wrong.data.source, wrong.data.crops = SourceKind.png, []
    with pytest.raises(ValueError, match=r"data\.source=png: row tokens learn from backbones"):
        train.run(wrong)


def test_tokens_are_lists_along_the_chain(structures, run_dir, table):
    model = load_model(checkpoint(run_dir))
    found = {tokens.name: tokens for tokens in TokenTable(table)}
    assert TokenTable(table).header.grid_dim == 1
    for number, length in enumerate(LENGTHS):
        tokens = found[f"c{number}"]
        assert [level.shape for level in tokens.levels] == [(length,), (-(-length // 4),)]
        (backbone,) = read_structure(structures / f"c{number}.pdb")
        image = torch.zeros(1, 3, padded := -(-length // 4) * 4, padded)
        image[0, :, :length, :length] = torch.from_numpy(from_pixels(to_pixels(image_of(backbone.coords))))
        codes = model.encode(image, torch.arange(padded)[None] < length)
        for level, expected in zip(tokens.levels, codes, strict=True):
            assert np.array_equal(level, expected[0, : len(level)])


def test_structures_are_the_coordinates_themselves(run_dir, table, tmp_path):
    summary = decode.run(
        DecodeConfig(source=str(table), out=str(tmp_path), ckpt=checkpoint(run_dir), torsions=True, workers=1)
    )
    assert (summary["structures"], summary["failed"]) == (len(LENGTHS), 0)
    model = load_model(checkpoint(run_dir))
    for tokens in TokenTable(table):
        length, (fine, coarse) = len(tokens.sequence), tokens.levels
        codes = [np.pad(fine, (0, 4 * len(coarse) - length)), coarse]
        expected = model.decode([torch.from_numpy(each.astype(int))[None] for each in codes], length)
        (found,) = read_structure(tmp_path / f"{tokens.name}.pdb")
        assert np.abs(found.coords - expected[0].numpy()).max() < 2e-3
        assert (tmp_path / f"{tokens.name}.torsions.csv").exists()


def test_figures(structures, run_dir, tmp_path, capsys):
    evaluate.run(
        EvaluateConfig(out=str(tmp_path), source=str(structures), ckpt=checkpoint(run_dir), workers=1)
    )
    assert "tokenizer" in json.dumps(json.loads((tmp_path / "summary.json").read_text()))
    assert (tmp_path / "reconstruction.png").exists()


def test_coordinates_need_their_sources(structures, tmp_path):
    with pytest.raises(ValueError, match="coordinates=true reads the sources that delete_source=true"):
        preprocess.run(PreprocessConfig(str(structures), str(tmp_path), delete_source=True, coordinates=True))
