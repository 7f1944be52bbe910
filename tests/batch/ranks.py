"""What two spawned ranks do; light to import."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from foldpix.batch import Batch
from tests.batch.oracle import SCHEMA, assert_holds, batch_of, graph

DTYPES = (
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.uint16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.float8_e4m3fn,
    torch.complex64,
)


def graphs(first: int, many: int = 3) -> list[dict[str, torch.Tensor]]:
    return [graph(seed) for seed in range(first, first + many)]


def of_all_dtypes() -> Batch:
    fields = {f"x{number}": torch.arange(6).to(dtype).reshape(2, 3) for number, dtype in enumerate(DTYPES)}
    schema = SCHEMA
    for name in fields:
        schema = schema.with_field(name, "node")
    fields["edge_embeddings"] = torch.zeros(4, 0)
    return Batch.from_fields(fields, {"node": [2, 0], "edge": [0, 4]}, schema)


def plain(rank: int) -> None:
    """Nothing is said about what comes; also twice, no graph, and every dtype."""
    batches = [graphs(0), graphs(3, 1), [graph(9, (0, 0, 0, 0))]]
    if rank == 0:
        for number in (0, 1, 2, 0):
            batch_of(batches[number]).send(1)
        Batch.empty_like(batch_of(batches[0])).send(1)
        Batch(device="cpu").send(1)
        of_all_dtypes().send(1)
        return
    for number in (0, 1, 2, 0):
        assert_holds(Batch.recv(0, "cpu"), batches[number])
    none = Batch.recv(0, "cpu")
    assert none.num_graphs == 0
    assert none.keys == batch_of(batches[0]).keys
    assert Batch.recv(0, "cpu").keys == {"node": set(), "edge": set(), "system": set()}
    ours, theirs = Batch.recv(0, "cpu"), of_all_dtypes()
    assert ours.num_nodes_list == [2, 0]
    for key, rows in theirs:
        assert ours[key].dtype == rows.dtype
        assert torch.equal(ours[key].to(torch.complex64), rows.to(torch.complex64))


def live_rows(rank: int) -> None:
    """A buffer with much room sends what it holds."""
    held, batch = graphs(0), batch_of(graphs(0))
    if rank == 0:
        buffer = Batch.empty(
            num_systems=9,
            num_nodes=400,
            num_edges=400,
            template=batch,
            num_rows={"residue": 99, "chain": 9},
        )
        buffer.put(batch, torch.ones(3, dtype=torch.bool))
        buffer.send(1)
    else:
        received = Batch.recv(0, "cpu", template=batch)
        assert received.buffer("positions").shape == received.positions.shape
        assert_holds(received, held)


def wrong_template(rank: int) -> None:
    """A template with another field or dtype is an error at once, and the next batch still comes."""
    batch = batch_of(graphs(0))
    if rank == 0:
        for _ in range(3):
            batch.send(1)
        return
    fewer, other = batch.clone(), batch.to("cpu", torch.float64)
    del fewer["flag"]
    for template, complaint in ((fewer, "also has flag"), (other, "positions of the batch of rank 0")):
        try:
            Batch.recv(0, "cpu", template=template)
        except ValueError as error:
            assert complaint in str(error), error
        else:
            raise AssertionError(f"no complaint: {complaint}")
    assert_holds(Batch.recv(0, "cpu", template=batch), graphs(0))


def interleaved(rank: int) -> None:
    """Tags in another order than sent, several of one tag awaited in any order, both ways at once."""
    if rank == 0:
        sends = [batch_of(graphs(seed)).isend(1, tag=tag) for tag, seed in ((0, 0), (1, 5), (7, 10), (1, 20))]
        assert_holds(Batch.recv(1, "cpu", tag=1), graphs(30))
        for send in sends:
            send.wait()
            send.wait()
        return
    back = batch_of(graphs(30)).isend(0, tag=1)
    receives = [Batch.irecv(0, "cpu", tag=tag) for tag in (7, 1, 1, 0)]
    for number, seed in ((2, 20), (3, 0), (0, 10), (1, 5)):
        batch = receives[number].wait()
        assert receives[number].wait() is batch
        assert_holds(batch, graphs(seed))
    back.wait()


def no_batch(rank: int) -> None:
    """Numbers that are no batch, and then one."""
    if rank == 0:
        dist.send(torch.arange(5), 1, tag=0)
        batch_of(graphs(0)).send(1)
        return
    try:
        Batch.recv(0, "cpu")
    except ValueError as error:
        assert "no batch of version" in str(error)
    else:
        raise AssertionError("no complaint")
    assert_holds(Batch.recv(0, "cpu"), graphs(0))


def dead_sender(rank: int) -> None:
    if rank == 0:
        dist.send(torch.zeros(1), 1, tag=99)
        os.kill(os.getpid(), signal.SIGKILL)
    dist.recv(torch.zeros(1), 0, tag=99)
    _fails_soon(lambda: Batch.recv(0, "cpu"), "no batch from rank 0")


def dead_receiver(rank: int) -> None:
    if rank == 0:
        dist.send(torch.zeros(1), 1, tag=99)
        os.kill(os.getpid(), signal.SIGKILL)
    dist.recv(torch.zeros(1), 0, tag=99)
    _fails_soon(lambda: batch_of(graphs(0)).send(0), "rank 0")


def silent_sender(rank: int) -> None:
    if rank == 0:
        time.sleep(2)
        return
    _fails_soon(lambda: Batch.recv(0, "cpu", timeout=0.3), "no batch from rank 0")


def _fails_soon(call, complaint: str) -> None:
    start = time.monotonic()
    try:
        call()
    except ConnectionError as error:
        assert complaint in str(error), error
        assert "\n" not in str(error)
    else:
        raise AssertionError("no complaint")
    assert time.monotonic() - start < 30


CASES = {
    case.__name__: case
    for case in (
        plain,
        live_rows,
        wrong_template,
        interleaved,
        no_batch,
        dead_sender,
        dead_receiver,
        silent_sender,
    )
}


def run_case(rank: int, store: Path, names: list[str]) -> None:
    """Cases one after the other in one group; what a rank did without an error it writes down."""
    dist.init_process_group(
        "gloo", f"file://{store}/store", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    for name in names:
        CASES[name](rank)
        (store / f"{name}{rank}").touch()
