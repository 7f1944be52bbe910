"""Token tables: written and read, by us and by whoever reads Parquet, and with all that can be wrong."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldpix.dataset.tokens import BadTokens, ChainTokens, TokenHeader, TokenTable, TokenWriter

HEADER = TokenHeader("ab" * 32, (4, 8), 100)


def chain(name, length, seed=0, header=HEADER):
    rng = np.random.default_rng(seed)
    levels = tuple(rng.integers(0, header.codebook_size, shape) for shape in header.shapes(length))
    return ChainTokens(name, "A", "G" * length, 80.0, levels)


CHAINS = [chain("a", 2), chain("b", 45, 1), chain("ü c", 48, 2)]


@pytest.fixture
def table(tmp_path):
    with TokenWriter(tmp_path / "t.parquet", HEADER) as writer:
        writer.write(CHAINS[:2])
        writer.write(CHAINS[2:])
    return tmp_path / "t.parquet"


def rewritten(table, change):
    """The table with columns changed by a function of their lists; the metadata stays."""
    found = pq.read_table(table)
    columns = found.to_pydict()
    change(columns)
    pq.write_table(pa.table(columns, schema=found.schema), table)


def test_what_is_written_is_read(table):
    found = TokenTable(table)
    assert (found.header, len(found)) == (HEADER, 3)
    for one, other in zip(found, CHAINS, strict=True):
        assert (one.name, one.chain, one.sequence, one.d_max) == (
            other.name,
            other.chain,
            other.sequence,
            80.0,
        )
        assert len(one.levels) == 2
        assert all(np.array_equal(a, b) for a, b in zip(one.levels, other.levels, strict=True))
    assert CHAINS[1].num_tokens == 12**2 + 6**2


def test_others_read_plain_columns(table):
    columns = pq.read_table(table).to_pydict()
    assert list(columns) == ["name", "chain", "sequence", "length", "d_max", "level_0", "level_1"]
    assert columns["name"] == ["a", "b", "ü c"] and columns["length"] == [2, 45, 48]
    assert columns["level_0"] == [each.levels[0].ravel().tolist() for each in CHAINS]
    metadata = pq.read_schema(table).metadata
    assert {key: metadata[key] for key in metadata if key.startswith(b"foldpix")} == {
        b"foldpix_tokens": b"1",
        b"foldpix_fingerprint": b"ab" * 32,
        b"foldpix_strides": b"4,8",
        b"foldpix_codebook_size": b"100",
        b"foldpix_grid_dim": b"2",
    }
    assert pq.ParquetFile(table).num_row_groups == 2


@pytest.mark.parametrize(("size", "kind"), [(2**16, pa.uint16()), (2**16 + 1, pa.uint32())])
def test_codes_are_as_wide_as_the_codebook_needs(tmp_path, size, kind):
    header = TokenHeader("f", (8,), size)
    tokens = ChainTokens("a", "A", "G", 80.0, (np.array([[size - 1]]),))
    with TokenWriter(tmp_path / "t.parquet", header) as writer:
        writer.write([tokens])
    assert pq.read_schema(tmp_path / "t.parquet").field("level_0").type == pa.list_(kind)
    (found,) = TokenTable(tmp_path / "t.parquet")
    assert found.levels[0] == size - 1


def test_an_empty_table(tmp_path):
    with TokenWriter(tmp_path / "t.parquet", HEADER):
        pass
    assert list(TokenTable(tmp_path / "t.parquet")) == []


def test_a_table_appears_whole_or_not_at_all(table):
    before = table.read_bytes()

    def fail():
        with TokenWriter(table, HEADER) as writer:
            writer.write(CHAINS)
            assert table.read_bytes() == before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in table.parent.iterdir()] == ["t.parquet"]
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((np.zeros((3, 3)), np.zeros((2, 2))), "level 0 has 9 codes; 45 residues need 12 x 12"),
        ((np.zeros((12, 12)),), "1 levels of codes; the tokenizer has 2"),
        ((np.zeros((12, 12)), np.full((6, 6), 100)), "level 1 has the code 100; the codebook has 100"),
        ((np.full((12, 12), -1), np.zeros((6, 6))), "level 0 has the code -1"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(tmp_path, levels, message):
    wrong = ChainTokens("a", "A", "G" * 45, 80.0, tuple(level.astype(int) for level in levels))
    with pytest.raises(ValueError, match=message), TokenWriter(tmp_path / "t.parquet", HEADER) as writer:
        writer.write([wrong])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("level_0", [1, 2, 3], "level 0 has 3 codes; 45 residues need 12 x 12"),
        ("level_1", [100] * 36, "level 1 has the code 100; the codebook has 100"),
        ("level_1", None, "no value in the columns level_1"),
        ("level_1", [None] * 36, "a code is null"),
        ("length", 44, "length 44, but 45 letters of sequence"),
        ("sequence", None, "no value in the columns sequence"),
        ("d_max", None, "no value in the columns d_max"),
    ],
)
def test_a_bad_row_does_not_touch_the_others(table, column, value, reason):
    rewritten(table, lambda columns: columns[column].__setitem__(1, value))
    first, bad, last = TokenTable(table)
    assert (first.name, last.name) == ("a", "ü c")
    assert isinstance(bad, BadTokens) and bad.reason == reason
    assert bad.name == ("row 1" if value is None else "b")


def test_an_empty_chain_is_none(table):
    def empty(columns):
        columns["sequence"][0], columns["length"][0], columns["level_0"][0], columns["level_1"][0] = (
            "",
            0,
            [],
            [],
        )

    rewritten(table, empty)
    assert next(iter(TokenTable(table))) == BadTokens("a", "no residues")


def test_a_damaged_piece_costs_its_rows(table):
    data = bytearray(table.read_bytes())
    column = pq.ParquetFile(table).metadata.row_group(0).column(5)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    table.write_bytes(data)
    bad, good = TokenTable(table)
    assert bad.name == "rows 0 to 1" and bad.reason.startswith("the Parquet file is damaged (")
    assert good.name == "ü c"


def with_metadata(table, **changes):
    found = pq.read_table(table)
    metadata = {key.decode(): value for key, value in found.schema.metadata.items()} | changes
    kept = {key: value for key, value in metadata.items() if value is not None}
    pq.write_table(found.replace_schema_metadata(kept), table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"foldpix_tokens": None}, r"t\.parquet: not a token table; python encode\.py writes them"),
        ({"foldpix_tokens": "2"}, "a token table of format 2; this version reads 1"),
        ({"foldpix_strides": None}, "damaged metadata"),
        ({"foldpix_strides": "4,x"}, "damaged metadata"),
        ({"foldpix_strides": "0,8"}, "damaged metadata"),
        ({"foldpix_codebook_size": "0"}, "damaged metadata"),
        ({"foldpix_codebook_size": "70000"}, r"column level_0 is list<.*uint16>, not list<.*uint32>"),
        ({"foldpix_strides": "4,8,16"}, "a token table without the columns level_2$"),
    ],
)
def test_metadata_that_is_not_ours(table, changes, message):
    with_metadata(table, **changes)
    with pytest.raises(ValueError, match=message):
        TokenTable(table)


def test_lacking_columns_are_named(table):
    pq.write_table(pq.read_table(table).drop_columns(["sequence", "level_1"]), table)
    with pytest.raises(ValueError, match=r"t\.parquet: a token table without the columns sequence, level_1$"):
        TokenTable(table)


@pytest.mark.parametrize("data", [b"", b"no table at all", None], ids=["empty", "text", "cut"])
def test_no_parquet_file(table, data):
    table.write_bytes(table.read_bytes()[:-20] if data is None else data)
    with pytest.raises(ValueError, match=r"t\.parquet: no readable Parquet file"):
        TokenTable(table)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TokenTable(tmp_path / "none.parquet")
