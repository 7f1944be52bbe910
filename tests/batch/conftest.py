"""Devices that batches are tested on, and three graphs of different sizes."""

import pytest
import torch

from foldpix.batch import Batch
from tests.batch.oracle import SIZES, batch_of, graph


@pytest.fixture(params=["cpu", "cuda"])
def device(request) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(request.param)


@pytest.fixture
def graphs() -> list[dict[str, torch.Tensor]]:
    return [graph(seed, sizes) for seed, sizes in enumerate(SIZES)]


@pytest.fixture
def batch(graphs, device) -> Batch:
    return batch_of(graphs).to(device)
