"""Make up protein-like chains: python generate.py out=data/made num=1000"""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.generate import GenerateConfig

ConfigStore.instance().store("generate_schema", GenerateConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="generate")
def main(cfg: DictConfig) -> None:
    """Generate with the composed config."""
    from foldpix.jobs.generate import run

    run_job(run, cfg, GenerateConfig)


if __name__ == "__main__":
    launch(main)
