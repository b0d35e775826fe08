"""The limits on what a Parquet file may hold. Whole files beyond them are in ``test_parquet_bombs``."""

from __future__ import annotations

import re

import numpy as np
import pytest
from requirements import Optional

from mlpkit import DataError

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Bounds = Optional("mlpkit_plugins.formats.parquet_bounds", "Bounds")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")


def refusal_of(action):
    with pytest.raises(DataError) as caught:
        action()
    return str(caught.value)


@pytest.mark.parametrize(("size", "most"), [(10, 2**23), (2**13, 2**23), (2**14, 2**24)])
def test_a_file_declares_eight_million_values_or_a_thousand_a_byte(size, most):
    bounds = Bounds("x.parquet", size)
    bounds.check_few_values(most, 1)
    bounds.check_few_values(most // 4, 4)
    for rows, columns in ((most + 1, 1), (most // 4 + 1, 4), (-1, 2)):
        assert refusal_of(lambda rows=rows, columns=columns: bounds.check_few_values(rows, columns)) == (
            f"x.parquet: declares {rows:,} rows in {size:,} bytes; expected at most {most:,} values"
        )


def test_a_long_text_of_a_dictionary_is_found_in_its_row():
    def check(codes):
        values = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), ["a", "b" * 131_073])
        Bounds("x.parquet", 10).check_short_texts("c", values, np.array([5, 6, 7]))

    said = "column 'c': a text has 131,073 bytes; expected at most 131,072; shorten it, or leave the column out"
    assert refusal_of(lambda: check([0, None, 1])) == f"x.parquet, row 7, {said}"
    assert refusal_of(lambda: check([0, None, 0])) == f"x.parquet, {said}"


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a column to a small file, and describes it."""

    def described(texts, **options):
        table = pa.table({"a": texts, "t": np.resize([*"pq"], len(texts))})
        pq.write_table(table, tmp_path / "x.parquet", compression="zstd", data_page_size=1 << 30, **options)
        Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",), validation=0, test=0).describe()

    return described


def test_a_page_of_texts_has_sixteen_megabytes(read):
    texts = [letter * 100_000 for letter in "ab"]
    read(texts * 83, use_dictionary=False)
    said = refusal_of(lambda: read(texts * 84, use_dictionary=False))
    assert re.search(
        r"column 'a': a page unpacks [\d,]+ bytes into 16,8\d\d,\d+; expected at most 16,777,216; leave", said
    )


def test_bytes_of_a_fixed_length_have_64_megabytes_together(read):
    values = pa.DictionaryArray.from_arrays(
        np.arange(513, dtype=np.int32) % 2, pa.array([b"a" * 131_072, b"b" * 131_072])
    )
    said = refusal_of(lambda: read(values.cast(pa.binary(131_072))))
    assert "column 'a': the texts of the column take 67,239,936 bytes or more in a file of " in said
    assert "; expected at most 67,108,864; leave the column out, or write the table in smaller row groups" in said
