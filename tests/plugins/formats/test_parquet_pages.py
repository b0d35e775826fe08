"""The headers of a Parquet file's pages: all of them are found, and other bytes are refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirements import Optional

from mlpkit_plugins.formats.parquet_bounds import DELTA_BYTE_ARRAY, NoPageError, pages

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")

TABLE = pa.table({"n": np.arange(5000) * 0.5, "t": [f"text {i % 700}" for i in range(5000)], "k": [None, 1] * 2500})


class Column:
    """What the metadata say of a column."""

    num_values = 100
    dictionary_page_offset = None
    data_page_offset = 0


def found(path):
    """Return the pages of each column, each group after the other, with what the metadata say of it."""
    metadata = pq.ParquetFile(path).metadata
    columns = [
        metadata.row_group(group).column(position)
        for group in range(metadata.num_row_groups)
        for position in range(metadata.num_columns)
    ]
    with path.open("rb") as file:
        return [(column, list(pages(file.fileno(), path.stat().st_size, column))) for column in columns]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("checksums", [True, False])
def test_the_pages_of_a_column_are_all_that_the_metadata_count(tmp_path, version, compression, dictionary, checksums):
    path = tmp_path / "x.parquet"
    options = {"data_page_version": version, "compression": compression, "use_dictionary": dictionary}
    pq.write_table(TABLE, path, row_group_size=2000, data_page_size=3000, write_page_checksum=checksums, **options)
    for column, listed in found(path):
        assert sum(page.values for page in listed) == column.num_values
        begin = listed[0].begin
        unpacked, packed = sum(page.unpacked for page in listed), sum(page.packed for page in listed)
        headers = column.total_compressed_size - packed
        assert column.total_uncompressed_size == unpacked + headers
        assert 0 < headers < 100 * len(listed)
        assert listed[-1].begin + listed[-1].packed < begin + column.total_compressed_size
        assert (listed[0].encoding is None) == column.has_dictionary_page


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_the_encoding_of_a_page_is_read(tmp_path, version):
    path, encoding = tmp_path / "x.parquet", {"t": "DELTA_BYTE_ARRAY"}
    pq.write_table(TABLE, path, use_dictionary=False, column_encoding=encoding, data_page_version=version)
    told = [page.encoding == DELTA_BYTE_ARRAY for _, listed in found(path) for page in listed]
    assert told == [False, True, False]


@given(st.binary(max_size=200))
def test_other_bytes_are_no_pages(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "pages"
    path.write_bytes(content)
    with path.open("rb") as file, contextlib.suppress(NoPageError):
        for page in pages(file.fileno(), len(content), Column()):
            assert 0 <= page.begin <= page.begin + page.packed <= len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\x15" + b"\xff" * 20,
        b"\x1c" * 100,
        b"\x19\x1c" + bytes(9),
        b"\x25\x00\x15\x02\x15\x04\x00",
    ],
    ids=["nothing", "no size", "an integer without end", "too deep", "a list", "beyond the end"],
)
def test_what_is_no_page_is_said_to_be_none(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with (tmp_path / "x").open("rb") as file, pytest.raises(NoPageError):
        list(pages(file.fileno(), len(content), Column()))


def test_a_long_header_is_read_wholly(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"t": ["a" * 9000, "b" * 9000]}), path, use_dictionary=False, compression="zstd")
    ((_, listed),) = found(path)
    assert [page.values for page in listed] == [2]
