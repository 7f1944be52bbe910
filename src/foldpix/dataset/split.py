"""Which split a chain belongs to: by the MD5 of its file's stem, or by a table."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from foldpix.dataset.sources import Source, key_of

SPLITS = ("train", "val", "test")


def md5_split(stem: str, valid_frac: float) -> str:
    """``val`` for about ``valid_frac`` of all stems, else ``train``; the same in any folder."""
    fraction = int(hashlib.md5(stem.encode("utf-8", "surrogateescape")).hexdigest()[:8], 16) / 2**32
    return "val" if fraction < valid_frac else "train"


def read_split_table(path: str | Path) -> dict[str, str]:
    """The splits of a CSV with a column ``split`` and a column ``id``, or ``file`` whose stem is the id.

    Raises
    ------
    ValueError
        If a column is missing, a split is unknown or an id stands in two splits.
    """
    table: dict[str, str] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        columns = lines.fieldnames or []
        name = next((column for column in ("id", "file") if column in columns), None)
        if name is None or "split" not in columns:
            raise ValueError(
                f"{path} needs the columns id (or file) and split; it has {', '.join(columns) or 'none'}"
            )
        for line in lines:
            key, split = _key(line[name], name), line["split"]
            if split not in SPLITS:
                raise ValueError(
                    f"{path}, line {lines.line_num}: split '{split}' is none of {', '.join(SPLITS)}"
                )
            if table.setdefault(key, split) != split:
                raise ValueError(f"{path}, line {lines.line_num}: '{key}' is in {table[key]} and in {split}")
    return table


def in_split(files: Iterable[Source], table: str | Path | None, split: str) -> list[Source]:
    """The files that a table puts into a split, by their stem; all of them without a table."""
    if table is None:
        return list(files)
    splits = read_split_table(table)
    return [source for source in files if splits.get(key_of(source.path)) == split]


class Splitter:
    """Assigns splits; chains of one file stay together unless the table names them one by one.

    Parameters
    ----------
    valid_frac : float
        Share of ``val`` among ids that the table does not name.
    table : mapping of str to str
        Split by id, or by the id of the whole file.
    """

    def __init__(self, valid_frac: float, table: Mapping[str, str]) -> None:
        self._valid_frac, self._table = valid_frac, table

    def names(self, key: str, source: str) -> bool:
        """Whether the table says where this id belongs."""
        return key in self._table or key_of(source) in self._table

    def split_of(self, key: str, source: str) -> str:
        """The split of an id that comes from the file ``source``."""
        stem = key_of(source)
        return self._table.get(key) or self._table.get(stem) or md5_split(stem, self._valid_frac)


def _key(value: str, column: str) -> str:
    return key_of(value) if column == "file" else value.replace(".", "_")
