"""Structures to tokens: python encode.py source=DIR out=tokens.parquet."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.encode import EncodeConfig

ConfigStore.instance().store("encode_schema", EncodeConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="encode")
def main(cfg: DictConfig) -> None:
    """Encode every chain."""
    from foldpix.jobs.encode import run

    run_job(run, cfg, EncodeConfig)


if __name__ == "__main__":
    launch(main)
