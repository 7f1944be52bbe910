"""What a batch may hold: levels, the fields of each, and which fields count rows of another level."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

#: Names of :meth:`foldpix.batch.Batch.model_dump` that are no fields.
RESERVED = frozenset(
    (
        "device",
        "keys",
        "schema",
        "lengths",
        "batch",
        "ptr",
        "num_graphs",
        "num_nodes_list",
        "num_edges_list",
    )
)


@dataclass(frozen=True)
class Field:
    """One kind of value.

    Parameters
    ----------
    level : str
    dtype : torch.dtype, optional
        Of values that come as something else than a tensor; tensors keep theirs.
    shape : tuple of int, optional
        Of one row; any where it is None, but one for all rows of a batch.
    index_of : str, optional
        The level whose rows the values count, from 0 in every graph. They are shifted when graphs move.
    padded : bool
        Whether an index may be negative for "none"; such values stay as they are.
    """

    level: str
    dtype: torch.dtype | None = None
    shape: tuple[int, ...] | None = None
    index_of: str | None = None
    padded: bool = False


def _default_fields() -> dict[str, Field]:
    single, double, whole = torch.float32, torch.float64, torch.int64
    return {
        "positions": Field("node", single, (3,)),
        "atomic_numbers": Field("node", whole, ()),
        "atomic_masses": Field("node", single, ()),
        "charges": Field("node", single),
        "velocities": Field("node", single, (3,)),
        "forces": Field("node", single, (3,)),
        "edge_index": Field("edge", whole, (2,), index_of="node"),
        "edge_embeddings": Field("edge", single),
        "shifts": Field("edge", single, (3,)),
        "energies": Field("system", double),
        "dipoles": Field("system", single),
        "stresses": Field("system", single),
        "virials": Field("system", single),
        "cell": Field("system", single, (3, 3)),
        "pbc": Field("system", torch.bool),
    }


@dataclass(frozen=True)
class LevelSchema:
    """Levels and fields, under their names. It never changes, so that batches can share it.

    Parameters
    ----------
    fields : mapping of str to Field
        By default the usual ones of atoms, edges and systems; ``edge_index`` has a row an edge, sender first.
    levels : mapping of str to bool
        Whether a level is ragged, any number of rows a graph, or has exactly one row a graph.
    aliases : mapping of str to str
        Other names of levels.
    """

    fields: Mapping[str, Field] = field(default_factory=_default_fields)
    levels: Mapping[str, bool] = field(default_factory=lambda: {"node": True, "edge": True, "system": False})
    aliases: Mapping[str, str] = field(
        default_factory=lambda: {"atom": "node", "atoms": "node", "edges": "edge"}
    )

    def level(self, name: str) -> str:
        """The level of this name or alias; ``ValueError`` if there is none."""
        level = self.aliases.get(name, name)
        if level not in self.levels:
            raise ValueError(f"no level {name!r}; there are {', '.join(self.levels)} (with_level adds one)")
        return level

    def field(self, name: str) -> Field:
        """The field of this name; ``ValueError`` if there is none."""
        if name not in self.fields:
            raise ValueError(f"unknown field {name!r}; give its level, or add it by with_field")
        return self.fields[name]

    def with_level(self, name: str, ragged: bool = True) -> "LevelSchema":
        """A schema with one more level; ``ValueError`` if there is one of this name."""
        if name in self.levels or name in self.aliases:
            raise ValueError(f"there is a level {name!r} already; choose another name")
        return replace(self, levels={**self.levels, name: ragged})

    def with_field(
        self,
        name: str,
        level: str,
        dtype: torch.dtype | None = None,
        shape: tuple[int, ...] | None = None,
        index_of: str | None = None,
        padded: bool = False,
    ) -> "LevelSchema":
        """A schema with one more field, or another one in place of that name; arguments as of `Field`.

        Raises
        ------
        ValueError
            If there is no such level, or the name means something else in a batch.
        """
        if name in RESERVED or not name.isidentifier():
            raise ValueError(f"a field cannot be called {name!r}; choose another name")
        target = None if index_of is None else self.level(index_of)
        added = Field(self.level(level), dtype, shape, target, padded)
        return replace(self, fields={**self.fields, name: added})

    def to_dict(self) -> dict[str, dict]:
        """Plain strings, lists and truth values that say the same."""
        rows = {
            name: [
                field.level,
                _dtype_name(field.dtype),
                None if field.shape is None else list(field.shape),
                field.index_of,
                field.padded,
            ]
            for name, field in self.fields.items()
        }
        return {"fields": rows, "levels": dict(self.levels), "aliases": dict(self.aliases)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, dict]) -> "LevelSchema":
        """The schema of :meth:`to_dict`."""
        fields = {
            name: Field(
                level,
                None if dtype is None else getattr(torch, dtype),
                None if shape is None else tuple(shape),
                index_of,
                padded,
            )
            for name, (level, dtype, shape, index_of, padded) in plain["fields"].items()
        }
        return cls(fields, dict(plain["levels"]), dict(plain["aliases"]))


def _dtype_name(dtype: torch.dtype | None) -> str | None:
    return None if dtype is None else str(dtype).removeprefix("torch.")
