"""Small Parquet files that unpack to gigabytes: an error with the column, soon, and within little memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from requirements import Optional

from mlpkit import DataError

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

MEGABYTE = 2**20
ROWS = 100_000
LONG = "a" * 20_000_000
CHILD = """\
import re
from pathlib import Path
import mlpkit
from mlpkit_plugins.datasets.parquet import Parquet

def peak():  # ru_maxrss would begin with what the process had that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

Parquet("small.parquet", "t", categorical=("a",), validation=0, test=0).describe()  # all code is loaded
base = peak()
for options in ({"categorical": ("a",)}, {}, {"split_by": "a", "validation": 0.5}):
    try:
        print(Parquet("x.parquet", "t", **{"validation": 0, "test": 0} | options).describe())
    except mlpkit.DataError as error:
        print(error)
print(peak() - base)
"""


def of_a_dictionary(values, rows):
    """Return values over and over."""
    return pa.DictionaryArray.from_arrays(np.arange(rows, dtype=np.int32) % len(values), values)


def repeated(value, rows=ROWS):
    return of_a_dictionary([value], rows)


def classes(rows=ROWS):
    return ["p", "q"] * (rows // 2)


def table(a, rows=ROWS):
    return pa.table({"a": a, "n": np.arange(rows), "t": classes(rows)})


def growing(rows, step):
    """Return texts each of which begins with the one before."""
    return ["a" * (step * row) for row in range(rows)]


TOO_MUCH = r"x.parquet, column 'a': the column takes [\d,]+ bytes or more in a file of [\d,]+; expected at most 67,108,"
TOO_LONG = r"x.parquet, (row \d+, )?column 'a': a text has [\d,]+ bytes; expected at most 131,072; shorten it"
BOMBS = {
    "a text in every row": (lambda: table(repeated(LONG)), {"store_schema": False}, TOO_LONG),
    "a text in every row of a dictionary": (lambda: table(repeated(LONG)), {}, TOO_LONG),
    "bytes in every row": (lambda: table(repeated(LONG.encode())), {"store_schema": False}, TOO_LONG),
    "a text of half the size in every row": (lambda: table(repeated(LONG[: 10**7])), {"store_schema": False}, TOO_LONG),
    "long texts without a dictionary": (
        lambda: table(pa.array([LONG[:10_000]] * 20_000), 20_000),
        {"use_dictionary": False},
        TOO_MUCH,
    ),
    "long texts and their lengths": (
        lambda: table(pa.array([LONG[:10_000]] * 20_000), 20_000),
        {"use_dictionary": False, "column_encoding": {"a": "DELTA_LENGTH_BYTE_ARRAY"}},
        TOO_MUCH,
    ),
    "texts like the one before": (
        lambda: table(pa.array([LONG[:10_000]] * 20_000), 20_000),
        {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}},
        TOO_MUCH,
    ),
    "texts that grow": (
        lambda: table(pa.array(growing(2000, 100)), 2000),
        {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}},
        f"{TOO_LONG}|{TOO_MUCH}",
    ),
    "bytes of a fixed length": (
        lambda: table(pa.array([b"a" * 10**5] * 1000, pa.binary(10**5)), 1000),
        {"store_schema": False},
        TOO_MUCH,
    ),
    "bytes of a length that is fixed and too large": (
        lambda: table(pa.array([LONG.encode()] * 2, pa.binary(len(LONG))), 2),
        {},
        TOO_LONG,
    ),
    "many groups of rows": (
        lambda: table(of_a_dictionary([f"{number}{LONG[:50_000]}" for number in range(2000)], 20_000), 20_000),
        {"row_group_size": 2000, "store_schema": False},
        TOO_MUCH,
    ),
    "lists of texts": (
        lambda: table(pa.ListArray.from_arrays(np.arange(ROWS + 1), repeated(LONG[: 10**6]).dictionary_encode())),
        {},
        r"x.parquet, column 'a': the column holds list<.*>; expected ",
    ),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
@pytest.mark.parametrize(("bomb", "options", "expected"), BOMBS.values(), ids=BOMBS)
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path, bomb, options, expected):
    pq.write_table(table(["c"] * 4, 4), tmp_path / "small.parquet")
    path = tmp_path / "x.parquet"
    pq.write_table(bomb(), path, compression="zstd", dictionary_pagesize_limit=1 << 30, **options)
    assert path.stat().st_size < MEGABYTE
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=tmp_path,
        env=os.environ | {"MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not done.stderr
    *told, grown = done.stdout.splitlines()
    assert len(told) == 3
    for line in told:
        assert re.match(f"{expected}|.*is not a finite number", line), line
    assert int(grown) < 256 * MEGABYTE


@pytest.mark.parametrize("column", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN", None])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_data_that_is_packed_well_is_read_in_every_encoding(tmp_path, column, version):
    texts = [f"https://example.org/{row % 1000:08}" for row in range(50_000)]
    options = {"use_dictionary": False, "column_encoding": {"a": column}} if column else {}
    values = pa.table({"a": texts, "n": np.arange(50_000) % 7, "t": classes(50_000)})
    pq.write_table(values, tmp_path / "x.parquet", compression="zstd", data_page_version=version, **options)
    dataset = Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",), validation=0, test=0)
    assert dataset.describe().input_shape == (1001,)
    assert dataset.encoder_state()["categories"] == [["a", sorted(set(texts))]]


def test_millions_of_equal_numbers_on_a_single_page_are_read(tmp_path):
    table = pa.table({"a": np.zeros(2_000_000), "b": np.arange(2_000_000) // 1_000_000, "t": classes(2_000_000)})
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd", use_dictionary=["b"], data_page_size=1 << 30)
    assert (tmp_path / "x.parquet").stat().st_size < 30_000
    dataset = Parquet(str(tmp_path / "x.parquet"), "t", validation=0, test=0, split="shuffle")
    assert dataset.describe().sizes == {"train": 2_000_000}


def test_a_text_that_is_too_long_is_found_in_its_row(tmp_path):
    texts = [*"abc", "d" * 131_073, "e"]
    pq.write_table(pa.table({"a": texts, "t": [*"pqpqp"]}), tmp_path / "x.parquet")
    with pytest.raises(
        DataError, match=r"x.parquet, row 4, column 'a': a text has 131,073 bytes; expected at most 131"
    ):
        Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",)).describe()
    pq.write_table(pa.table({"a": [None, texts[3]] * 2, "t": [*"pqpq"]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x.parquet, row 2, column 'a': a text has 131,073 bytes"):
        Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",)).describe()
    texts[3] = texts[3][1:]
    pq.write_table(pa.table({"a": texts, "t": [*"pqpqp"]}), tmp_path / "x.parquet")
    Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",), validation=0, test=0).describe()


def test_bytes_of_a_fixed_length_may_be_as_long_as_texts(tmp_path):
    def read(length):
        texts = pa.array([letter.encode() * length for letter in "abcd"], pa.binary(length))
        pq.write_table(pa.table({"a": texts, "t": [*"pqpq"]}), tmp_path / "x.parquet")
        return Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",), validation=0, test=0).describe()

    assert read(131_072).input_shape == (4,)
    with pytest.raises(DataError, match=r"x.parquet, column 'a': a text has 131,073 bytes; expected at most 131,072"):
        read(131_073)


def test_a_small_file_may_hold_megabytes_of_a_few_texts(tmp_path):
    texts = ["d" * 1000, "e" * 1000]
    values = table(texts * 5000, 10_000)
    pq.write_table(values, tmp_path / "x.parquet", use_dictionary=False, compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 100_000
    dataset = Parquet(str(tmp_path / "x.parquet"), "t", categorical=("a",), validation=0, test=0)
    assert dataset.describe().input_shape == (3,)
    assert dataset.encoder_state()["categories"] == [["a", texts]]
