from itertools import chain, islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from foldpix.dataset.config import DataConfig, SourceKind, check_data
from foldpix.dataset.coordinates import read_chains, rounded, write_chains
from foldpix.dataset.crops import image_batch, padded_batch
from foldpix.dataset.datamodule import DistogramDataModule
from foldpix.dataset.loader import cycle
from foldpix.image import encode
from tests.evaluation.conftest import random_chain

LENGTHS = (40, 50, 64, 65, 100, 200)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Chains named by their lengths in both splits."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "coordinates").mkdir()
    stored = [rounded(str(length), random_chain(length, length)) for length in LENGTHS]
    for split in ("train", "val"):
        write_chains(folder / "coordinates" / f"{split}.parquet", stored)
    return folder


def datamodule(root, rank=0, world_size=1, stride=8, **options):
    settings = {"batch_size": 2, "source": SourceKind.coordinates, "crops": [32, 64]} | options
    module = DistogramDataModule(DataConfig(str(root), **settings), stride, seed=3)
    progress = SimpleNamespace(total=SimpleNamespace(processed=0))
    module.trainer = SimpleNamespace(
        global_rank=rank,
        world_size=world_size,
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress)),
    )
    return module


def same(one, other):
    return one.names == other.names and torch.equal(one.coords, other.coords)


def test_windows_lie_in_their_chains(root):
    chains = read_chains(root / "coordinates" / "train.parquet")
    starts = set()
    for batch in islice(datamodule(root).train_dataloader(), 60):
        assert batch.coords.shape[1] % 8 == 0 and batch.mask.sum(1).tolist() == batch.lengths.tolist()
        for coords, mask, name in zip(batch.coords, batch.mask, batch.names, strict=True):
            window, whole = coords[mask].numpy(), chains.coords(chains.ids.index(name))
            assert not coords[~mask].any()
            found = [i for i in range(len(whole)) if np.array_equal(whole[i : i + len(window)], window)]
            assert len(found) == 1 and len(window) in (32, 64, len(whole))
            starts.add((name, len(window), found[0]))
    of_longest = {start for name, length, start in starts if name == "200" and length == 64}
    assert len(of_longest) > 10 and max(of_longest) > 100
    assert {start for name, length, start in starts if name == "40" and length == 40} == {0}


def test_an_epoch_has_as_many_windows_of_a_chain_as_fill_it(root):
    loader = datamodule(root)._loader("train", shuffled=True)
    names = [name for batch in loader for name in batch.names]
    for length in LENGTHS:
        assert names.count(str(length)) == max(1, length // 32) + max(1, length // 64)


def test_a_run_goes_on_at_any_batch(root):
    loader = datamodule(root)._loader("train", shuffled=True)
    whole = list(islice(cycle(loader), 30))
    assert all(map(same, islice(cycle(loader, 17), 13), whole[17:]))
    assert not all(map(same, whole[:9], whole[9:]))


def test_ranks_share_the_windows_and_draw_their_own(root):
    ranks = [list(datamodule(root, rank, 2)._loader("train", shuffled=True)) for rank in (0, 1)]
    assert len(ranks[0]) == len(ranks[1])
    names = list(chain.from_iterable(batch.names for batch in ranks[0] + ranks[1]))
    assert len(names) == sum(max(1, length // 32) + max(1, length // 64) for length in LENGTHS)


def test_validation_takes_whole_chains_once(root):
    batches = list(datamodule(root).val_dataloader())
    assert sorted(chain.from_iterable(batch.names for batch in batches), key=int) == list(map(str, LENGTHS))
    assert all(batch.lengths.tolist() == list(map(int, batch.names)) for batch in batches)


def test_bins_choose_whole_chains(root):
    module = datamodule(root, bins=["bin_65_128"])
    for batches in (module.val_dataloader(), islice(module.train_dataloader(), 12)):
        assert {name for batch in batches for name in batch.names} == {"65", "100"}


def test_images_of_backbones(root):
    chains = [random_chain(40, 0), random_chain(45, 1)]
    batch = image_batch(padded_batch(chains, ["a", "b"], 16))
    assert batch.image.shape == (2, 3, 48, 48)
    for image, coords in zip(batch.image, chains, strict=True):
        n = len(coords)
        difference = image[:, :n, :n].numpy() - encode(coords)
        assert np.abs(np.abs(difference) - 2.0 * (np.abs(difference) > 1.9)).max() < 1e-3  # -pi is pi
        assert not image[:, n:].any() and not image[:, :, n:].any()


@pytest.mark.parametrize("crops", [[64, 32], [32, 32], [1]])
def test_crops_that_contradict(root, crops):
    with pytest.raises(ValueError, match=r"crops=\[.*\]: give rising lengths from 2 up"):
        check_data(DataConfig(str(root), SourceKind.coordinates, crops=crops))


def test_crops_need_coordinates(root):
    with pytest.raises(ValueError, match="only data=coordinates is cut"):
        check_data(DataConfig(str(root), SourceKind.png, crops=[64]))


def test_a_split_without_chains_names_the_command(root):
    with pytest.raises(ValueError, match=r"test\.parquet is absent; .*coordinates=true` makes them"):
        datamodule(root).test_dataloader()
