"""Checks of one graph and of schemas."""

import copy
import pickle

import numpy as np
import pytest
import torch

from foldpix.batch import AtomicData, LevelSchema
from tests.batch.oracle import SCHEMA


def test_values_become_tensors_of_the_schema():
    data = AtomicData(positions=np.zeros((2, 3)), atomic_numbers=[6, 7], edge_index=[[0, 1]], energies=3.0)
    assert data.positions.dtype == torch.float32
    assert data.atomic_numbers.dtype == data.edge_index.dtype == torch.int64
    assert data.energies.shape == (1,)
    assert (data.num_nodes, data.num_edges, data.num_rows("atoms")) == (2, 1, 2)
    kept = AtomicData(positions=torch.zeros(2, 3, dtype=torch.float64))
    assert kept.positions.dtype == torch.float64
    assert AtomicData(energies=[1.0], forces=None).num_nodes == 0


def test_fields_by_name():
    data = AtomicData(positions=torch.zeros(2, 3), weight=torch.ones(2), levels={"weight": "node"})
    assert "weight" in data
    assert data["weight"] is data.weight
    assert dict(iter(data)).keys() == data.keys() == {"positions", "weight"}
    data.add_key("label", [[4]], "system")
    assert data.label.tolist() == [[4]]
    for other in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        assert other.label.tolist() == [[4]]
    with pytest.raises(AttributeError, match="no field 'x'"):
        _ = data.x


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"positions": np.zeros((2, 2))}, r"positions has shape \(2, 2\); it must be \(rows, 3\)"),
        ({"positions": np.zeros((2, 3)), "charges": np.zeros(3)}, "charges has 3 rows and positions 2"),
        ({"atomic_numbers": 3}, "single number"),
        ({"energies": np.zeros((5, 1))}, "energies has 5 rows; level system has one a graph"),
        ({"weight": np.zeros(2)}, "unknown field 'weight'; give its level"),
        ({"edge_index": [[0, 1]]}, "which has no field here"),
        (
            {"atomic_numbers": [1, 1], "edge_index": [[0, 2]]},
            "edge_index has index 2; the graph has 2 rows of node",
        ),
        ({"atomic_numbers": [1, 1], "edge_index": [[-1, 0]]}, "edge_index has index -1"),
        ({"atomic_numbers": [1], "edge_index": torch.zeros(1, 2)}, "must be whole numbers"),
        ({"atomic_numbers": [1], "edge_index": torch.zeros(2, 1, dtype=torch.int64)}, r"\(rows, 2\)"),
    ],
)
def test_wrong_graphs(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        AtomicData(**fields)


def test_schemas_grow_by_copies():
    schema = LevelSchema()
    more = schema.with_level("chain").with_field("of", "node", index_of="chain", padded=True)
    assert "chain" not in schema.levels
    assert more.field("of").index_of == "chain"
    assert more.level("atoms") == "node"
    assert LevelSchema.from_dict(SCHEMA.to_dict()) == SCHEMA
    with pytest.raises(ValueError, match="there is a level 'atoms' already"):
        schema.with_level("atoms")
    with pytest.raises(ValueError, match="no level 'chain'; there are node, edge, system"):
        schema.with_field("of", "node", index_of="chain")
    for name in ("ptr", "two words"):
        with pytest.raises(ValueError, match="cannot be called"):
            schema.with_field(name, "node")
