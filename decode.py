"""Pictures and tokens to structures: python decode.py source=data/mine out=structures."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.decode import DecodeConfig

ConfigStore.instance().store("decode_schema", DecodeConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="decode")
def main(cfg: DictConfig) -> None:
    """Decode every picture or chain of tokens; summary.csv tells what became of each."""
    from foldpix.jobs.decode import run

    run_job(run, cfg, DecodeConfig)


if __name__ == "__main__":
    launch(main)
