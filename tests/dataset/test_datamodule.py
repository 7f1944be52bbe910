import os
import warnings
from itertools import chain, islice
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from foldpix.dataset.config import DataConfig, SourceKind, check_data, chosen_bins
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.dataset.index import read_index, write_index

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

NUM_BATCHES = 14


def make_config(root, **options):
    return DataConfig(
        **{"root": str(root), "batch_size": 4, "shuffle_buffer": 100, "num_workers": 0} | options
    )


def make_datamodule(root, **options):
    return DistogramDataModule(make_config(root, **options), 16, seed=5)


class Recorder(LightningModule):
    """A model of one weight that notes what it is shown."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.5))
        self.seen, self.validated = [], []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch.names)
        return (self.scale - batch.image.mean() - batch.image[0, 0, 0, 1]).square()

    def validation_step(self, batch, batch_idx):
        self.validated.append(batch.names)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.1)


class KeepAll(Callback):
    """A checkpoint after every step."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_batch_end(self, trainer, *_):
        path = self.folder / f"{trainer.global_step}.ckpt"
        if trainer.global_step and not path.exists():
            trainer.save_checkpoint(path)


def fit(root, num_steps, callbacks=(), ckpt_path=None, options=None, **trainer_options):
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=-1,
        max_steps=num_steps,
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **{"limit_val_batches": 0} | trainer_options,
    )
    model = Recorder()
    with warnings.catch_warnings():
        # Lightning has advice about the machine, and is behind PyTorch.
        warnings.filterwarnings("ignore", message="(GPU|MPS) available but not used")
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        trainer.fit(model, datamodule=make_datamodule(root, **(options or {})), ckpt_path=ckpt_path)
    return model


@pytest.mark.parametrize(
    ("trainer_options", "options"),
    [
        ({"limit_train_batches": 4}, {}),
        ({}, {}),
        ({"limit_train_batches": 5, "accumulate_grad_batches": 2}, {}),
        (
            {"val_check_interval": 4, "check_val_every_n_epoch": None, "limit_val_batches": 1.0},
            {"num_workers": 1},
        ),
        ({"limit_train_batches": 4}, {"resampled": True}),
    ],
    ids=["short epochs", "no epochs", "accumulation", "validation and workers", "resampled"],
)
def test_resume_at_every_step_sees_and_learns_the_same(dataset, tmp_path, trainer_options, options):
    accumulated = trainer_options.get("accumulate_grad_batches", 1)
    num_steps = 9 if accumulated > 1 else NUM_BATCHES  # epochs of 5 batches make 3 steps of up to 2
    whole = fit(dataset.root, num_steps, [KeepAll(tmp_path)], options=options, **trainer_options)
    stream = make_datamodule(dataset.root, **options).train_dataloader()
    assert whole.seen == [batch.names for batch in islice(stream, len(whole.seen))]
    every = 4 if options.get("num_workers") else 1
    for step in range(1, num_steps, every):
        rest = fit(dataset.root, num_steps, (), tmp_path / f"{step}.ckpt", options, **trainer_options)
        num_before = len(whole.seen) - len(rest.seen)
        assert rest.seen == whole.seen[num_before:]
        assert num_before == sum([2, 2, 1][i % 3] for i in range(step)) if accumulated > 1 else step
        assert torch.equal(rest.scale, whole.scale)


@pytest.mark.parametrize("limit", [3, 4, None])
def test_a_finished_run_is_extended(dataset, tmp_path, limit):
    options = {"limit_train_batches": limit} if limit else {}
    whole = fit(dataset.root, 11, **options)
    first = fit(dataset.root, 6, **options)
    first.trainer.save_checkpoint(tmp_path / "end.ckpt")
    rest = fit(dataset.root, 11, (), tmp_path / "end.ckpt", **options)
    assert first.seen + rest.seen == whole.seen
    assert torch.equal(rest.scale, whole.scale)


@pytest.mark.parametrize("split", ["val", "train"])
def test_ranks_share_the_samples(dataset, split):
    ranks = []
    for rank in (0, 1):
        module = make_datamodule(dataset.root)
        progress = SimpleNamespace(total=SimpleNamespace(processed=0))
        module.trainer = SimpleNamespace(
            global_rank=rank,
            world_size=2,
            strategy=SimpleNamespace(root_device=torch.device("cpu")),
            fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress)),
        )
        batches = module.val_dataloader() if split == "val" else islice(module.train_dataloader(), 6)
        ranks.append([batch.names for batch in batches])
    assert len(ranks[0]) == len(ranks[1])
    assert sorted(chain.from_iterable(ranks[0] + ranks[1])) == sorted(dataset.names(split))


def test_validation_sees_every_sample_once(dataset):
    model = fit(dataset.root, 4, limit_train_batches=4, limit_val_batches=1.0)
    assert list(chain.from_iterable(model.validated)) == dataset.names("val")  # in file order


@pytest.mark.filterwarnings("ignore::foldpix.dataset.reader.SkippedSampleWarning")
def test_skipped_samples_are_counted_over_the_splits(own_dataset):
    own_dataset.add_shard("bin_40_64", 0, 3, split="val")
    cut, damaged = own_dataset.shard("bin_40_64", 1), own_dataset.shard("bin_40_64", 0, "val")
    write_index(cut)
    os.truncate(cut, int(read_index(cut).offsets[1]))
    with damaged.open("r+b") as file:
        file.seek(read_index(damaged).offsets[2])
        file.write(b"bad")
    module = make_datamodule(own_dataset.root)
    assert module.num_skipped == 0
    stream = module.train_dataloader()
    assert module.num_skipped == 2
    for _ in range(3):
        assert len(list(islice(stream, 3))) == 3
        list(module.val_dataloader())
        assert module.num_skipped == 2 + 1


@pytest.mark.parametrize("bins", [None, ["bin_65_128"], ["bin_129_192", "bin_40_64"]])
@pytest.mark.parametrize("source", [SourceKind.shards, SourceKind.png])
def test_bins(dataset, bins, source):
    module = make_datamodule(dataset.root, bins=bins, source=source, resampled=False)
    keys = {key for key in dataset.names() if bins is None or dataset.bins[key] in bins}
    batches = list(islice(module.train_dataloader(), 40))
    assert {name for batch in batches for name in batch.names} == keys


def test_all_but_some_bins(dataset):
    config = make_config(dataset.root, skip_bins=["bin_65_128"])
    assert chosen_bins(config) == ["bin_40_64", "bin_129_192"]


def test_max_pixels_caps_the_batch(dataset):
    batches = islice(make_datamodule(dataset.root, max_pixels=3 * 64**2).train_dataloader(), 40)
    largest = {bin: 0 for bin in ("64", "128", "192")}
    for batch in batches:
        high = dataset.bins[batch.names[0]].split("_")[2]
        largest[high] = max(largest[high], len(batch.names))
    assert largest == {"64": 3, "128": 1, "192": 1}


def test_plain_pngs_give_the_same_validation_as_shards(dataset):
    png, shards = (
        [batch.names for batch in make_datamodule(dataset.root, source=kind).val_dataloader()]
        for kind in (SourceKind.shards, SourceKind.png)
    )
    assert png == shards


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0: at least 1"),
        ({"max_pixels": 0}, "max_pixels=0: at least 1"),
        ({"shuffle_buffer": -1}, "shuffle_buffer=-1: at least 0"),
        ({"num_workers": -1}, "num_workers=-1: at least 0"),
        ({"bins": ["bin_1_2"]}, "no bin bin_1_2 in .*; there are bin_40_64, bin_65_128, bin_129_192"),
        ({"skip_bins": ["bin_1_2"]}, "no bin bin_1_2 in .*; there are bin_40_64"),
        ({"bins": ["bin_40_64"], "skip_bins": ["bin_40_64"]}, "bin_40_64 is in bins and in skip_bins"),
        ({"bins": []}, "no bin is left"),
        ({"skip_bins": ["bin_40_64", "bin_65_128", "bin_129_192"]}, "no bin is left"),
    ],
)
def test_contradictions(dataset, options, message):
    with pytest.raises(ValueError, match=message):
        check_data(make_config(dataset.root, **options))


@pytest.mark.parametrize("source", list(SourceKind))
def test_missing_data_names_the_command(tmp_path, source):
    with pytest.raises(
        ValueError, match=r"`python preprocess.py source=DIR out=\S+none( coordinates=true)?` makes them"
    ):
        make_datamodule(tmp_path / "none", source=source)


def test_missing_split_names_the_command(dataset):
    with pytest.raises(ValueError, match=r"holds no test samples; `python preprocess.py source=DIR out="):
        make_datamodule(dataset.root).test_dataloader()
