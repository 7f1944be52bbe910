"""Overlays of molecules or backbones: python align.py ref=query.sdf fit=library.sdf out=DIR."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.align import AlignConfig

ConfigStore.instance().store("align_schema", AlignConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="align")
def main(cfg: DictConfig) -> None:
    """Overlay every pair; scores.csv tells what became of each."""
    from foldpix.jobs.align import run

    run_job(run, cfg, AlignConfig)


if __name__ == "__main__":
    launch(main)
