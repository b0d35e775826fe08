"""CSV files: what any program writes is read back, and what is wrong is found with its row."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.csv_file import ROWS_TOGETHER, CsvFile, Dialect

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


def read(file, names=None):
    """Return the numbers of the rows, and the rows of the columns."""
    rows, records = [], []
    for block in file.blocks(names or file.header):
        rows += block.rows.tolist()
        records += list(zip(*block.columns, strict=True))
    return rows, records


def written(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    header = options.pop("header", None)
    return CsvFile(path, dialect=Dialect(**options), header=header)


@settings(deadline=None)
@given(
    records=st.lists(st.tuples(texts, texts, texts), max_size=30),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.booleans(),
)
def test_what_is_written_is_read_back(tmp_path_factory, records, end, delimiter, quoting, bom):
    if quoting == csv.QUOTE_MINIMAL:  # then blanks at the front don't count, and not every end of a line is quoted
        records = [tuple(re.sub(r"[\r\n]|^ +", "", text).lstrip(" ") for text in record) for record in records]
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("a", "b", "c"), *records])
    content = stream.getvalue().encode("utf-8-sig" if bom else "utf-8")
    file = written(tmp_path_factory.mktemp("csv") / "a.csv", content, delimiter=delimiter)
    assert (file.header, file.header_row) == (("a", "b", "c"), 1)
    rows, found = read(file)
    assert found == records
    assert rows == list(range(2, 2 + len(records)))
    assert file.most_rows >= len(records)
    assert read(file, ["c", "a"])[1] == [(c, a) for a, _, c in records]
    assert read(file, ["b"])[1] == [(b,) for _, b, _ in records]


def test_rows_are_counted_as_spreadsheets_do(tmp_path):
    file = written(tmp_path / "a.csv", '\n\na,b\n1,2\n\n"x\ny",3\n   \n4,5')
    assert file.header_row == 3
    assert read(file) == ([4, 6, 8], [("1", "2"), ("x\ny", "3"), ("4", "5")])


def test_rows_are_counted_across_blocks(tmp_path):
    count = 2 * ROWS_TOGETHER + 5
    file = written(tmp_path / "a.csv", "a\n" + "".join(f"{i}\n" for i in range(count)))
    rows, records = read(file)
    assert rows == list(range(2, count + 2))
    assert records == [(str(i),) for i in range(count)]


def test_a_long_file_is_surveyed_to_its_end(tmp_path):
    content = b"a,b\n" + 300_000 * b"1,2\n"  # more than is read at a time
    file = written(tmp_path / "a.csv", content)
    assert file.checksum == hashlib.sha256(content).hexdigest()
    assert file.most_rows >= 300_000


def test_names_may_be_given_for_a_file_without_a_header(tmp_path):
    file = written(tmp_path / "a.csv", "1,2\n3,4\n", header=("a", "b"))
    assert file.header_row is None
    assert read(file, ["b"]) == ([1, 2], [("2",), ("4",)])
    with pytest.raises(ParameterError, match="1 names are given for the 2 columns"):
        CsvFile(tmp_path / "a.csv", header=("a",))


def test_rows_are_counted_without_any_of_their_columns(tmp_path):
    file = written(tmp_path / "t.csv", b"a,b\n1,2\n3,4\n")
    assert [(block.rows.tolist(), list(block.columns)) for block in file.blocks(())] == [([2, 3], [])]


def test_blanks_around_names_don_t_count(tmp_path):
    assert written(tmp_path / "a.csv", " a , b\n1,2\n").header == ("a", "b")


def test_other_encodings(tmp_path):
    for encoding in ("latin-1", "utf-16", "cp1252"):
        file = written(tmp_path / "a.csv", "größe,b\n1,ä\n".encode(encoding), encoding=encoding)
        assert file.header == ("größe", "b")
        assert read(file)[1] == [("1", "ä")]


MISTAKES = {
    "empty": (b"", "row 1: the file is empty; expected a header, and a row for each example"),
    "blank": (b"\n  \n\n", "row 1: the file is empty; expected a header, and a row for each example"),
    "only a mark": (b"\xef\xbb\xbf", "row 1: the file is empty; expected a header, and a row for each example"),
    "too many": (
        b"a,b\n1,2\n1,2,3\n",
        "row 3: the row has 3 fields; expected 2, as in the header; quote fields that hold a delimiter",
    ),
    "too few": (b"a,b\n1,2\n\n1\n", "row 4: the row has 1 field; expected 2, as in the header; is one missing?"),
    "same names": (b"a,b,a\n1,2,3\n", "row 1, column 'a': two columns have that name; rename one in the file"),
    "another delimiter": (
        b"a;b\n1;2\n",
        "row 1: the header has one column, 'a;b'; put ',' between columns, or set delimiter: ';'",
    ),
    "Excel's mark": (b"sep=,\na,b\n1,2\n", "row 1: the row only names the delimiter; remove it"),
    "tabs": (
        b"a\tb\n1\t2\n",
        r"""row 1: the header has one column, 'a\tb'; """
        r"""put ',' between columns, or set delimiter: "\t", in double quotes""",
    ),
    "open quote": (b'a,b\n1,2\n3,"4\n5,6\n', "row 3: the file ends within a quoted field; is a quote not closed?"),
    "open quote, far": (
        b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 50_000,
        "row 3: a field has more than 131,072 characters; is a quote not closed?",
    ),
    "text after a quote": (b'a,b\n1,"2"3\n', "row 2: the file is not CSV: ',' expected after '\"'"),
    "not UTF-8": (b"gr\xf6\xdfe,b\n1,2\n", r"row 1: 'gr\xf6\xdfe' is not valid utf-8; save the file in utf-8, or set"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_found_with_its_row(tmp_path, name):
    content, message = MISTAKES[name]
    with pytest.raises(DataError) as caught:
        read(written(tmp_path / "a.csv", content))
    assert str(caught.value).startswith(f"{tmp_path / 'a.csv'}, {message}")


def test_another_delimiter_is_found_where_the_header_is_given(tmp_path):
    with pytest.raises(DataError) as caught:
        written(tmp_path / "a.csv", "1;2\n3;4\n", header=("a", "b"))
    assert str(caught.value).endswith(
        "a.csv, row 1: the row has one column, '1;2'; put ',' between columns, or set delimiter: ';'"
    )


def test_rows_that_are_not_used_cost_no_memory(tmp_path):
    file = written(tmp_path / "a.csv", "a,b\n" + "\n" * 100_000)
    assert file.most_rows <= 50_003
    assert read(file) == ([], [])


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rows = []
    with suppress(DataError):
        rows, _ = read(written(path, content))
    assert (np.diff(rows) > 0).all()
