"""Graphs as plain dictionaries, and what a batch of them must be."""

import numpy as np
import torch

from foldpix.batch import AtomicData, Batch, LevelSchema

#: Nodes, edges, residues and chains of three graphs.
SIZES = [(3, 4, 2, 1), (5, 0, 3, 2), (2, 6, 1, 0)]

#: Nodes in residues, residues in chains, and per-graph values; an index at each ragged level but the last.
SCHEMA = (
    LevelSchema()
    .with_level("residue")
    .with_level("chain")
    .with_field("code", "residue", torch.int8, ())
    .with_field("residue_of_node", "node", torch.int64, (), index_of="residue")
    .with_field("chain_of_residue", "residue", torch.int32, (), index_of="chain", padded=True)
    .with_field("charge", "chain", torch.float64, ())
    .with_field("flag", "node", torch.bool, ())
    .with_field("half", "node", torch.bfloat16, (2, 2))
    .with_field("rank", "system", torch.int16)
)


def graph(seed: int, sizes: tuple[int, int, int, int] | None = None) -> dict[str, torch.Tensor]:
    """Fields of one random graph of so many nodes, edges, residues and chains; any of them may be 0."""
    rng = np.random.default_rng(seed)
    nodes, edges, residues, chains = rng.integers(0, 6, 4).tolist() if sizes is None else sizes
    edges, nodes = edges if nodes else 0, nodes if residues else 0
    edges = edges if nodes else 0
    index = rng.integers(0, max(nodes, 1), (edges, 2))
    index = index[np.argsort(index[:, 0], kind="stable")]
    return {
        "positions": torch.tensor(rng.standard_normal((nodes, 3)), dtype=torch.float32),
        "flag": torch.tensor(rng.random(nodes) < 0.5),
        "half": torch.tensor(rng.standard_normal((nodes, 2, 2))).to(torch.bfloat16),
        "residue_of_node": torch.tensor(rng.integers(0, max(residues, 1), nodes)),
        "edge_index": torch.tensor(index),
        "code": torch.tensor(rng.integers(-9, 9, residues), dtype=torch.int8),
        "chain_of_residue": torch.tensor(rng.integers(-1, max(chains, 0), residues), dtype=torch.int32),
        "charge": torch.tensor(rng.standard_normal(chains)),
        "energies": torch.tensor(rng.standard_normal((1, 1))),
        "rank": torch.tensor(rng.integers(0, 99, (1, 2)), dtype=torch.int16),
    }


def item(fields: dict[str, torch.Tensor], schema: LevelSchema = SCHEMA) -> AtomicData:
    return AtomicData(schema=schema, **fields)


def batch_of(graphs: list[dict[str, torch.Tensor]], schema: LevelSchema = SCHEMA) -> Batch:
    return Batch.from_data_list([item(fields, schema) for fields in graphs])


def assert_holds(batch: Batch, graphs: list[dict[str, torch.Tensor]]) -> None:
    """Graph by graph, and the concatenated fields, counts and pointers."""
    assert batch.num_graphs == len(batch) == batch.batch_size == len(graphs)
    for number, fields in enumerate(graphs):
        assert_same_fields(dict(batch.get_data(number).items()), fields)
    if not graphs:
        assert all(len(rows) == 0 for _, rows in batch)
        return
    assert_same_fields(dict(iter(batch)), joined(graphs, batch.schema))
    nodes = [len(fields["positions"]) for fields in graphs]
    assert batch.num_nodes_list == batch.num_nodes_per_graph.tolist() == nodes
    assert batch.num_edges_list == [len(fields["edge_index"]) for fields in graphs]
    assert batch.num_nodes == sum(nodes)
    assert batch.max_num_nodes == max(nodes)
    assert batch.ptr.tolist() == np.cumsum([0, *nodes]).tolist()
    assert batch.batch.tolist() == [number for number, many in enumerate(nodes) for _ in range(many)]
    assert batch.system_capacity >= batch.num_graphs


def joined(graphs: list[dict[str, torch.Tensor]], schema: LevelSchema) -> dict[str, torch.Tensor]:
    """The concatenated fields, indices moved one by one."""
    result = {}
    for key in graphs[0]:
        field, pieces, start = schema.fields[key], [], 0
        for fields in graphs:
            rows = fields[key].clone()
            if field.index_of is not None:
                rows[rows >= 0] += start
                start += next(
                    len(value)
                    for name, value in fields.items()
                    if schema.fields[name].level == field.index_of
                )
            pieces.append(rows)
        result[key] = torch.cat(pieces)
    return result


def assert_same_fields(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for key, rows in theirs.items():
        assert ours[key].dtype == rows.dtype, key
        assert ours[key].shape == rows.shape, key
        assert torch.equal(ours[key].cpu(), rows.cpu()), key
