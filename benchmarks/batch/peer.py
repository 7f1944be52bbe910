"""nvalchemi and PyG, run by a Python that has one of them or both: nothing of foldpix is imported here."""

from collections.abc import Callable
from functools import cache, partial
from importlib import metadata, util
from typing import Any

import torch

from benchmarks.reference import ragged_batch as plain

PACKAGES = {"nvalchemi": "nvalchemi-toolkit", "torch_geometric": "torch_geometric"}

Work = Callable[[], object] | tuple[Callable[[], object], Callable[[], object]]


def version() -> str:
    torch.set_num_threads(1)
    found = [name for name in PACKAGES if util.find_spec(name)]
    return ", ".join(f"{name} {metadata.version(PACKAGES[name])}" for name in found)


@cache
def prepared(library: str, call: str, *sizes: float) -> Work | None:
    """One operation on the same graphs as ours, or None where the library has no such, or is not there."""
    return works(library, *sizes).get(call) if util.find_spec(library) else None


@cache
def works(library: str, num_graphs: int, mean_nodes: int, neighbours: float) -> dict[str, Work]:
    items = plain.graphs(num_graphs, mean_nodes, neighbours)
    make = of_nvalchemi if library == "nvalchemi" else of_torch_geometric
    return make(items, plain.half_of(num_graphs), plain.quarter_of(num_graphs))


def of_nvalchemi(items: list[plain.Fields], half: list[int], quarter: list[int]) -> dict[str, Work]:
    from nvalchemi.data import AtomicData, Batch

    data = [AtomicData(**_renamed(item)) for item in items]
    batch, many = Batch.from_data_list(data), len(items)
    taken = torch.zeros(many, dtype=torch.bool)
    taken[quarter] = True
    buffer = Batch.empty(
        num_systems=many, num_nodes=batch.num_nodes, num_edges=batch.num_edges, template=batch
    )
    first, second = batch.index_select(slice(many // 2)), batch.index_select(slice(many // 2, many))
    joined: dict[str, Any] = {}

    def put_and_defrag() -> None:
        source = batch.clone()
        buffer.put(source, taken)
        source.defrag()

    return {
        "from_data_list": partial(Batch.from_data_list, data),
        "index_select half": partial(batch.index_select, half),
        "get_data, one graph": lambda: [batch.get_data(graph) for graph in range(many)],
        "put + defrag a quarter": (buffer.zero, put_and_defrag),
        "append half to half": (
            lambda: joined.update(batch=first.clone()),
            lambda: joined["batch"].append(second),
        ),
        "clone": batch.clone,
    }


def _renamed(item: plain.Fields) -> plain.Fields:
    names = {
        "masses": "atomic_masses",
        "categories": "atom_categories",
        "edge_index": "neighbor_list",
        "energies": "energy",
    }
    return {names.get(key, key): rows for key, rows in item.items()}


def of_torch_geometric(items: list[plain.Fields], half: list[int], quarter: list[int]) -> dict[str, Work]:
    """It has no buffers and does not append; a selection is a list of graphs, which becomes a batch again."""
    from torch_geometric.data import Batch, Data

    data = [
        Data(**{**item, "edge_index": item["edge_index"].T.contiguous()}, num_nodes=len(item["positions"]))
        for item in items
    ]
    batch = Batch.from_data_list(data)
    return {
        "from_data_list": partial(Batch.from_data_list, data),
        "index_select half": lambda: Batch.from_data_list(batch.index_select(half)),
        "get_data, one graph": lambda: [batch.get_example(graph) for graph in range(len(items))],
        "clone": batch.clone,
    }
