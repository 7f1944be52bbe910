"""One graph of a batch, which is not copied before someone asks."""

import copy
import pickle

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from foldpix.batch import Batch
from tests.batch.oracle import assert_holds, assert_same_fields


class Operations(TorchDispatchMode):
    """Counts what PyTorch is asked to do."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def test_a_field_is_taken_when_asked_for_and_once(batch, graphs):
    with Operations() as operations:
        data = batch.get_data(2)
        assert (data.num_nodes, data.num_edges, data.num_rows("residue")) == (2, 6, 1)
        assert "positions" in data and "forces" not in data
        assert data.keys() == graphs[2].keys()
        assert operations.count == 0
        assert data.edge_index is data["edge_index"]
        assert operations.count == 2  # a slice and a shift
    data.edge_index.zero_()
    assert not data.edge_index.any()
    assert_holds(batch, graphs)


def test_a_graph_takes_more_fields_than_its_batch(batch, graphs):
    data = batch.get_data(0)
    data.add_key("weight", torch.ones(3, device=batch.device))
    assert_same_fields(dict(data), {**graphs[0], "weight": torch.ones(3)})
    assert "weight" not in batch and "weight" not in batch.get_data(0)


def test_graphs_are_copied_and_batched_again(batch, graphs):
    data = batch.to_data_list()
    for copied in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        for one, fields in zip(copied, graphs, strict=True):
            assert_same_fields(dict(one), fields)
            assert type(one.fields) is dict
            one.positions.zero_()
    assert_holds(Batch.from_data_list([data[2], data[0]]), [graphs[2], graphs[0]])
