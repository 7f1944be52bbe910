"""Many graphs of any sizes as one set of tensors."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from foldpix.batch.backbones import BACKBONE_SCHEMA, backbone_storage, chains_of
from foldpix.batch.buffered import Buffered
from foldpix.batch.buffers import (
    aligned,
    check_matching,
    empty_storage,
    has_room,
    minimal_item,
)
from foldpix.batch.collate import collate
from foldpix.batch.dense import Dense
from foldpix.batch.dump import device_of, load_storage, storage_of
from foldpix.batch.edit import with_values, without
from foldpix.batch.item import DEFAULT_SCHEMA, AtomicData
from foldpix.batch.plan import join, select, write_behind
from foldpix.batch.schema import LevelSchema
from foldpix.batch.selection import graph_number, graph_numbers
from foldpix.batch.storage import Storage, tight_storage
from foldpix.batch.transfer import Transfer
from foldpix.batch.views import Views
from foldpix.structure import Backbone


class Batch(Buffered, Transfer, Dense):
    """Graphs whose rows lie one behind the other, level by level.

    ``batch.positions`` and ``batch["positions"]`` are the rows of all graphs; index fields such as
    ``edge_index`` (E, 2), sender first, count rows of the whole batch. A batch from :meth:`empty` has room
    for more graphs; what is read, counted, copied and sent is always the live rows alone.

    Parameters
    ----------
    device : torch.device or str
    storage : Storage, optional
        By default no levels and no graphs.
    """

    __slots__ = ()

    def __init__(self, *, device: torch.device | str, storage: Storage | None = None) -> None:
        super().__init__(device=device, storage=storage or tight_storage(DEFAULT_SCHEMA, {}, 0))

    def __getitem__(self, index: Any) -> Any:
        """A field by its name, a graph by its number, several as :meth:`index_select` takes them."""
        if isinstance(index, str):
            return self._storage.level_of(index).live(index)
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return self.get_data(int(index))
        return self.index_select(index)

    @classmethod
    def from_data_list(
        cls,
        data_list: Sequence[AtomicData],
        device: torch.device | str | None = None,
        skip_validation: bool = False,
        attr_map: LevelSchema | None = None,
        exclude_keys: Collection[str] | None = None,
    ) -> "Batch":
        """Batch graphs that have the same fields.

        Parameters
        ----------
        device : torch.device or str, optional
            That of the first graph by default.
        skip_validation : bool
            Whether to trust that fields, dtypes and shapes of rows are the same in all graphs.
        attr_map : LevelSchema, optional
            That of the first graph by default.
        exclude_keys : collection of str, optional
            Fields to leave out.

        Raises
        ------
        ValueError
            If there is no graph, or graphs differ in fields, dtypes or shapes of rows.
        """
        if not data_list:
            raise ValueError("no graphs; give at least one")
        target = torch.device(device) if device is not None else data_list[0].device
        storage = collate(data_list, target, attr_map, skip_validation, frozenset(exclude_keys or ()))
        return cls(device=target, storage=storage)

    @classmethod
    def from_fields(
        cls,
        fields: Mapping[str, Tensor],
        lengths: Mapping[str, Sequence[int]],
        schema: LevelSchema | None = None,
    ) -> "Batch":
        """A batch of tensors as they are: no copy, and indices count rows of the whole batch.

        Parameters
        ----------
        lengths : mapping of str to sequence of int
            Rows of each graph at each ragged level.

        Raises
        ------
        ValueError
            If the lengths do not add up to the rows, a field is unknown, or devices differ.
        """
        return cls(device=device_of(fields), storage=storage_of(schema or DEFAULT_SCHEMA, fields, lengths))

    @classmethod
    def empty(
        cls,
        *,
        num_systems: int,
        num_nodes: int,
        num_edges: int,
        template: "AtomicData | Batch | None" = None,
        device: torch.device | str = "cpu",
        attr_map: LevelSchema | None = None,
        num_rows: Mapping[str, int] | None = None,
    ) -> "Batch":
        """No graphs, and room for some.

        Parameters
        ----------
        num_systems, num_nodes, num_edges : int
            Graphs, and rows of all graphs together, that there is room for.
        template : AtomicData or Batch, optional
            Has the fields that graphs to come will have. By default positions, atomic_numbers and energies,
            and edge_index where there is room for edges.
        attr_map : LevelSchema, optional
            That of the template by default.
        num_rows : mapping of str to int, optional
            Room at ragged levels beside node and edge.

        Raises
        ------
        ValueError
            If a number is negative, or that of a level is missing.
        """
        source = template if template is not None else minimal_item(num_edges > 0)
        schema = attr_map or source.schema
        fields: dict[str, dict[str, Tensor]] = {}
        if isinstance(source, Batch):
            fields = {name: level.fields for name, level in source._storage.levels.items()}
        else:
            for key, rows in source.items():
                fields.setdefault(schema.field(key).level, {})[key] = rows
        capacities = {"system": num_systems, "node": num_nodes, "edge": num_edges, **(num_rows or {})}
        return cls(device=device, storage=empty_storage(schema, fields, capacities, torch.device(device)))

    @classmethod
    def empty_like(cls, batch: "Batch", *, device: torch.device | str | None = None) -> "Batch":
        """No graphs and no room, but the fields of a batch."""
        zeros = {name: 0 for name, ragged in batch.schema.levels.items() if ragged}
        target = batch.device if device is None else device
        return cls.empty(
            num_systems=0, num_nodes=0, num_edges=0, template=batch, device=target, num_rows=zeros
        )

    @classmethod
    def from_dump(cls, dump: Mapping[str, Any]) -> "Batch":
        """The batch of :meth:`model_dump`, on its tensors; ``ValueError`` if something is missing."""
        storage = load_storage(dump)
        return cls(device=device_of(dict(storage.items())), storage=storage)

    @classmethod
    def from_backbones(
        cls, structures: Sequence[Backbone | Sequence[Backbone]], cutoff: float = 8.0
    ) -> "Batch":
        """A graph a structure: its chains, and contacts between residues.

        Residues are the nodes: ``coords`` (N, 3, 3) in angstrom, ``residue_type`` (numbers in
        "ACDEFGHIKLMNPQRSTVWYX") and ``chain_of_residue``. ``edge_index`` has the contacts, both ways, senders
        in order. Level chain has ``model`` and ``num_dropped``, level letter the chains' names.

        Parameters
        ----------
        structures : sequence of Backbone or sequence of Backbone
            Chains, or lists of the chains of one structure.
        cutoff : float
            The longest distance of two CA in contact, angstrom.

        Raises
        ------
        ValueError
            If there is no structure, or one without a chain.
        """
        return cls(device="cpu", storage=backbone_storage(structures, cutoff))

    def to_backbones(self) -> list[Backbone]:
        """All chains of a batch of :meth:`from_backbones`, in order; ``ValueError`` for another batch."""
        if self.schema != BACKBONE_SCHEMA:
            raise ValueError("this batch was not made of backbones; make one by Batch.from_backbones")
        host = self.cpu()
        return chains_of({key: rows for key, rows in host}, host.num_rows("chain"))

    def get_data(self, idx: int) -> AtomicData:
        """One graph. Its fields are views of the batch's, but for index fields, which count its own rows.

        Each is taken from the batch when it is first asked for; rows that are written before are seen.

        Raises
        ------
        IndexError
            If there is no such graph; negative numbers count from the end.
        """
        views = Views(self._storage, graph_number(idx, self.num_graphs))
        return AtomicData.of(self._storage.schema, views, views.lengths)

    def to_data_list(self) -> list[AtomicData]:
        """All graphs, as :meth:`get_data` gives them."""
        return [self.get_data(number) for number in range(self.num_graphs)]

    def index_select(self, idx: Any) -> "Batch":
        """Some of the graphs, copied, in the order given; a graph may come twice.

        Parameters
        ----------
        idx : int, slice, Tensor, ndarray or sequence
            Numbers, negative ones from the end, or a mask of bool.

        Raises
        ------
        IndexError
            If there is no such graph, none is chosen, or the index is of another kind or length.
        """
        return self._with(select(self._storage, graph_numbers(idx, self.num_graphs)))

    def append(self, other: "Batch") -> None:
        """Add the graphs of another batch, behind these; into the free room if all fit, else in new tensors.

        Levels that `other` lacks get no rows, or zeros where a graph has one row. A batch without any level
        becomes a copy of `other`.

        Raises
        ------
        ValueError
            If `other` is or shares this batch, has levels or fields that this one lacks, or lacks fields of a
            level it has, or rows differ in dtype or shape.
        """
        if other._storage is self._storage or self._shares(other):
            raise ValueError("a batch cannot be appended to itself; append its clone()")
        if not self._storage.levels and self.num_graphs == 0:
            self._replace(other.to(self.device)._storage)
            return
        if not other._storage.levels or not other.num_graphs:
            return
        moved = other if other.device == self.device else other.to(self.device)
        source = aligned(moved._storage, self._storage)
        check_matching(self._storage, source, "the appended batch")
        if not self._storage.is_tight() and has_room(self._storage, source):
            self._replace(write_behind(self._storage, source, np.arange(source.num_graphs)))
        else:
            self._replace(join(self._storage, source))

    def append_data(
        self, data_list: Sequence[AtomicData], exclude_keys: Collection[str] | None = None
    ) -> None:
        """Add graphs; as :meth:`append` of :meth:`from_data_list`."""
        self.append(Batch.from_data_list(data_list, device=self.device, exclude_keys=exclude_keys))

    def add_key(
        self, key: str, values: Sequence[Tensor], level: str = "node", overwrite: bool = False
    ) -> None:
        """Add a field.

        Parameters
        ----------
        values : sequence of Tensor
            One a graph, rows in front; (1, ...) where a graph has one row. Indices count the graph's rows.

        Raises
        ------
        ValueError
            If there is such a field and not `overwrite`, no such level, or the values do not fit the graphs.
        """
        schema = self.schema
        if key not in schema.fields or schema.fields[key].level != schema.level(level):
            schema = schema.with_field(key, level)
        held = self._storage.holds(key)
        if held and not overwrite:
            raise ValueError(f"there is a field {key!r}; say overwrite=True to replace it")
        rest = without(self._storage, key) if held else self._storage
        self._storage = with_values(rest, schema, key, values, self.device)
