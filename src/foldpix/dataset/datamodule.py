"""The data of a training run, for Lightning."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pytorch_lightning import LightningDataModule

from foldpix.dataset.bins import bin_name
from foldpix.dataset.config import DataConfig, SourceKind, check_data, chosen_bins, how_to_make
from foldpix.dataset.coordinates import read_chains
from foldpix.dataset.crops import CoordinateLoader, Windows
from foldpix.dataset.loader import BatchStream, DistogramLoader, cycle
from foldpix.dataset.order import BinSamples, EpochOrder, Order, ResampledOrder
from foldpix.dataset.reader import LONGEST, DistogramDataset, PngSource, ShardSource

Loader = DistogramLoader | CoordinateLoader


class DistogramDataModule(LightningDataModule):
    """Batches of distogram images, or of backbones, for training, validation and testing.

    Training gets an endless stream, so the trainer needs ``max_steps``, and ``limit_train_batches`` as an
    integer where its epochs are to end. The ranks' shares are made here, not by Lightning's samplers.

    Parameters
    ----------
    config : DataConfig
    stride : int
        Total stride of the model, to a multiple of which images are padded.
    seed : int
        Decides the order of training.

    Raises
    ------
    ValueError
        If the configuration contradicts itself or the folder.
    """

    def __init__(self, config: DataConfig, stride: int, seed: int) -> None:
        super().__init__()
        check_data(config)
        self._config, self._stride, self._seed = config, stride, seed
        self._loaders: dict[str, Loader] = {}

    @property
    def num_skipped(self) -> int:
        """Samples of the splits in use that this rank had to leave out so far."""
        return sum(loader.num_skipped for loader in self._loaders.values())

    def train_dataloader(self) -> BatchStream:
        """An endless stream that begins after the batches already trained on.

        A resumed run goes on exactly where it stood if data, batch sizes, number of processes and seed are as
        before.
        """
        return cycle(self._loader("train", shuffled=True), self._batches_done())

    def val_dataloader(self) -> Loader:
        """Every validation sample once over all ranks, in file order."""
        return self._loader("val", shuffled=False)

    def test_dataloader(self) -> Loader:
        """Every test sample once over all ranks, in file order."""
        return self._loader("test", shuffled=False)

    def _batches_done(self) -> int:
        # Not global_step x accumulate_grad_batches: the last batches of a Lightning epoch may be fewer than
        # those and still make a step.
        if self.trainer is None:
            return 0
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.processed  # type: ignore[attr-defined]

    def _loader(self, split: str, shuffled: bool) -> Loader:
        if self._config.source is SourceKind.coordinates:
            self._loaders[split] = self._coordinate_loader(split, shuffled)
            return self._loaders[split]
        dataset = self._dataset(split)
        loader = DistogramLoader(
            dataset,
            self._order(dataset.source.bins, shuffled),
            self._stride,
            rank=self.trainer.global_rank if self.trainer else 0,
            num_workers=self._config.num_workers,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
        )
        self._loaders[split] = loader
        return loader

    def _dataset(self, split: str) -> DistogramDataset:
        kind = ShardSource if self._config.source is SourceKind.shards else PngSource
        dataset = DistogramDataset(kind(Path(self._config.root), split, chosen_bins(self._config)))
        if not len(dataset):
            raise ValueError(f"{self._config.root} holds no {split} samples; {how_to_make(self._config)}")
        return dataset

    def _coordinate_loader(self, split: str, shuffled: bool) -> CoordinateLoader:
        config, path = self._config, Path(self._config.root) / "coordinates" / f"{split}.parquet"
        if not path.exists():
            raise ValueError(f"{path} is absent; {how_to_make(config)}")
        chains, bins = read_chains(path), chosen_bins(config)
        chosen = np.flatnonzero([bin_name(length) in bins for length in chains.lengths.tolist()])
        if not len(chosen):
            raise ValueError(f"{path} holds no chains of {', '.join(bins)}; {how_to_make(config)}")
        cut = shuffled and bool(config.crops)
        windows = Windows(chains, chosen, config.crops if cut else [LONGEST[bin] for bin in bins], cut)
        rank = self.trainer.global_rank if self.trainer else 0
        return CoordinateLoader(windows, self._order(windows.bins, shuffled), self._stride, rank, self._seed)

    def _order(self, bins: Sequence[BinSamples], shuffled: bool) -> Order:
        config = self._config
        world_size = self.trainer.world_size if self.trainer else 1
        if shuffled and config.resampled:
            return ResampledOrder(bins, config.batch_size, config.max_pixels, world_size, self._seed)
        buffer = config.shuffle_buffer if shuffled else 0
        return EpochOrder(bins, config.batch_size, config.max_pixels, world_size, self._seed, buffer)
