"""One graph."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping
from typing import Any

import torch
from torch import Tensor

from foldpix.batch.checks import as_rows, check_index
from foldpix.batch.schema import LevelSchema
from foldpix.batch.sizes import Sizes

DEFAULT_SCHEMA = LevelSchema()


class AtomicData(Sizes):
    """The fields of one graph; every one is optional.

    Parameters
    ----------
    schema : LevelSchema, optional
    levels : mapping of str to str, optional
        Levels of fields that the schema does not know.
    **fields : array_like
        Rows of a level in front: ``positions`` (V, 3), ``atomic_numbers`` (V,), ``edge_index`` (E, 2) with
        senders first and receivers second, ``energies`` (1, ...). None counts as not given.

    Attributes
    ----------
    fields : mapping of str to Tensor
        To be read; :meth:`add_key` writes.
    lengths : dict of str to int
        Rows of each level that has fields.

    Raises
    ------
    ValueError
        If a field is unknown and has no level, its rows have a wrong shape or number, fields lie on
        different devices, or an index counts a row that there is not.
    """

    __slots__ = ("fields", "lengths", "schema")

    schema: LevelSchema
    fields: Mapping[str, Tensor]
    lengths: dict[str, int]

    def __init__(
        self,
        *,
        schema: LevelSchema | None = None,
        levels: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        self.schema, self.fields, self.lengths = schema or DEFAULT_SCHEMA, {}, {}
        given = {name: value for name, value in fields.items() if value is not None}
        for name, level in (levels or {}).items():
            self.schema = self.schema.with_field(name, level)
        for name, value in given.items():
            self._set(name, value)
        for name in given:
            self._check_index(name)

    @classmethod
    def of(cls, schema: LevelSchema, fields: Mapping[str, Tensor], lengths: dict[str, int]) -> "AtomicData":
        """A graph of fields and numbers of rows that are known to be right."""
        item = cls.__new__(cls)
        item.schema, item.fields, item.lengths = schema, fields, lengths
        return item

    def add_key(self, key: str, value: Any, level: str = "node") -> None:
        """Add a field at a level, or put another value in place of one.

        Raises
        ------
        ValueError
            As the constructor does.
        """
        if key not in self.schema.fields or self.schema.fields[key].level != self.schema.level(level):
            self.schema = self.schema.with_field(key, level)
        self._set(key, value)
        self._check_index(key)

    def num_rows(self, level: str) -> int:
        return self.lengths.get(self.schema.level(level), 0)

    @property
    def device(self) -> torch.device:
        """Where the fields lie, the CPU without any."""
        return next((value.device for value in self.fields.values()), torch.device("cpu"))

    def keys(self) -> KeysView[str]:
        """Names of the fields."""
        return self.fields.keys()

    def items(self) -> ItemsView[str, Tensor]:
        """Names and values of the fields."""
        return self.fields.items()

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        return iter(self.fields.items())

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def __getitem__(self, key: str) -> Tensor:
        return self.fields[key]

    def __getattr__(self, name: str) -> Tensor:
        # Slots that are not filled yet come here too, when an item is unpickled.
        fields = {} if name in AtomicData.__slots__ else self.fields
        try:
            return fields[name]
        except KeyError:
            raise AttributeError(f"no field {name!r} in this graph") from None

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}={tuple(value.shape)}" for name, value in self.fields.items())
        return f"<AtomicData: {shapes}>"

    def _set(self, name: str, value: Any) -> None:
        field = self.schema.field(name)
        rows = as_rows(name, value, field, self.schema.levels[field.level])
        if self.fields and rows.device != self.device:
            raise ValueError(
                f"{name} is on {rows.device} and other fields on {self.device}; move one of them"
            )
        others = [key for key in self.fields if key != name and self.schema.fields[key].level == field.level]
        if others and len(rows) != self.lengths[field.level]:
            raise ValueError(
                f"{name} has {len(rows)} rows and {others[0]} {self.lengths[field.level]}; "
                f"fields of level {field.level} must have equally many"
            )
        self.fields = {**self.fields, name: rows}
        self.lengths[field.level] = len(rows)

    def _check_index(self, name: str) -> None:
        field = self.schema.fields[name]
        if field.index_of is None:
            return
        if field.index_of not in self.lengths:
            raise ValueError(
                f"{name} counts rows of level {field.index_of}, which has no field here; give one"
            )
        check_index(name, self.fields[name], field, self.lengths[field.index_of])
