import math

import pytest
import torch
from pytorch_lightning.plugins.precision import MixedPrecision

from foldpix.model.hvqvae import HVQVAE
from foldpix.training.config import OptimizerConfig
from foldpix.training.schedule import build_optimizer, build_schedule, warmup_cosine
from tests.training.tiny import tiny_model


def rates(config, max_steps):
    """The rate of each step, as an optimizer meets it."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=config.lr)
    schedule = build_schedule(optimizer, config, max_steps)
    seen = []
    for _ in range(max_steps + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_warm_up_is_linear_then_half_a_cosine():
    config = OptimizerConfig(lr=2.0, warmup_steps=4, final_lr_ratio=0.1)
    seen = rates(config, 24)
    assert seen[:5] == pytest.approx([2.0 * k / 5 for k in (1, 2, 3, 4, 5)])
    assert seen[14] == pytest.approx(2.0 * 0.55)  # half way down
    assert seen[24] == pytest.approx(0.2)
    for step in range(4, 25):
        angle = math.pi * (step - 4) / 20
        assert seen[step] == pytest.approx(2.0 * (0.1 + 0.9 * math.cos(angle / 2) ** 2))


def test_steps_beyond_the_last_keep_the_final_rate():
    config = OptimizerConfig(warmup_steps=2, final_lr_ratio=0.25)
    assert warmup_cosine(50, config, 10) == pytest.approx(0.25)


def test_a_short_run_warms_up_for_half_of_it():
    config = OptimizerConfig(lr=1.0, warmup_steps=100)
    seen = rates(config, 10)
    assert max(seen) == seen[5] == 1.0
    assert all(0 < rate < 1.0 for rate in seen[:5])


def test_no_warm_up_starts_at_the_full_rate():
    assert warmup_cosine(0, OptimizerConfig(warmup_steps=0), 10) == 1.0
    assert 0 < warmup_cosine(0, OptimizerConfig(warmup_steps=0), 1) <= 1.0


def test_gradients_can_be_clipped_under_mixed_precision():
    model = HVQVAE(tiny_model())
    optimizer = build_optimizer(model, OptimizerConfig())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    MixedPrecision("bf16-mixed", "cuda").clip_gradients(optimizer, 1.0)
    norm = torch.stack([parameter.grad.norm() for parameter in model.parameters()]).norm()
    assert norm.item() == pytest.approx(1.0, abs=1e-3)


def test_only_matrices_and_kernels_decay():
    model = HVQVAE(tiny_model())
    optimizer = build_optimizer(model, OptimizerConfig(lr=0.1, betas=[0.8, 0.9], weight_decay=0.3))
    grouped = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    names = dict(model.named_parameters())
    assert grouped.keys() == {id(parameter) for parameter in names.values()}
    for name, parameter in names.items():
        group = grouped[id(parameter)]
        is_gain_or_bias = name.endswith("bias") or "norm" in name
        assert group["weight_decay"] == (0.0 if is_gain_or_bias or parameter.ndim < 2 else 0.3), name
        assert group["lr"] == 0.1 and group["betas"] == (0.8, 0.9)
    before = {name: parameter.clone() for name, parameter in names.items()}
    for parameter in names.values():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    kernel, bias = "quantizers.0.project.weight", "quantizers.0.project.bias"
    assert torch.allclose(names[kernel], before[kernel] * (1 - 0.1 * 0.3))
    assert torch.equal(names[bias], before[bias])
