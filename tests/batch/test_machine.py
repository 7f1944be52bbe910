"""Any sequence of operations leaves what a list of dictionaries would hold."""

import copy
from collections import deque

import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from foldpix.batch import Batch
from foldpix.batch.wire import HEADER_SIZE, messages, read_storage
from tests.batch.oracle import assert_holds, batch_of, graph, item

SEEDS = st.lists(st.integers(0, 10**6), min_size=1, max_size=6)
LEVELS = {"node": "positions", "edge": "edge_index", "residue": "code", "chain": "charge"}


def fits(held: list, new: dict, room: dict[str, int]) -> bool:
    held = [*held, new]
    return len(held) <= room["system"] and all(
        sum(len(fields[key]) for fields in held) <= room[level] for level, key in LEVELS.items()
    )


def loop_back(batch: Batch) -> Batch:
    """Through the messages that a transfer sends."""
    queue = deque(message.clone() for message in messages(batch._storage))
    header = queue.popleft()
    assert header.shape == (HEADER_SIZE,)
    cpu = torch.device("cpu")
    storage = read_storage(header, lambda target: target.copy_(queue.popleft()), cpu, cpu)
    assert not queue
    return Batch(device="cpu", storage=storage)


class Machine(RuleBasedStateMachine):
    """A batch, a buffer, and the same as lists of dictionaries."""

    @initialize(seeds=SEEDS, room=st.tuples(*[st.integers(0, 25)] * 4), slots=st.integers(0, 12))
    def begin(self, seeds, room, slots):
        self.graphs = [graph(seed) for seed in seeds]
        self.batch = batch_of(self.graphs)
        self.room = {"system": slots, **dict(zip(LEVELS, room, strict=True))}
        nodes, edges, residues, chains = room
        self.buffer = Batch.empty(
            num_systems=slots,
            num_nodes=nodes,
            num_edges=edges,
            template=self.batch,
            num_rows={"residue": residues, "chain": chains},
        )
        self.held = []

    @rule(data=st.data(), own_mask=st.booleans())
    def put(self, data, own_mask):
        many = len(self.graphs)
        mask = torch.tensor(
            data.draw(st.lists(st.booleans(), min_size=many, max_size=many)), dtype=torch.bool
        )
        copied = torch.zeros(many, dtype=torch.bool) if own_mask else None
        occupied = torch.arange(self.buffer.system_capacity) < len(self.held)
        self.buffer.put(self.batch, mask, copied_mask=copied, dest_mask=occupied)
        self.copied = []
        for number in mask.nonzero()[:, 0].tolist():
            if fits(self.held, self.graphs[number], self.room):
                self.held.append(self.graphs[number])
                self.copied.append(number)
        found = copied if own_mask else self.batch._copied_mask
        assert found.nonzero()[:, 0].tolist() == self.copied
        assert occupied.sum() == len(self.held)
        if own_mask:
            self.batch._copied_mask = copied

    @precondition(lambda self: self.batch._copied_mask is not None)
    @rule(in_place=st.booleans())
    def drop_copied(self, in_place):
        kept = [fields for number, fields in enumerate(self.graphs) if number not in self.copied]
        trimmed = self.batch.trim()
        if not in_place and kept:
            assert trimmed.system_capacity == len(kept)
            self.batch = trimmed
        elif in_place:
            assert (trimmed is None) == (not kept)
            assert self.batch.defrag() is self.batch
        else:
            return
        self.graphs = kept

    @rule(data=st.data())
    def defrag_buffer(self, data):
        many = len(self.held)
        mask = torch.tensor(
            data.draw(st.lists(st.booleans(), min_size=many, max_size=many)), dtype=torch.bool
        )
        self.buffer.defrag(mask)
        self.held = [fields for fields, drop in zip(self.held, mask.tolist(), strict=True) if not drop]

    @rule()
    def zero(self):
        capacity = self.buffer.system_capacity
        self.buffer.zero()
        self.held = []
        assert self.buffer.system_capacity == capacity
        assert all(not self.buffer.buffer(key).any() for key, _ in self.buffer)

    @rule(seeds=SEEDS)
    def append_data(self, seeds):
        new = [graph(seed) for seed in seeds]
        self.batch.append_data([item(fields) for fields in new])
        self.graphs = [*self.graphs, *new]

    @precondition(lambda self: self.graphs)
    @rule()
    def append_to_buffer(self):
        """Into the room if all fit; otherwise the buffer grows, and has no room behind."""
        self.buffer.append(self.batch)
        self.held = [*self.held, *self.graphs]
        if not fits(self.held[:-1], self.held[-1], self.room):
            self.room = {level: sum(len(one[key]) for one in self.held) for level, key in LEVELS.items()}
            self.room["system"] = len(self.held)
        assert self.buffer.system_capacity == self.room["system"]

    @precondition(lambda self: self.graphs)
    @rule(data=st.data())
    def select(self, data):
        numbers = data.draw(
            st.lists(st.integers(-len(self.graphs), len(self.graphs) - 1), min_size=1, max_size=8)
        )
        self.batch = self.batch.index_select(numbers)
        self.graphs = [self.graphs[number] for number in numbers]

    @precondition(lambda self: self.graphs)
    @rule()
    def add_key(self):
        values = [fields["positions"][:, 0] * 2 for fields in self.graphs]
        self.batch.add_key("extra", values)
        extended = zip(self.graphs, values, strict=True)
        assert_holds(self.batch, [{**fields, "extra": value} for fields, value in extended])
        del self.batch["extra"]

    @rule()
    def transfer(self):
        self.batch = loop_back(self.batch)

    @rule()
    def clone(self):
        old, self.batch = self.batch, self.batch.clone()
        for _, rows in old:
            rows.zero_()
        self.graphs = copy.deepcopy(self.graphs)

    @invariant()
    def holds(self):
        if hasattr(self, "batch"):
            assert_holds(self.batch, self.graphs)
            assert_holds(self.buffer, self.held)


def run(num_runs: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=num_runs,
            stateful_step_count=12,
            report_multiple_bugs=False,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_operations_agree_with_lists_of_dictionaries():
    run(60)


@pytest.mark.slow
@pytest.mark.timeout(1500)  # two minutes of one core that has nothing else to do
def test_many_operations_agree_with_lists_of_dictionaries():
    run(2000)
