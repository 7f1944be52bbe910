"""Structure files to a data set: python preprocess.py source=DIR out=data/pdb."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.preprocess import PreprocessConfig

ConfigStore.instance().store("preprocess_schema", PreprocessConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="preprocess")
def main(cfg: DictConfig) -> None:
    """Convert, then write shards; the manifest tells what became of each file."""
    # Imported here, so that --help is quick.
    from foldpix.jobs.preprocess import run

    run_job(run, cfg, PreprocessConfig)


if __name__ == "__main__":
    launch(main)
