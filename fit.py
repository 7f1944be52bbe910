"""Structures to a codebook: python fit.py source=DIR out=codebook.safetensors codebook_size=256."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.fit import FitConfig

ConfigStore.instance().store("fit_schema", FitConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="fit")
def main(cfg: DictConfig) -> None:
    """Fit a codebook of chain codes."""
    from foldpix.jobs.fit import run

    run_job(run, cfg, FitConfig)


if __name__ == "__main__":
    launch(main)
