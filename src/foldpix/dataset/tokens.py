"""Token tables: what a tokenizer makes of many chains, in one Parquet file that any reader of Parquet takes.

A row is a chain: ``name``, ``chain``, ``sequence``, ``length``, ``d_max``, and ``level_0`` (finest),
``level_1``, ... each a list of code numbers: along the chain, or a square grid row by row. Tables of chain
codes have three columns more: ``breaks``, residues (from 0) that are not bonded to the one before;
``poses``, six numbers for each break that say where the chain goes on; ``deviation``, how far (angstrom) the
tokens' backbone is from the one that was encoded.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FORMAT_VERSION = "1"
_VERSION, _FINGERPRINT, _STRIDES, _CODEBOOK, _GRID_DIM, _CHAIN_CODES = (
    b"foldpix_tokens",
    b"foldpix_fingerprint",
    b"foldpix_strides",
    b"foldpix_codebook_size",
    b"foldpix_grid_dim",
    b"foldpix_chain_codes",
)
_POSE = 6
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class TokenHeader:
    """What a table says of the tokenizer it was made with.

    Parameters
    ----------
    fingerprint : str
        SHA-256 of the weights, hexadecimal.
    strides : tuple of int
        Pixels along the side of a cell, of each level, finest first.
    codebook_size : int
        Codes of each level are 0 to one less than it.
    grid_dim : int
        Axes of a level's codes: 2 for square grids, 1 for sequences along the chain.
    chain_codes : bool
        The codes are those of :mod:`foldpix.chain_code`, with breaks, poses and deviation.
    """

    fingerprint: str
    strides: tuple[int, ...]
    codebook_size: int
    grid_dim: int = 2
    chain_codes: bool = False

    def __str__(self) -> str:
        if self.chain_codes:
            return f"{self.fingerprint[:12]} (chain codes; {self.codebook_size} codes)"
        strides = ", ".join(map(str, self.strides))
        return f"{self.fingerprint[:12]} (strides {strides}; {self.codebook_size} codes)"

    @property
    def schema(self) -> pa.Schema:
        """Columns with their types, and this header as metadata."""
        code = pa.uint16() if self.codebook_size <= 2**16 else pa.uint32()
        columns = [("name", pa.string()), ("chain", pa.string()), ("sequence", pa.string())]
        columns += [("length", pa.int32()), ("d_max", pa.float64())]
        columns += [(f"level_{level}", pa.list_(code)) for level in range(len(self.strides))]
        if self.chain_codes:
            lists = [("breaks", pa.list_(pa.int32())), ("poses", pa.list_(pa.int16()))]
            columns += [*lists, ("deviation", pa.float32())]
        return pa.schema(columns).with_metadata(
            {
                _VERSION: FORMAT_VERSION,
                _FINGERPRINT: self.fingerprint,
                _STRIDES: ",".join(map(str, self.strides)),
                _CODEBOOK: str(self.codebook_size),
                _GRID_DIM: str(self.grid_dim),
                **({_CHAIN_CODES: "1"} if self.chain_codes else {}),
            }
        )

    def shapes(self, length: int) -> list[tuple[int, ...]]:
        """The shape of each level's codes, with just enough cells to cover the residues."""
        return [(math.ceil(length / stride),) * self.grid_dim for stride in self.strides]


@dataclass(frozen=True)
class ChainTokens:
    """A chain as tokens.

    Parameters
    ----------
    name : str
        The chain's id.
    chain, sequence : str
        Author chain id, and L letters.
    d_max : float
        The distance (angstrom) that stands for 1 in the image.
    levels : tuple of ndarray, dtype=int, shape=(h, h) or (h,)
        Code numbers, finest level first; h is L over the level's stride, rounded up.
    breaks, poses, deviation
        Of chain codes: see :class:`foldpix.chain_code.ChainCode`.
    """

    name: str
    chain: str
    sequence: str
    d_max: float
    levels: tuple[np.ndarray, ...]
    breaks: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    poses: np.ndarray = field(default_factory=lambda: np.empty((0, _POSE), dtype=np.int16))
    deviation: float = math.nan

    @property
    def num_tokens(self) -> int:
        """Tokens of all levels."""
        return sum(level.size for level in self.levels)


class BadTokens(NamedTuple):
    """A row that is no chain, and why."""

    name: str
    reason: str


class TokenWriter:
    """Writes a token table; a context manager.

    The table takes its place when the context ends well, else there is none.

    Parameters
    ----------
    path : Path
    header : TokenHeader
    """

    def __init__(self, path: Path, header: TokenHeader) -> None:
        self._path, self._header = path, header
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._writer = pq.ParquetWriter(self._temporary, header.schema, compression="zstd")

    def write(self, chains: Sequence[ChainTokens]) -> None:
        """Add chains as one row group.

        Raises
        ------
        ValueError
            If grids or codes are not those of the header.
        """
        for tokens in chains:
            _check_grids([level.ravel() for level in tokens.levels], len(tokens.sequence), self._header)
        schema = self._header.schema
        columns: list[Any] = [[getattr(tokens, name) for tokens in chains] for name in schema.names[:3]]
        columns += [[len(tokens.sequence) for tokens in chains], [tokens.d_max for tokens in chains]]
        for level in range(len(self._header.strides)):
            kind = schema.field(f"level_{level}").type.value_type
            columns.append(_list_column([tokens.levels[level] for tokens in chains], kind))
        if self._header.chain_codes:
            columns.append(_list_column([tokens.breaks for tokens in chains], pa.int32()))
            columns.append(_list_column([tokens.poses for tokens in chains], pa.int16()))
            columns.append([tokens.deviation for tokens in chains])
        self._writer.write_table(pa.table(columns, schema=schema), row_group_size=max(1, len(chains)))

    def __enter__(self) -> "TokenWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            self._temporary.unlink(missing_ok=True)


class TokenTable:
    """A token table; iterating reads it piece by piece.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    header : TokenHeader

    Raises
    ------
    ValueError
        If the file is no token table, or one of another format version.
    OSError
        If there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with pq.ParquetFile(path) as file:
                schema, self._num_rows = file.schema_arrow, file.metadata.num_rows
        except (FileNotFoundError, PermissionError):
            raise
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path}: no readable Parquet file ({error})") from error
        self.header = _header_of(schema.metadata or {}, path)
        _check_columns(schema, self.header.schema, path)

    def __len__(self) -> int:
        return self._num_rows

    def __iter__(self) -> Iterator[ChainTokens | BadTokens]:
        """The chains, and rows that are none as `BadTokens`."""
        row = 0
        with pq.ParquetFile(self._path) as file:
            for group in range(file.num_row_groups):
                end = row + file.metadata.row_group(group).num_rows
                try:
                    for batch in file.iter_batches(_ROWS_AT_ONCE, [group], self.header.schema.names):
                        for i in range(batch.num_rows):
                            yield _chain(batch, i, row + i, self.header)
                        row += batch.num_rows
                except (pa.ArrowException, OSError) as error:
                    yield BadTokens(f"rows {row} to {end - 1}", f"the Parquet file is damaged ({error})")
                row = end


def _list_column(levels: Sequence[np.ndarray], code: pa.DataType) -> pa.Array:
    ends = np.cumsum([0, *(level.size for level in levels)])
    flat = np.concatenate([np.empty(0, dtype=np.int64), *(np.ravel(level) for level in levels)])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(flat, code))


def _header_of(metadata: dict[bytes, bytes], path: Path) -> TokenHeader:
    version = metadata.get(_VERSION)
    if version is None:
        raise ValueError(f"{path}: not a token table; python encode.py writes them")
    if version != FORMAT_VERSION.encode():
        found = version.decode(errors="replace")
        raise ValueError(f"{path}: a token table of format {found}; this version reads {FORMAT_VERSION}")
    try:
        strides = tuple(int(stride) for stride in metadata[_STRIDES].split(b","))
        grid_dim = int(metadata.get(_GRID_DIM, b"2"))  # tables were all of grids once
        chain_codes = metadata.get(_CHAIN_CODES, b"0") == b"1"
        fingerprint, codebook_size = metadata[_FINGERPRINT].decode(), int(metadata[_CODEBOOK])
        header = TokenHeader(fingerprint, strides, codebook_size, grid_dim, chain_codes)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: damaged metadata ({error})") from error
    if min(strides) < 1 or header.codebook_size < 1 or grid_dim not in (1, 2):
        raise ValueError(f"{path}: damaged metadata ({header})")
    return header


def _check_columns(found: pa.Schema, expected: pa.Schema, path: Path) -> None:
    if lacking := [name for name in expected.names if name not in found.names]:
        raise ValueError(f"{path}: a token table without the columns {', '.join(lacking)}")
    for column in expected:
        if (kind := found.field(column.name).type) != column.type:
            raise ValueError(f"{path}: column {column.name} is {kind}, not {column.type}")


def _chain(batch: pa.RecordBatch, i: int, number: int, header: TokenHeader) -> ChainTokens | BadTokens:
    row = {name: batch.column(name)[i] for name in header.schema.names}
    name = f"row {number}"
    try:
        if absent := [column for column, value in row.items() if not value.is_valid]:
            raise ValueError(f"no value in the columns {', '.join(absent)}")
        name, chain, sequence = (row[column].as_py() for column in ("name", "chain", "sequence"))
        if (length := row["length"].as_py()) != len(sequence):
            raise ValueError(f"length {length}, but {len(sequence)} letters of sequence")
        flat = [_codes(row[f"level_{level}"]) for level in range(len(header.strides))]
        _check_grids(flat, length, header)
        more = _breaks(row) if header.chain_codes else ()
    except ValueError as error:
        return BadTokens(name, str(error))
    grids = tuple(codes.reshape(shape) for codes, shape in zip(flat, header.shapes(length), strict=True))
    return ChainTokens(name, chain, sequence, row["d_max"].as_py(), grids, *more)


def _breaks(row: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, float]:
    breaks, poses = _codes(row["breaks"]), _codes(row["poses"])
    if len(poses) != _POSE * len(breaks):
        raise ValueError(f"{len(breaks)} breaks with {len(poses)} numbers of poses; each break has {_POSE}")
    return breaks, poses.reshape(-1, _POSE), row["deviation"].as_py()


def _codes(value: pa.ListScalar) -> np.ndarray:
    if value.values.null_count:
        raise ValueError("a code is null")
    return value.values.to_numpy()


def _check_grids(flat: Sequence[np.ndarray], length: int, header: TokenHeader) -> None:
    if length < 1:
        raise ValueError("no residues")
    if len(flat) != len(header.strides):
        raise ValueError(f"{len(flat)} levels of codes; the tokenizer has {len(header.strides)}")
    for level, (codes, shape) in enumerate(zip(flat, header.shapes(length), strict=True)):
        if codes.size != math.prod(shape):
            needed = " x ".join(map(str, shape))
            raise ValueError(f"level {level} has {codes.size} codes; {length} residues need {needed}")
        if codes.min() < 0 or codes.max() >= header.codebook_size:
            wrong = codes.max() if codes.max() >= header.codebook_size else codes.min()
            raise ValueError(f"level {level} has the code {wrong}; the codebook has {header.codebook_size}")
