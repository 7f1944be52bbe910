"""Making, reading, selecting and joining batches."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch

from foldpix.batch import AtomicData, Batch, LevelSchema
from tests.batch.oracle import SCHEMA, SIZES, assert_holds, assert_same_fields, batch_of, graph, item, joined


def test_counts_and_pointers(batch, graphs, device):
    assert_holds(batch, graphs)
    assert batch.device == batch.ptr.device == batch.positions.device
    assert batch.ptr.tolist() == [0, 3, 8, 10]
    assert batch.batch.dtype == batch.ptr.dtype == batch.num_nodes_per_graph.dtype == torch.int64
    assert (batch.num_nodes, batch.num_edges, batch.max_num_nodes) == (10, 10, 5)
    assert batch.num_edges_per_graph.tolist() == batch.num_edges_list == [4, 0, 6]
    assert batch.lengths("residue").tolist() == [2, 3, 1]
    assert batch.level_ptr("chain").tolist() == [0, 1, 3, 3]
    assert batch.level_batch("residue").tolist() == [0, 0, 1, 1, 1, 2]
    assert batch.num_rows("atoms") == 10
    assert batch.keys["system"] == {"energies", "rank"}
    assert batch.keys["chain"] == {"charge"}


def test_bare_and_system_only_batches():
    bare = Batch(device="cpu")
    assert (bare.num_graphs, bare.num_nodes, bare.num_edges, bare.max_num_nodes, len(bare)) == (0,) * 5
    assert bare.num_nodes_list == []
    only = Batch.from_data_list([AtomicData(energies=[[1.0]]), AtomicData(energies=[[2.0]])])
    assert only.num_graphs == 2
    assert only.energies.tolist() == [[1.0], [2.0]]
    assert only.energies.dtype == torch.float64
    assert only.batch.tolist() == only.num_nodes_list == only.num_edges_list == []
    assert only.ptr.tolist() == only.edge_ptr.tolist() == [0]


@pytest.mark.parametrize("seed", range(3))
def test_edge_ptr_gives_the_edges_of_each_sender(seed, device):
    graphs = [graph(seed * 10 + k) for k in range(4)]
    batch = batch_of(graphs).to(device)
    ptr = batch.edge_ptr
    assert ptr.dtype == torch.int32
    assert len(ptr) == batch.num_nodes + 1
    for sender in range(batch.num_nodes):
        own = batch.edge_index[ptr[sender] : ptr[sender + 1], 0]
        assert (own == sender).all()
    assert ptr[-1] == batch.num_edges


def test_edge_ptr_wants_senders_in_order():
    batch = Batch.from_data_list([AtomicData(atomic_numbers=[1, 2], edge_index=[[1, 0], [0, 1]])])
    with pytest.raises(ValueError, match="not in the order of their senders"):
        _ = batch.edge_ptr
    assert Batch.from_data_list([AtomicData(atomic_numbers=[1, 2])]).edge_ptr.tolist() == [0, 0, 0]


def test_a_graph_comes_back(batch, graphs):
    for number in range(-3, 3):
        data = batch.get_data(number)
        assert_same_fields(dict(data.items()), graphs[number])
        assert data.num_nodes == SIZES[number][0]
    assert [data.num_edges for data in batch.to_data_list()] == [4, 0, 6]
    assert_same_fields(dict(batch[np.int64(1)].items()), graphs[1])
    batch[0].positions.zero_()
    assert not batch.positions[:3].any(), "a graph's rows are views"
    assert not batch.index_select(0).positions.any()
    for number in (3, -4, 99):
        with pytest.raises(IndexError, match=f"graph {number} of 3"):
            batch.get_data(number)


CHOICES = [
    (1, [1]),
    (-1, [2]),
    (slice(None, None, -1), [2, 1, 0]),
    (slice(1, 3), [1, 2]),
    ([2, 0, 2], [2, 0, 2]),
    ((0, -1), [0, 2]),
    (range(1, 3), [1, 2]),
    ([True, False, True], [0, 2]),
    (np.array([0, 2], dtype=np.int32), [0, 2]),
    (np.array([False, False, True]), [2]),
    (np.int64(1), [1]),
    (torch.tensor([1, 0]), [1, 0]),
    (torch.tensor(2), [2]),
    (torch.tensor([[0, 1]]), [0, 1]),
    (torch.tensor([True, True, False]), [0, 1]),
]


@pytest.mark.parametrize(("index", "numbers"), CHOICES, ids=[str(index) for index, _ in CHOICES])
def test_selecting(batch, graphs, device, index, numbers):
    on_device = index.to(device) if isinstance(index, torch.Tensor) else index
    chosen = batch.index_select(on_device)
    assert_holds(chosen, [graphs[number] for number in numbers])
    chosen.positions.zero_()
    assert_holds(batch, graphs)


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        ([], "empty"),
        ([False] * 3, "empty"),
        (slice(0, 0), "empty"),
        ([True, False], "mask of shape"),
        (torch.ones(4, dtype=torch.bool), "mask of shape"),
        (torch.tensor([0.0]), "index of float32"),
        (np.array([1.5]), "index of float64"),
        (torch.tensor([1, 0, 1], dtype=torch.uint8), "index of uint8"),
        ([True, 1], "one kind"),
        (True, "type bool"),
        ("x", "type str"),
        (None, "type NoneType"),
        (1.0, "type float"),
        ([0, 3], "graph 3 of 3"),
        ([-4], "graph -4 of 3"),
    ],
)
def test_wrong_selections(batch, index, complaint):
    with pytest.raises(IndexError, match=complaint):
        batch.index_select(index)


def test_graphs_must_have_the_same_fields(graphs):
    items = [item(fields) for fields in graphs]
    with pytest.raises(ValueError, match="no graphs"):
        Batch.from_data_list([])
    lacking = {key: rows for key, rows in graphs[1].items() if key != "rank"}
    with pytest.raises(ValueError, match="graph 1 lacks rank"):
        Batch.from_data_list([items[0], item(lacking)])
    with pytest.raises(ValueError, match="graph 1 also has rank"):
        Batch.from_data_list([item(lacking), items[0]])
    with pytest.raises(ValueError, match=r"positions of graph 2 has rows torch\.float64"):
        Batch.from_data_list([*items[:2], item({**graphs[2], "positions": graphs[2]["positions"].double()})])
    with pytest.raises(ValueError, match="rank of graph 1 has rows"):
        Batch.from_data_list([items[0], item({**graphs[1], "rank": torch.zeros(1, 3, dtype=torch.int16)})])
    other = SCHEMA.with_field("residue_of_node", "node", index_of="chain", padded=True)
    with pytest.raises(ValueError, match="residue_of_node of graph 1"):
        Batch.from_data_list([items[0], item({**graphs[1], "residue_of_node": torch.full((5,), -1)}, other)])


def test_fields_can_be_left_out(graphs):
    items = [item(fields) for fields in graphs]
    batch = Batch.from_data_list(items, exclude_keys=["half", "positions", "flag", "residue_of_node"])
    assert "half" not in batch
    chosen = batch.index_select([2, 0])
    assert chosen.edge_index.tolist() == joined([graphs[2], graphs[0]], SCHEMA)["edge_index"].tolist()
    assert chosen.num_nodes_list == [2, 3], "nodes count though none of their fields is left"


def test_what_a_graph_got_later_comes_along(graphs, device):
    items = [item(fields) for fields in graphs]
    for number, data in enumerate(items):
        data.add_key("weight", torch.full((data.num_nodes,), float(number)))
        data.add_key("order", torch.full((data.num_edges, 1), number), "edge")
        data.add_key("label", [[number]], "system")
    batch = Batch.from_data_list(items, device)
    assert batch.weight.tolist() == [0.0] * 3 + [1.0] * 5 + [2.0] * 2
    again = Batch.from_data_list(batch.index_select([2, 0]).cpu().to_data_list())
    assert again.label.tolist() == [[2], [0]]
    assert again.order.tolist() == [[2]] * 6 + [[0]] * 4


def test_gradients_flow_through_copies_and_not_into_buffers(device):
    positions = torch.ones(3, 3, device=device, requires_grad=True)
    batch = Batch.from_data_list([AtomicData(positions=positions), AtomicData(positions=positions * 2)])
    batch.index_select([1]).clone().positions.sum().backward()
    assert positions.grad.tolist() == [[2.0] * 3] * 3
    buffer = Batch.empty(num_systems=2, num_nodes=6, num_edges=0, template=batch, device=device)
    buffer.put(batch, torch.ones(2, dtype=torch.bool))
    assert not buffer.positions.requires_grad


def test_append(batch, graphs, device):
    other = batch_of(graphs[:2])
    before = copy.deepcopy(dict(iter(other)))
    batch.append(other.to(device))
    assert_holds(batch, graphs + graphs[:2])
    assert_same_fields(dict(iter(other)), before)
    batch.append_data([item(graphs[2])])
    assert_holds(batch, graphs + graphs[:2] + graphs[2:])
    with pytest.raises(ValueError, match="no graphs"):
        batch.append_data([])


def test_append_of_itself_or_of_other_fields(batch, graphs):
    shared = Batch.from_dump(batch.model_dump())
    for other in (batch, shared):
        with pytest.raises(ValueError, match="appended to itself"):
            batch.append(other)
    fewer = batch.clone()
    del fewer["flag"]
    with pytest.raises(ValueError, match="level node of the appended batch lacks flag"):
        batch.append(fewer)
    with pytest.raises(ValueError, match="also has flag"):
        fewer.append(batch)
    with pytest.raises(ValueError, match="positions of the appended batch"):
        batch.append(batch.to(batch.device, torch.float64))
    assert_holds(batch, graphs)


def test_append_fills_levels_that_the_other_lacks():
    whole = AtomicData(positions=torch.ones(2, 3), edge_index=[[0, 1]], energies=[[5.0]])
    batch = Batch.from_data_list([whole])
    batch.append(Batch.from_data_list([AtomicData(positions=torch.ones(3, 3))]))
    assert batch.energies.tolist() == [[5.0], [0.0]]
    assert batch.num_edges_list == [1, 0]
    with pytest.raises(ValueError, match="also has"):
        Batch.from_data_list([AtomicData(positions=torch.ones(3, 3))]).append(batch)


def test_append_to_and_of_nothing(batch, graphs):
    batch.append(Batch(device=batch.device))
    assert_holds(batch, graphs)
    for nothing in (Batch(device=batch.device), Batch.empty_like(batch)):
        nothing.append(batch)
        assert_holds(nothing, graphs)
        nothing.positions.zero_()
    assert_holds(batch, graphs)


def test_add_key_at_each_level(batch, graphs, device):
    batch.add_key("weight", [rows["positions"][:, 0].to(device) for rows in graphs])
    batch.add_key("shifts", [rows["edge_index"].float() @ torch.ones(2, 3) for rows in graphs], "edges")
    batch.add_key("label", [torch.tensor(k) for k in range(3)], "system")
    batch.add_key("frame", [torch.full((1, 3, 3), k) for k in range(3)], "system")
    assert batch.label.tolist() == [0, 1, 2]
    assert batch.frame.shape == (3, 3, 3)
    assert batch[1].label.tolist() == [1]
    chosen = Batch.from_data_list(batch.index_select([2, 1]).to_data_list())
    assert chosen.label.tolist() == [2, 1]
    assert chosen[0].weight.tolist() == graphs[2]["positions"][:, 0].tolist()
    batch.add_key("label", [rows["charge"] for rows in graphs], "chain", overwrite=True)
    assert batch.keys["system"] == {"energies", "rank", "frame"}
    assert batch[1].label.tolist() == graphs[1]["charge"].tolist()


def test_add_key_of_indices_moves_them(batch, graphs):
    del batch["edge_index"]
    batch.add_key("edge_index", [rows["edge_index"] for rows in graphs], "edge")
    assert_same_fields(dict(iter(batch)), joined(graphs, SCHEMA))
    wrong = [rows["edge_index"] + 99 for rows in graphs]
    with pytest.raises(ValueError, match="the graph has 3 rows of node"):
        batch.add_key("edge_index", wrong, "edge", overwrite=True)


@pytest.mark.parametrize(
    ("key", "sizes", "level", "complaint"),
    [
        ("flag", [3, 5, 2], "node", "there is a field 'flag' already|overwrite=True"),
        ("new", [3, 5], "node", "2 values of new for 3 graphs"),
        ("new", [4, 4, 2], "node", "new of graph 0 has 4 rows; the graph has 3"),
        ("new", [3, 5, 2], "system", "one a graph"),
        ("new", [3, 5, 2], "nodes", "no level 'nodes'"),
        ("ptr", [3, 5, 2], "node", "cannot be called 'ptr'"),
    ],
)
def test_wrong_keys_are_not_added(batch, graphs, key, sizes, level, complaint):
    with pytest.raises(ValueError, match=complaint):
        batch.add_key(key, [torch.zeros(size) for size in sizes], level)
    assert_holds(batch, graphs)


def test_a_level_without_rows_takes_no_field():
    batch = Batch.from_data_list([AtomicData(atomic_numbers=[1])])
    with pytest.raises(ValueError, match="no rows of level edge"):
        batch.add_key("shifts", [torch.zeros(0, 3)], "edge")
    batch.add_key("energies", [torch.zeros(1, 1)], "system")
    assert batch.energies.shape == (1, 1)


def test_fields_by_name(batch, graphs):
    assert "positions" in batch
    assert "x" not in batch
    assert {key for key, _ in batch} == set(graphs[0])
    with pytest.raises(AttributeError, match="no field 'x'"):
        _ = batch.x
    with pytest.raises(KeyError):
        batch["x"]
    batch.positions = batch.positions * 2
    batch["flag"] = ~batch["flag"]
    assert torch.equal(batch[1].positions.cpu(), graphs[1]["positions"] * 2)
    batch.forces = torch.zeros(10, 3, device=batch.device)
    assert batch[2].forces.shape == (2, 3)
    assert "forces" in batch.keys["node"]
    with pytest.raises(ValueError, match="unknown field 'x'"):
        batch.x = torch.zeros(10)
    with pytest.raises(ValueError, match="positions has 9 rows; level node has 10"):
        batch.positions = torch.zeros(9, 3, device=batch.device)
    with pytest.raises(ValueError, match=r"must be \(rows, 3\)"):
        batch.positions = torch.zeros(10, 2, device=batch.device)
    with pytest.raises(KeyError):
        del batch["x"]


def test_copies_share_nothing(batch, graphs, device):
    for made in (batch.clone(), batch.to(device), batch.cpu(), copy.deepcopy(batch)):
        for _, rows in made:
            rows.zero_()
    assert_holds(batch, graphs)
    double = batch.to("cpu", torch.float64)
    assert double.positions.dtype == double.half.dtype == torch.float64
    assert double.code.dtype == torch.int8
    assert batch.contiguous() is batch
    assert batch.cpu().share_memory_().positions.is_shared()


def test_columns_that_are_no_contiguous_memory(graphs):
    wide = torch.randn(3, 6)
    data = AtomicData(positions=wide[:, ::2], edge_index=torch.tensor([[0, 1], [2, 2]]).T)
    batch = Batch.from_data_list([data, data])
    assert torch.equal(batch[1].positions, wide[:, ::2])
    assert batch.edge_index.tolist() == [[0, 2], [1, 2], [3, 5], [4, 5]]


def test_pin_memory(batch):
    assert batch.pin_memory() is batch if batch.device.type == "cpu" else True
    assert batch.positions.is_pinned() == (torch.cuda.is_available() and batch.device.type == "cpu")


def test_dump_and_back(batch, graphs):
    dump = batch.model_dump()
    assert dump["num_nodes_list"] == [3, 5, 2]
    assert torch.equal(dump["batch"], batch.batch)
    file = io.BytesIO()
    torch.save(dump, file)
    file.seek(0)
    for read in (dump, torch.load(file, weights_only=True)):
        back = Batch.from_dump(read)
        assert_holds(back, graphs)
        assert back.schema == batch.schema
    assert_holds(pickle.loads(pickle.dumps(batch)), graphs)
    del dump["lengths"]
    with pytest.raises(ValueError, match="lacks lengths"):
        Batch.from_dump(dump)


def test_tensors_as_they_are():
    positions = torch.randn(5, 3)
    batch = Batch.from_fields({"positions": positions}, {"node": [2, 3]})
    assert batch.positions is positions
    with pytest.raises(ValueError, match="add up to 4"):
        Batch.from_fields({"positions": positions}, {"node": [2, 2]})
    with pytest.raises(ValueError, match="no lengths of level node"):
        Batch.from_fields({"positions": positions}, {})
    with pytest.raises(ValueError, match="level node has lengths"):
        Batch.from_fields({"positions": positions}, {"node": [6, -1]})
    with pytest.raises(ValueError, match="unknown field 'x'"):
        Batch.from_fields({"x": positions}, {"node": [5]})
    with pytest.raises(ValueError, match="energies has 3 rows"):
        Batch.from_fields({"positions": positions, "energies": torch.zeros(3, 1)}, {"node": [2, 3]})


def test_small_indices_do_not_wrap_round():
    schema = LevelSchema().with_field("edge_index", "edge", torch.int8, (2,), index_of="node")
    data = AtomicData(
        schema=schema, positions=torch.zeros(50, 3), edge_index=torch.tensor([[49, 0]]).to(torch.int8)
    )
    assert Batch.from_data_list([data] * 2).edge_index.tolist() == [[49, 0], [99, 50]]
    batch = Batch.from_data_list([data] * 2)
    with pytest.raises(ValueError, match="int8 cannot count 150 rows"):
        Batch.from_data_list([data] * 3)
    with pytest.raises(ValueError, match="int8 cannot count 200 rows"):
        batch.index_select([0, 1, 0, 1])
