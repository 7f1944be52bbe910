"""Options of `train.py`."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from foldpix.dataset.config import DataConfig
from foldpix.model.config import ModelConfig
from foldpix.training.config import LoggerConfig, OptimizerConfig, TrainerConfig


@dataclass
class TrainConfig:
    """A training run."""

    model: ModelConfig = MISSING
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    seed: int = 0
    """Decides the weights at the start and the order of the data."""
    ckpt: str | None = None
    """Checkpoint to go on from; `last` takes the newest of this name's runs."""
    name: str = MISSING
    """Runs of one name lie in one folder below `runs`."""
    runs: str = "runs"
    """Folder of all runs."""
    run_dir: str = MISSING
    """Folder of this run: checkpoints, logs, pictures."""
