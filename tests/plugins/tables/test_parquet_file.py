"""Parquet files: rows come in their order, only what is asked for is read, and damage is found."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fuzzing.damage import truncations
from packaging.version import Version
from requirements import require_package

from mlpkit import DataError

pa = require_package("pyarrow")
pq = require_package("pyarrow.parquet")

from mlpkit_plugins.tables import parquet_source
from mlpkit_plugins.tables.parquet_source import ParquetFile


def written(table, **options):
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


TABLE = pa.table({"a": np.arange(100), "b": np.arange(100) * 0.5, "c": [f"text {i % 7}" for i in range(100)]})
CONTENT = written(TABLE, row_group_size=30)


@pytest.fixture
def opened(tmp_path):
    def open_(content):
        (tmp_path / "x.parquet").write_bytes(content)
        return ParquetFile(tmp_path / "x.parquet", name="x.parquet")

    return open_


def read(file, names):
    return [values.to_pylist() for block in file.blocks(names) for values in block.columns]


def test_all_values_that_are_read_count_against_the_limit(opened, monkeypatch):
    monkeypatch.setattr(parquet_source, "MOST_VALUES", (250, 0))
    file = opened(CONTENT)
    assert len(read(file, ["a", "b"])) == 8
    with pytest.raises(DataError, match=r"declares 100 rows in .* bytes; expected at most 250 values"):
        read(file, ["a", "b", "c"])


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", None])
def test_texts_are_read_as_a_dictionary_unless_the_encoding_allows_none(opened, encoding):
    options = {"use_dictionary": False, "column_encoding": {"c": encoding}} if encoding else {}
    for block in opened(written(TABLE, **options)).blocks(["c"]):
        assert pa.types.is_dictionary(block.columns[0].type) == (encoding is None)


@pytest.mark.parametrize("together", [7, 30, 1000])
def test_rows_come_in_order_with_their_numbers(opened, monkeypatch, together):
    monkeypatch.setattr(parquet_source, "VALUES_TOGETHER", 2 * together)
    monkeypatch.setattr(parquet_source, "FEWEST_ROWS_TOGETHER", 1)
    file = opened(CONTENT)
    assert (file.header, file.rows) == (("a", "b", "c"), 100)
    blocks = list(file.blocks(["b", "a"]))
    assert np.concatenate([block.rows for block in blocks]).tolist() == list(range(1, 101))
    assert max(len(block.rows) for block in blocks) <= min(together, 30)
    for index, name in ((0, "b"), (1, "a")):
        assert [value for block in blocks for value in block.columns[index].to_pylist()] == TABLE[name].to_pylist()


def test_a_column_with_a_dot_in_its_name_is_not_a_part_of_another(opened):
    file = opened(written(pa.table({"a": [1], "a.b": [2], "c": pa.array([{"d": 3}])})))
    assert read(file, ["a.b"]) == [[2]]
    assert read(file, ["a", "a.b"]) == [[1], [2]]


def test_nothing_is_read_of_columns_that_are_not_asked_for(opened):
    of_b = pq.ParquetFile(io.BytesIO(CONTENT)).metadata.row_group(1).column(1)
    begin = of_b.dictionary_page_offset
    damaged = CONTENT[:begin] + bytes(of_b.total_compressed_size) + CONTENT[begin + of_b.total_compressed_size :]
    file = opened(damaged)
    assert [value for part in read(file, ["a"]) for value in part] == list(range(100))
    with pytest.raises(DataError, match=r"^x.parquet: the file is damaged: "):
        read(file, ["a", "b"])


def test_a_checksum_of_a_page_is_compared(opened):
    table = pa.table({"a": np.arange(1000.0)})
    content = written(table, write_page_checksum=True, use_dictionary=False, compression="none")
    assert len(read(opened(content), ["a"])[0]) == 1000
    place = content.index(np.float64(500).tobytes())
    damaged = content[:place] + b"\x01" + content[place + 1 :]
    with pytest.raises(DataError, match="CRC"):
        read(opened(damaged), ["a"])


def test_truncations_are_found(opened):
    for content in list(truncations(CONTENT))[::5]:  # tests/fuzz reads more of them in a process of its own
        with pytest.raises(DataError):
            opened(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "x.parquet: the file is damaged: Parquet file size is 0 bytes"),
        (b"a,b\n1,2\n", "x.parquet: the file is damaged: Parquet magic bytes not found in footer."),
        (CONTENT[:2000], "x.parquet: the file is damaged: Parquet magic bytes not found in footer."),
        (b"PAR1", "x.parquet: the file is damaged: Parquet file size is 4 bytes"),
        (
            written(pa.table([[1], [2]], names=["a", "a"])),
            "x.parquet, column 'a': two columns have that name",
        ),
    ],
)
def test_a_wrong_file_is_explained(opened, content, expected):
    with pytest.raises(DataError) as caught:
        opened(content)
    assert str(caught.value).startswith(expected)


def test_a_missing_file_and_a_folder_are_explained(tmp_path):
    with pytest.raises(DataError, match=r": no such file$"):
        ParquetFile(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r": is a folder; expected a file$"):
        ParquetFile(tmp_path)


def test_bytes_that_unpack_to_more_than_data_does_are_refused(opened):
    of_one_page = {"max_rows_per_page": 1 << 30} if Version(pa.__version__) >= Version("23") else {}  # older: as it is
    content = written(pa.table({"a": np.zeros(10_000_000, np.uint8)}), row_group_size=1 << 30, **of_one_page)
    assert len(content) < 1000
    with pytest.raises(DataError, match=r"^x.parquet: declares 10,000,000 rows in [\d,]+ bytes; expected at most "):
        read(opened(content), ["a"])


def test_a_number_of_rows_that_can_t_be_is_refused(opened):
    footer = CONTENT.index(b"schema")
    place = CONTENT.index(b"\x16\xc8\x01", footer)  # 100 rows, as Thrift writes it
    for number in (b"\x16\xc7\x01", b"\x16\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"):
        damaged = CONTENT[:place] + number + CONTENT[place + 3 :]
        length = int.from_bytes(CONTENT[-8:-4], "little") + len(number) - 3
        with pytest.raises(DataError, match=r"declares -?[\d,]+ rows in"):
            opened(damaged[:-8] + length.to_bytes(4, "little") + b"PAR1")


def test_a_file_that_is_cut_while_it_is_read_is_an_error(opened, tmp_path):
    blocks = opened(written(pa.table({"a": np.random.default_rng(0).normal(size=500_000)}))).blocks(["a"])
    next(blocks)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"^x.parquet: the file is damaged: "):
        list(blocks)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(90, "has more than the 90 rows that it declares"), (110, "declares 110 rows, and has 100")],
)
def test_a_file_that_has_other_rows_than_it_declares_is_an_error(opened, rows, said):
    place = CONTENT.index(b"\x16\xc8\x01", CONTENT.index(b"schema"))
    number = bytes([0x16, 0x80 | 2 * rows & 0x7F, 2 * rows >> 7])
    file = opened(CONTENT[:place] + number + CONTENT[place + 3 :])
    assert file.rows == rows
    with pytest.raises(DataError, match=f"^x.parquet: {said}$"):
        read(file, ["a"])
