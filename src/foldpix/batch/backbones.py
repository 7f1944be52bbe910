"""Backbones as graphs: residues are nodes, contacts are edges."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.collate import collate
from foldpix.batch.item import AtomicData
from foldpix.batch.schema import LevelSchema
from foldpix.batch.storage import Storage
from foldpix.structure import Backbone

#: Letters of `residue_type`; the last is for what is none of the twenty.
LETTERS = "ACDEFGHIKLMNPQRSTVWYX"

#: Residues (the nodes), contacts (the edges), chains, and the letters of their names.
BACKBONE_SCHEMA = (
    LevelSchema(
        levels={"node": True, "edge": True, "chain": True, "letter": True, "system": False},
        aliases={"residue": "node", "contact": "edge"},
    )
    .with_field("coords", "residue", torch.float32, (3, 3))
    .with_field("residue_type", "residue", torch.int8, ())
    .with_field("chain_of_residue", "residue", torch.int64, (), index_of="chain")
    .with_field("model", "chain", torch.int64, ())
    .with_field("num_dropped", "chain", torch.int64, ())
    .with_field("letter", "letter", torch.uint8, ())
    .with_field("chain_of_letter", "letter", torch.int64, (), index_of="chain")
)


def backbone_storage(structures: Sequence[Backbone | Sequence[Backbone]], cutoff: float) -> Storage:
    """One graph a structure; see :meth:`foldpix.batch.Batch.from_backbones`."""
    items = [
        _item([entry] if isinstance(entry, Backbone) else list(entry), number, cutoff)
        for number, entry in enumerate(structures)
    ]
    if not items:
        raise ValueError("no backbones; give at least one")
    return collate(items, torch.device("cpu"), BACKBONE_SCHEMA, True, ())


def chains_of(fields: dict[str, Tensor], num_chains: int) -> list[Backbone]:
    """The chains that :func:`backbone_storage` was made of, one after the other."""
    letters, types = np.array(list(LETTERS)), fields["residue_type"].numpy()
    residues, texts = (_spans(fields[f"chain_of_{rows}"], num_chains) for rows in ("residue", "letter"))
    chains = []
    for number, (own, text) in enumerate(zip(residues, texts, strict=True)):
        name, _, chain = fields["letter"].numpy()[text].tobytes().decode().rpartition("\n")
        chains.append(
            Backbone(
                fields["coords"].numpy()[own],
                "".join(letters[types[own]]),
                name,
                chain,
                int(fields["model"][number]),
                int(fields["num_dropped"][number]),
            )
        )
    return chains


def _spans(chain_of_row: Tensor, num_chains: int) -> list[slice]:
    """The rows of each chain; they come chain by chain."""
    ends = np.searchsorted(chain_of_row.numpy(), np.arange(num_chains + 1)).tolist()
    return [slice(*span) for span in pairwise(ends)]


def _item(chains: list[Backbone], number: int, cutoff: float) -> AtomicData:
    if not chains:
        raise ValueError(f"structure {number} has no chain; leave it out")
    coords = torch.from_numpy(np.concatenate([chain.coords for chain in chains]))
    sequence = "".join(chain.sequence for chain in chains)
    texts = [np.frombuffer(f"{chain.name}\n{chain.chain}".encode(), dtype=np.uint8) for chain in chains]
    fields = {
        "coords": coords,
        "residue_type": torch.tensor([LETTERS.find(letter) % len(LETTERS) for letter in sequence]).to(
            torch.int8
        ),
        "chain_of_residue": _repeated(chains),
        "edge_index": _contacts(coords[:, 1], cutoff),
        "model": torch.tensor([chain.model for chain in chains]),
        "num_dropped": torch.tensor([chain.num_dropped for chain in chains]),
        "letter": torch.from_numpy(np.concatenate(texts)),
        "chain_of_letter": _repeated(texts),
    }
    lengths = {
        "node": len(coords),
        "edge": len(fields["edge_index"]),
        "chain": len(chains),
        "letter": len(fields["letter"]),
    }
    return AtomicData.of(BACKBONE_SCHEMA, fields, lengths)


def _repeated(parts: Sequence[Backbone] | Sequence[np.ndarray]) -> Tensor:
    """The part that each row is of."""
    return torch.from_numpy(np.repeat(np.arange(len(parts)), [len(part) for part in parts]))


def _contacts(ca_L3: Tensor, cutoff: float) -> Tensor:
    """Pairs of different residues whose CA are at most so far apart, both ways, dtype=int64, shape=(E, 2)."""
    distance_LL = torch.cdist(ca_L3, ca_L3, compute_mode="donot_use_mm_for_euclid_dist")
    return (distance_LL <= cutoff).fill_diagonal_(False).nonzero()
