"""Buffers: what goes in comes out, and what does not is told."""

import pytest
import torch

from foldpix.batch import AtomicData, Batch, LevelSchema
from tests.batch.oracle import assert_holds, batch_of
from tests.batch.ranks import DTYPES

ALL = torch.ones(3, dtype=torch.bool)


def buffer_for(batch, systems=10, nodes=100, edges=100):
    return Batch.empty(
        num_systems=systems,
        num_nodes=nodes,
        num_edges=edges,
        template=batch,
        device=batch.device,
        num_rows={"residue": 100, "chain": 100},
    )


def mask_of(*values):
    return torch.tensor(values, dtype=torch.bool)


def test_a_new_buffer(batch):
    buffer = buffer_for(batch)
    assert (buffer.num_graphs, buffer.num_nodes, buffer.system_capacity) == (0, 0, 10)
    assert buffer.positions.shape == (0, 3)
    assert buffer.buffer("positions").shape == (100, 3)
    assert buffer.edge_ptr.tolist() == buffer.ptr.tolist() == [0]
    plain = Batch.empty(num_systems=2, num_nodes=4, num_edges=0)
    assert plain.keys["node"] == {"positions", "atomic_numbers"}
    assert plain.system_capacity == 2
    assert "edge_index" in Batch.empty(num_systems=2, num_nodes=4, num_edges=3)
    like = Batch.empty_like(batch)
    assert like.keys == batch.keys
    assert like.system_capacity == 0
    with pytest.raises(ValueError, match="room for -1 rows of level node"):
        Batch.empty(num_systems=1, num_nodes=-1, num_edges=0)
    with pytest.raises(ValueError, match="no capacity of level residue"):
        Batch.empty(num_systems=1, num_nodes=1, num_edges=0, template=batch)


def test_put_again_and_again(batch, graphs):
    buffer = buffer_for(batch)
    held = []
    for mask in (mask_of(1, 0, 1), mask_of(0, 0, 0), mask_of(0, 1, 1)):
        buffer.put(batch, mask)
        held += [graphs[number] for number in mask.nonzero()[:, 0]]
        assert_holds(buffer, held)
    assert buffer.edge_ptr[-1] == buffer.num_edges
    for _ in range(20):
        buffer.zero()
        assert (buffer.num_graphs, buffer.num_nodes_list, buffer.system_capacity) == (0, [], 10)
        assert not buffer.buffer("positions").any()
        buffer.put(batch, ALL)
        assert_holds(buffer, graphs)


def test_put_takes_what_fits(batch, graphs):
    buffer = buffer_for(batch, nodes=6)
    copied = torch.ones(3, dtype=torch.bool, device=batch.device)
    buffer.put(batch, ALL, copied_mask=copied)
    assert copied.tolist() == [True, False, True], "a later graph that fits is taken"
    assert_holds(buffer, [graphs[0], graphs[2]])
    buffer.put(batch, ALL)
    assert_holds(batch.trim(), graphs)
    assert_holds(batch.defrag(), graphs)


def test_what_did_not_fit_stays(batch, graphs):
    buffer = buffer_for(batch, systems=1)
    buffer.put(batch, mask_of(0, 1, 1))
    left = batch.trim()
    assert_holds(left, [graphs[0], graphs[2]])
    assert left.system_capacity == 2
    assert_holds(batch, graphs)
    assert_holds(batch.defrag(), [graphs[0], graphs[2]])
    assert batch.system_capacity == 3
    with pytest.raises(ValueError, match="give copied_mask"):
        batch.defrag()


def test_unmasked_graphs_need_no_room(graphs):
    batch = batch_of(graphs[:1] * 8)
    buffer = buffer_for(batch, systems=4)
    buffer.put(batch, mask_of(0, 0, 0, 1, 0, 0, 1, 0))
    assert_holds(buffer, graphs[:1] * 2)


def test_defrag_moves_to_the_front(batch, graphs):
    assert batch.defrag(mask_of(1, 0, 0)) is batch
    assert_holds(batch, graphs[1:])
    assert batch.edge_ptr[-1] == 6
    assert not batch.buffer("positions")[7:].any(), "what is freed becomes 0"
    batch.defrag(mask_of(0, 1))
    assert_holds(batch, graphs[1:2])
    batch.append_data([one for one in batch_of(graphs[2:]).to(batch.device).to_data_list()])
    assert_holds(batch, graphs[1:])
    assert_holds(batch.index_select([1, 0]), [graphs[2], graphs[1]])
    batch.defrag(mask_of(1, 1))
    assert_holds(batch, [])
    batch.zero()
    assert batch.num_graphs == 0


def test_defrag_of_a_buffer_makes_room(batch, graphs):
    buffer = buffer_for(batch, nodes=10)
    buffer.put(batch, ALL)
    buffer.defrag(mask_of(0, 1, 0))
    assert_holds(buffer, [graphs[0], graphs[2]])
    assert_holds(buffer.index_select([1]), graphs[2:])
    buffer.put(batch, mask_of(0, 1, 0))
    assert_holds(buffer, [graphs[0], graphs[2], graphs[1]])
    assert buffer.buffer("positions").shape == (10, 3)


def test_trim_of_all_is_none(batch, graphs):
    assert batch.trim(ALL) is None
    assert_holds(batch.trim(~ALL), graphs)
    with pytest.raises(ValueError, match="give copied_mask"):
        batch.trim()


def test_no_graph_to_put(batch):
    buffer = buffer_for(batch)
    nothing = Batch.empty_like(batch)
    buffer.put(nothing, torch.zeros(0, dtype=torch.bool))
    assert buffer.num_graphs == 0
    assert nothing._copied_mask.shape == (0,)


def test_occupied_slots(batch, graphs):
    buffer = buffer_for(batch, systems=4)
    occupied = torch.zeros(4, dtype=torch.bool, device=batch.device)
    buffer.put(batch, mask_of(0, 1, 0), dest_mask=occupied)
    assert occupied.tolist() == [True, False, False, False]
    buffer.put(batch, mask_of(1, 0, 1), dest_mask=occupied)
    assert occupied.tolist() == [True, True, True, False]
    assert_holds(buffer, [graphs[1], graphs[0], graphs[2]])
    for wrong in (mask_of(1, 0, 1, 1), mask_of(0, 0, 0, 0), mask_of(1, 1, 1, 1)):
        with pytest.raises(ValueError, match="slots occupied"):
            buffer.put(batch, ALL, dest_mask=wrong)
    assert_holds(buffer, [graphs[1], graphs[0], graphs[2]])


@pytest.mark.parametrize(
    ("mask", "complaint"),
    [
        (torch.ones(3, dtype=torch.uint8), "is torch.uint8; give a tensor of torch.bool"),
        (torch.ones(4, dtype=torch.bool), r"has shape \(4,\); it must be \(3,\)"),
        ([True, False, True], "is list"),
    ],
)
def test_wrong_masks(batch, graphs, mask, complaint):
    buffer = buffer_for(batch)
    with pytest.raises(ValueError, match=f"^mask {complaint}"):
        buffer.put(batch, mask)
    with pytest.raises(ValueError, match=f"^copied_mask {complaint}"):
        buffer.put(batch, ALL, copied_mask=mask)
    for operation in (batch.trim, batch.defrag):
        with pytest.raises(ValueError, match=f"^copied_mask {complaint}"):
            operation(mask)
    assert buffer.num_graphs == 0
    assert_holds(batch, graphs)


def test_other_fields_do_not_go_in(batch):
    buffer, fewer = buffer_for(batch), batch.clone()
    del fewer["rank"]
    with pytest.raises(ValueError, match="level system of the source lacks rank"):
        buffer.put(fewer, ALL)
    with pytest.raises(ValueError, match=r"positions of the source has rows torch.float64 \(3,\)"):
        buffer.put(batch.to(batch.device, torch.float64), ALL)
    with pytest.raises(ValueError, match="put into itself"):
        buffer.put(buffer, torch.zeros(0, dtype=torch.bool))
    without_edges = Batch.from_data_list([AtomicData(positions=torch.zeros(1, 3))])
    with pytest.raises(ValueError, match="by levels, lacks"):
        buffer.put(without_edges, torch.ones(1, dtype=torch.bool))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("level", ["node", "system"])
def test_every_dtype_at_every_level(dtype, level, device):
    """Two fields of each; a ragged and a plain level."""
    schema = LevelSchema().with_field("first", level).with_field("second", level)
    rows = 2 if level == "node" else 1
    values = torch.arange(12).reshape(4, 3).to(dtype)
    items = [
        AtomicData(
            schema=schema, first=one[:, None].expand(3, rows).T, second=one[None].expand(rows, 3).clone()
        )
        for one in values
    ]
    batch = Batch.from_data_list(items).to(device)
    buffer = Batch.empty(num_systems=3, num_nodes=6, num_edges=0, template=batch, device=device)
    buffer.put(batch, mask_of(1, 0, 0, 1))
    batch.defrag(mask_of(0, 1, 1, 0))
    for held in (buffer, batch, batch.index_select([0, 1])):
        assert held.first.dtype == dtype
        for number, original in ((0, 0), (1, 3)):
            for key in ("first", "second"):
                got = held[number][key].cpu().to(torch.complex64)
                assert torch.equal(got, items[original][key].to(torch.complex64))


def test_shared_schemas_never_change(batch):
    buffer = Batch.empty_like(batch)
    batch.add_key("new", [torch.zeros(1)] * 3, "system")
    assert "new" not in buffer.keys["system"]
    assert "new" not in buffer.schema.fields


def test_fields_of_a_buffer_keep_its_room(batch, graphs):
    buffer = buffer_for(batch)
    buffer.put(batch, ALL)
    buffer.positions = buffer.positions + 1
    buffer.add_key("weight", [rows["positions"][:, 0] for rows in graphs])
    assert buffer.buffer("positions").shape == (100, 3)
    assert buffer.buffer("weight").shape == (100,)
    assert torch.equal(buffer[1].positions.cpu(), graphs[1]["positions"] + 1)
