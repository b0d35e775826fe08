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
from mlpkit_plugins.formats import csv_file
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


OTHER_FORMATS = {
    b"PK\x03\x04...": "a ZIP archive or a spreadsheet; save the table as CSV",
    b"\xd0\xcf\x11\xe0...": "a spreadsheet; save the table as CSV",
    b"PAR1...": "a Parquet file; read it with the data set parquet",
    b"<html>": "a web page; save the table as CSV",
    b'{"a": 1}': "JSON; save the table as CSV",
    b'[\r\n{"a": 1}]': "JSON; save the table as CSV",
    b"BZh9...": "compressed by another program; decompress it, or compress it by gzip",
    b"\xfd7zXZ...": "compressed by another program; decompress it, or compress it by gzip",
}


@pytest.mark.parametrize("content", OTHER_FORMATS)
def test_another_format_is_named(tmp_path, content):
    with pytest.raises(DataError, match=f"^a: the file is {re.escape(OTHER_FORMATS[content])}$"):
        CsvFile(write(tmp_path / "a.csv", content), name="a")


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_another_encoding_is_known_by_its_mark(tmp_path, mark):
    path, found = write(tmp_path / "a.csv", "\ufeffa,b\n1,2\n".encode(mark)), mark[:6]
    for to_predict, end in ((False, f"save it in latin-1, or set encoding: {found}"), (True, "save it in latin-1")):
        with pytest.raises(DataError) as caught:
            CsvFile(path, name="a", dialect=Dialect(encoding="latin-1"), to_predict=to_predict)
        assert str(caught.value) == f"a: the file is {found.upper()}, not latin-1; {end}"
    assert read(CsvFile(path, dialect=Dialect(encoding=found))) == ([2], [("1", "2")])


TAB, ABC, IN_HEADER = {"delimiter": "\t"}, {"header": tuple("abc")}, "as in the header"
NO_NOTE, QUOTE = "leave it out if it is a note, not an example", "quote fields that hold a delimiter"
WRONG_WIDTHS = [
    ("a,b,c\n1\n", {}, f"row 2: the row has 1 field; expected 3, {IN_HEADER}; {NO_NOTE}"),
    ("a,b,c\n\n1,2\n", {}, f"row 3: the row has 2 fields; expected 3, {IN_HEADER}; is one missing?"),
    ("a,b\n1,2,\n", {}, f"row 2: the row has 3 fields; expected 2, {IN_HEADER}; remove ',' at the end of each row"),
    (
        "a\tb\n1\t2\t\t\n",
        TAB,
        f"row 2: the row has 4 fields; expected 2, {IN_HEADER}; remove a tab at the end of each row",
    ),
    ("a,b\n1,2,,3\n", {}, f"row 2: the row has 4 fields; expected 2, {IN_HEADER}; {QUOTE}"),
    ("a\n1,2\n", {}, f"row 2: the row has 2 fields; expected 1, {IN_HEADER}; {QUOTE}"),
    ("1,2,3\n4,5\n", ABC, "row 2: the row has 2 fields; expected 3, as in the first row; is one missing?"),
]


@pytest.mark.parametrize(("content", "options", "message"), WRONG_WIDTHS)
def test_what_to_do_about_a_row_of_another_width(tmp_path, content, options, message):
    with pytest.raises(DataError) as caught:
        read(written(tmp_path / "a.csv", content, **options))
    assert str(caught.value) == f"{tmp_path / 'a.csv'}, {message}"


ANOTHER = "row 1: the header has one column,"
ABOUT_HEADERS = [
    ("a;b\n1;2\n", {}, f"{ANOTHER} 'a;b'; put ',' between columns", ", or set delimiter: ';'"),
    ("a|b\n", TAB, f"{ANOTHER} 'a|b'; put a tab between columns", ", or set delimiter: '|'"),
    ("a,b\n", {"delimiter": ";"}, f"{ANOTHER} 'a,b'; put ';' between columns", ", or set delimiter: ','"),
    ("gr\xf6,b\n", {}, r"row 1: 'gr\xf6' is not valid utf-8; save the file in utf-8", ", or set encoding to the right"),
]


@pytest.mark.parametrize(("content", "options", "message", "of_the_spec"), ABOUT_HEADERS)
def test_rows_to_predict_have_no_advice_about_the_spec(tmp_path, content, options, message, of_the_spec):
    path, said = write(tmp_path / "a.csv", content.encode("latin-1")), []
    for to_predict in (False, True):
        with pytest.raises(DataError) as caught:
            CsvFile(path, name="a", dialect=Dialect(**options), to_predict=to_predict)
        said.append(str(caught.value))
    assert said[0].startswith(f"a, {message}{of_the_spec}")
    assert said[1] == f"a, {message}"


def test_names_that_occur_twice_may_be_data(tmp_path):
    path = write(tmp_path / "a.csv", b"\na,1,a\n")
    for to_predict, remedy in (
        (False, "set header to the names of the columns, if row 2 holds data"),
        (True, "rename one in the file"),
    ):
        with pytest.raises(DataError) as caught:
            CsvFile(path, name="a", to_predict=to_predict)
        assert str(caught.value) == f"a, row 2, column 'a': two columns have that name; {remedy}"
    assert written(path, "a,,\n1,2,3\n").header == ("a", "", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3,'4\n5,6", "row 3: the file ends within a quoted field; is a quote not closed?"),
        (
            b"a,b\n\n1,'2'3\n",
            "row 3: the file is not CSV: ',' expected after '''; write '' for a quote in a quoted field",
        ),
        (
            b"a,b\n1,2\n'" + b"x" * 131_073 + b"',4\n",
            "row 3: a field has more than 131,072 characters; is a quote not closed?",
        ),
    ],
)
def test_wrong_quotes_are_found_with_their_row(tmp_path, content, message):
    with pytest.raises(DataError) as caught:
        read(written(tmp_path / "a.csv", content, quote="'"))
    assert str(caught.value) == f"{tmp_path / 'a.csv'}, {message}"


def test_comments_and_skipped_rows_are_left_out_and_counted(tmp_path):
    content = "about this,table\n# so far\n\na,b\n1,2\n#3\n\n#4,5\n6,#7\n"
    file = written(tmp_path / "a.csv", content, comment="#", skip_rows=1)
    assert (file.header, file.header_row, read(file)) == (("a", "b"), 4, ([5, 9], [("1", "2"), ("6", "#7")]))
    file = written(tmp_path / "a.csv", "1,2\n\n3,4\n5,6\n", skip_rows=2, header=("a", "b"))
    assert (file.header_row, read(file)) == (None, ([3, 4], [("3", "4"), ("5", "6")]))


def test_a_comment_may_be_as_wide_as_a_row_and_a_block_hold_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_TOGETHER", 2)
    file = written(tmp_path / "a.csv", "a,b,c\n1,2,3\n#4,5,6\n#7,8,9\n\n10,11,12\n", comment="#")
    assert read(file, ["c", "a"]) == ([2, 6], [("3", "1"), ("12", "10")])
    assert read(file, ["b"]) == ([2, 6], [("2",), ("11",)])
    for names in (["a", "b"], ["a"], []):
        assert [len(block.columns) for block in file.blocks(names)] == [len(names)] * 3


@pytest.mark.parametrize(
    ("content", "most"),
    [("a,b\n1,2\n3,4\n", 5), ("a,b\r1,2", 3), ("a,b\r\n1,2", 3), ("a,b\n\n\n\n\n\n", 5), ("aaaa\n1", 3)],
)
def test_there_are_no_more_rows_than_lines_and_characters_allow(tmp_path, content, most):
    assert written(tmp_path / "a.csv", content).most_rows == most


def test_names_that_are_given_are_one_for_each_column(tmp_path):
    with pytest.raises(ParameterError) as caught:
        CsvFile(write(tmp_path / "a.csv", b"1,2,3\n"), name="a", header=("a", "b"))
    assert str(caught.value) == "header: 2 names are given for the 3 columns of a; expected 3 names"


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rows = []
    with suppress(DataError):
        rows, _ = read(written(path, content))
    assert (np.diff(rows) > 0).all()
