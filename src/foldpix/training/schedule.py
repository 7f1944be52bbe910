"""AdamW with decay on matrices only, and its learning rate over the run."""

import math

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from foldpix.training.config import OptimizerConfig


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> AdamW:
    """AdamW; gains and biases are not decayed."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # Not fused: Lightning can't clip the gradients of a fused optimizer under mixed precision.
    return AdamW(groups, lr=config.lr, betas=(config.betas[0], config.betas[1]))


def warmup_cosine(step: int, config: OptimizerConfig, max_steps: int) -> float:
    """Share of the full rate at a step: linear warm-up, then half a cosine down to the final ratio."""
    warmup = min(config.warmup_steps, max_steps // 2)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = min((step - warmup) / max(max_steps - warmup, 1), 1.0)
    return config.final_lr_ratio + (1 - config.final_lr_ratio) * 0.5 * (1 + math.cos(math.pi * progress))


def build_schedule(optimizer: AdamW, config: OptimizerConfig, max_steps: int) -> LambdaLR:
    """The schedule, one step an optimizer step."""
    return LambdaLR(optimizer, lambda step: warmup_cosine(step, config, max_steps))
