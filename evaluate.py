"""How close chains come back: python evaluate.py source=DIR ckpt=runs/demo/checkpoints/last.ckpt out=DIR."""

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from foldpix.jobs.entry import launch, run_job
from foldpix.jobs.schema.evaluate import EvaluateConfig

ConfigStore.instance().store("evaluate_schema", EvaluateConfig)


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    """Evaluate the image, and a tokenizer where a checkpoint is given."""
    from foldpix.jobs.evaluate import run

    run_job(run, cfg, EvaluateConfig)


if __name__ == "__main__":
    launch(main)
