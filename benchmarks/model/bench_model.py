"""Steps of training, encoding and decoding."""

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from omegaconf import OmegaConf
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.samples import chain
from benchmarks.timing import Row, Work, median_ms
from foldpix.image import encode
from foldpix.model.config import HVQVAEConfig
from foldpix.model.hvqvae import HVQVAE

CONFIGS = Path(__file__).parents[2] / "conf" / "model"
MATRIX = 768

#: PyTorch's counter knows attention on GPUs alone.
ATTENTION_FLOPS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda grad, q, k, v, *_, **__: sdpa_backward_flop_count(grad, q, k, v)
    ),
}


def bench(
    models: tuple[str, ...] = ("hvqvae_small", "hvqvae"),
    lengths: tuple[int, ...] = (64, 128, 256),
    source: Path | None = None,
) -> Iterator[Row]:
    """Forward and backward pass, codes of an image, and image of codes; the limit is a matrix product."""
    for name in models:
        for length in lengths:
            image = torch.from_numpy(encode(chain(length, source).coords))[None]
            for what, work in _works(build(name), image).items():
                yield _timed(f"{name}: {what}", f"L {length}", work)


def build(name: str) -> HVQVAE:
    """The model of a file in conf/model, with fresh weights."""
    torch.manual_seed(0)
    values = OmegaConf.load(CONFIGS / f"{name}.yaml")
    del values["defaults"]  # the name of its schema, which is Hydra's affair
    config = OmegaConf.merge(OmegaConf.structured(HVQVAEConfig), values)
    return HVQVAE(OmegaConf.to_object(config))


def _works(model: HVQVAE, image: torch.Tensor) -> dict[str, Work]:
    mask = torch.ones(1, image.shape[-1], dtype=torch.bool)
    codes = model.encode(image, mask)

    def step() -> None:
        model.train()
        model.zero_grad()
        model(image, mask).losses.total.backward()

    def in_eval(work: Work) -> Work:
        def run() -> object:
            model.eval()
            return work()

        return run

    return {
        "step": step,
        "encode": in_eval(lambda: model.encode(image, mask)),
        "decode": in_eval(lambda: model.decode(codes, image.shape[-1])),
    }


def _timed(what: str, size: str, work: Work) -> Row:
    matrix = torch.randn(MATRIX, MATRIX)
    ours, product = median_ms(work, lambda: matrix @ matrix)
    limit = product * count_flops(work) / (2 * MATRIX**3)
    return Row(what, size, ours, math.nan, "", limit, "product of equal FLOPs")


def count_flops(work: Work) -> int:
    """Floating-point operations of matrix products, convolutions and attention."""
    with FlopCounterMode(display=False, custom_mapping=ATTENTION_FLOPS) as counter:
        work()
    return counter.get_total_flops()
