"""Configuration of a training run; light to import."""

from dataclasses import dataclass, field
from enum import StrEnum


class Accelerator(StrEnum):
    """Where to train; auto takes GPUs where there are any."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


class Precision(StrEnum):
    """Arithmetic of the network; codebooks and losses stay in float32."""

    float32 = "32-true"
    bfloat16 = "bf16-mixed"
    float16 = "16-mixed"


class LoggerKind(StrEnum):
    """Where the figures go."""

    csv = "csv"
    wandb = "wandb"
    none = "none"


@dataclass
class OptimizerConfig:
    """AdamW with warm-up and cosine decay."""

    lr: float = 1e-3
    betas: list[float] = field(default_factory=lambda: [0.9, 0.95])
    weight_decay: float = 0.05
    """On matrices and convolution kernels only."""
    warmup_steps: int = 100
    final_lr_ratio: float = 0.02
    """Share of the rate that is left at the last step."""

    def check(self) -> None:
        """Raise ValueError where a value is out of its range."""
        if not self.lr > 0:
            raise ValueError(f"optimizer.lr={self.lr} must be positive")
        if self.warmup_steps < 0:
            raise ValueError(f"optimizer.warmup_steps={self.warmup_steps} must not be negative")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"optimizer.betas={self.betas} must be two numbers from 0 to below 1")


@dataclass
class TrainerConfig:
    """How long and on what to train; all counts are in optimizer steps of the whole run."""

    accelerator: Accelerator = Accelerator.cpu
    devices: int = 1
    """Processes on CPU, GPUs otherwise; more than one trains data-parallel."""
    num_nodes: int = 1
    precision: Precision = Precision.float32
    max_steps: int = 100_000
    accumulate: int = 1
    """Batches summed into one optimizer step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    val_every: int = 1000
    val_batches: int | None = None
    """Batches of a validation; null takes all."""
    checkpoint_every: int = 1000
    log_every: int = 20
    num_threads: int | None = None
    """CPU threads of each process; null leaves PyTorch's choice."""

    def check(self) -> None:
        """Raise ValueError where a value is out of its range."""
        for name in (
            "devices",
            "num_nodes",
            "max_steps",
            "accumulate",
            "val_every",
            "checkpoint_every",
            "log_every",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"trainer.{name}={getattr(self, name)} must be at least 1")
        for name in ("clip", "val_batches"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise ValueError(f"trainer.{name}={value} must not be negative")
        if self.num_threads is not None and self.num_threads < 1:
            raise ValueError(f"trainer.num_threads={self.num_threads} must be at least 1, or null")
        if self.accelerator is Accelerator.cpu and self.precision is Precision.float16:
            raise ValueError("trainer.precision=float16 needs a GPU; bfloat16 and float32 run on the CPU")


@dataclass
class LoggerConfig:
    """Where the figures go."""

    kind: LoggerKind = LoggerKind.csv
    project: str = "foldpix"
    """Project of Weights & Biases."""
    offline: bool = True
    """Keep the Weights & Biases run on disk; `wandb sync` sends it later."""
