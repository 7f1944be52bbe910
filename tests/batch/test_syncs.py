"""What reads a device. Tensors on the meta device have no values: whoever asks for one fails."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from foldpix.batch import Batch
from tests.batch.oracle import batch_of, graph


class Reads(TorchDispatchMode):
    """Counts reads of a device, and answers those of a mask."""

    def __init__(self, answer=None):
        super().__init__()
        self.answer, self.count = answer, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        to_host = function is torch.ops.aten._to_copy.default and args[0].device.type == "meta"
        if function is torch.ops.aten._local_scalar_dense.default or (
            to_host and kwargs["device"].type == "cpu"
        ):
            self.count += 1
            return self.answer
        return function(*args, **(kwargs or {}))


@pytest.fixture
def batch():
    return batch_of([graph(seed, (3, 4, 2, 1)) for seed in range(4)]).to("meta")


def buffer_of(batch):
    return Batch.empty(
        num_systems=9,
        num_nodes=99,
        num_edges=99,
        template=batch,
        device="meta",
        num_rows={"residue": 9, "chain": 9},
    )


HOST = torch.tensor([True, False, True, False])
OPERATIONS = {
    "counts": lambda batch: (batch.num_nodes_list, batch.num_edges, batch.max_num_nodes),
    "pointers": lambda batch: (batch.ptr, batch.batch, batch.num_edges_per_graph),
    "get_data": lambda batch: batch.to_data_list(),
    "from_data_list": lambda batch: Batch.from_data_list(batch.to_data_list()),
    "select": lambda batch: [batch.index_select(index) for index in ([2, 0], slice(2), np.array([1]), HOST)],
    "put": lambda batch: buffer_of(batch).put(batch, HOST),
    "defrag": lambda batch: batch.defrag(HOST),
    "trim": lambda batch: batch.trim(HOST),
    "append": lambda batch: batch.append(batch.clone()),
    "append into room": lambda batch: buffer_of(batch).append(batch),
    "zero": lambda batch: batch.zero(),
    "add_key": lambda batch: batch.add_key("new", [torch.zeros(3, device="meta")] * 4),
    "copies": lambda batch: (batch.clone(), batch.to("meta", torch.float64), batch.contiguous()),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_nothing_is_read_for_what_the_host_knows(batch, operation):
    with Reads() as reads:
        operation(batch)
    assert reads.count == 0


MASKED = {
    "select": lambda batch, mask: batch.index_select(mask),
    "put": lambda batch, mask: buffer_of(batch).put(batch, mask),
    "defrag": lambda batch, mask: batch.defrag(mask),
    "trim": lambda batch, mask: batch.trim(mask),
}


@pytest.mark.parametrize("operation", MASKED.values(), ids=MASKED)
def test_a_mask_on_the_device_is_read_once(batch, operation):
    mask = HOST.to("meta")
    with Reads(HOST) as reads:
        operation(batch, mask)
    assert reads.count == 1


def test_the_order_of_edges_is_read_once(batch):
    with Reads(False) as reads:
        _ = batch.edge_ptr
    assert reads.count == 1


def test_on_the_cpu_no_number_is_read_either():
    batch = batch_of([graph(seed) for seed in range(4)])
    with Reads() as reads:
        buffer = Batch.empty_like(batch)
        buffer.append(batch.index_select([3, 1]))
        _ = buffer.ptr, buffer.batch, buffer.trim(HOST[:2])
    assert reads.count == 0
