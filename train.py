"""Train a tokenizer: python train.py model=hvqvae_small data.root=data/pdb"""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.train import TrainConfig
from foldpix.model.config import HVQVAEConfig, RowsConfig

_store = ConfigStore.instance()
_store.store("train_schema", TrainConfig)
_store.store("hvqvae_schema", HVQVAEConfig, group="model")
_store.store("rows_schema", RowsConfig, group="model")


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    """Train with the composed config."""
    from foldpix.jobs.train import run

    run_job(run, cfg, TrainConfig)


if __name__ == "__main__":
    launch(main)
