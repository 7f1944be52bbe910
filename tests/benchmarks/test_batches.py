"""Ragged batches beside others: the table, and the peers in their process."""

import math
import sys

import pytest

from benchmarks.batch import bench_batch
from benchmarks.batch.peer import PACKAGES


def test_table_has_ratios_to_and_of_ours():
    case = bench_batch.Case("clone", int, int, "plain clone", 1.2)
    columns = bench_batch.table([(case, [2.0, 1.0, 6.0, math.nan])], "").columns
    figures = ["2000", "1000", "2.00", "1.20", "6000", "3.00", "-", "-"]
    assert [next(iter(column.cells)) for column in columns] == ["clone", *figures, "plain clone"]


def test_times_are_of_one_call(monkeypatch):
    monkeypatch.setattr("benchmarks.timing.SECONDS", 0.0)
    calls = []
    case = bench_batch.Case("get", lambda: calls.append(1), int, "plain", num=4)
    ours, reference, *peers = bench_batch.times(case, None, (8, 10, 2.0))
    assert len(calls) == 4 and ours >= 0 and reference >= 0
    assert len(peers) == len(PACKAGES) and all(map(math.isnan, peers))


def test_options():
    with pytest.raises(ValueError, match="no option pear; there is peer"):
        bench_batch.main(["pear=python"])


@pytest.mark.slow
def test_a_python_without_the_peers_is_refused():
    with pytest.raises(ValueError, match=r"nvalchemi-toolkit torch_geometric does not start in"):
        bench_batch.peers(sys.executable)
