"""How a CSV file is written, found out from its beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import DataError
from mlpkit_plugins.files.regular_file import MAGIC
from mlpkit_plugins.tables.csv_reading import csv_dialect, csv_reading


@pytest.fixture
def dialect(tmp_path):
    def of(content):
        file = tmp_path / "a.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return csv_dialect(file, "a.csv")

    return of


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_all_rows_have(dialect, delimiter):
    rows = [["size", "a name", "kind"], ["1.5", "Smith, John; and others | more", "x"], ["2,5", "b", "y"]]
    text = "".join(delimiter.join(f'"{field}"' for field in row) + "\n" for row in rows)
    assert dialect(text).dialect.delimiter == delimiter
    assert dialect(text).first == ("size", "a name", "kind")


def test_decimal_commas_are_no_delimiters(dialect):
    assert dialect("a;b;kind\n1,5;2,5;x\n3,5;4,5;y\n").dialect.delimiter == ";"
    assert dialect("a;b;kind\n1;2;x\n3;4\n").dialect.delimiter == ";"  # a short row is less odd than one column
    assert dialect("size, cm;kind\nr1;1,5;x\nr2;2;y\n").dialect.delimiter == ";"  # R has no name for the first column


def test_the_delimiter_is_one_that_gives_the_name_of_the_target(tmp_path):
    (tmp_path / "a.csv").write_text("2020,kind,a;b;c;d\n1,x,2;3;4;5\n2,y,2;3;4;5\n")
    assert csv_dialect(tmp_path / "a.csv", "a.csv").dialect.delimiter == ";"
    assert csv_dialect(tmp_path / "a.csv", "a.csv", "kind").dialect.delimiter == ","


def test_quotes_count_after_a_space_too(dialect):
    found = dialect('size, "kind, or class", colour\n1, "x, y", red\n')
    assert (found.dialect.delimiter, found.first) == (",", ("size", "kind, or class", "colour"))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("größe,art\n1,x\n".encode(), "utf-8"),
        ("\ufeffgröße,art\n1,x\n".encode(), "utf-8"),
        ("größe,art\n1,x\n".encode("utf-16"), "utf-16"),
        ("größe,art\n1,x\n".encode("cp1252"), "cp1252"),
        (b"gr\x81\xf6e,art\n1,x\n", "latin-1"),
    ],
)
def test_the_encoding_is_one_that_gives_characters(dialect, content, encoding):
    found = dialect(content)
    assert found.dialect.encoding == encoding
    assert len(found.first) == 2
    assert not found.first[0].startswith("\ufeff")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("größe,art\n1,x\n".encode("utf-16-le"), "utf-16-le"),
        ("größe,art\n1,x\n".encode("utf-16-be"), "utf-16-be"),
        ("größe,art\n1,x\n".encode("utf-32"), "utf-32"),
        ("größe,art\n1,ä\n".encode() + "2,ü\n".encode("cp1252"), "utf-8"),  # reading it names the row that isn't
        (b"size,art\n1,a\n" + "2,ü\n".encode("cp1252"), "cp1252"),  # ASCII tells nothing
        (b"", "utf-8"),
        (b"a", "utf-8"),
        (b"a\0bc", "utf-8"),  # one of two characters
        (b"\0abc", "utf-8"),
    ],
)
def test_encodings_without_a_mark_and_two_at_once(dialect, content, encoding):
    assert dialect(content).dialect.encoding == encoding


@pytest.mark.parametrize(
    ("content", "skip_rows"),
    [
        ("a,kind\n1,x\n", 0),
        ("\n\na,kind\n1,x\n", 0),
        ("Report\n\na,kind\n1,x\n", 2),
        ("# one\n# two\na,kind\n1,x\n", 2),
        (",\na,kind\n1,x\n", 1),
        ("1,x\n2,kind\n", 0),  # data, not names
        ("p,x\nq,kind\n", 0),
    ],
)
def test_rows_above_the_one_that_names_the_target(tmp_path, content, skip_rows):
    (tmp_path / "a.csv").write_text(content)
    assert csv_dialect(tmp_path / "a.csv", "a.csv", "kind").dialect.skip_rows == skip_rows
    assert csv_dialect(tmp_path / "a.csv", "a.csv").dialect.skip_rows in (0, 1)


def test_apostrophes_around_names_are_quotes(dialect):
    assert dialect("'a','b'\n1,'x, y'\n").dialect.quote == "'"
    assert dialect("a,b\n1,'t Hooft\n").dialect.quote == '"'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2,3\n2,3,4\n", True),
        ("a,b\n1,2,3\n", True),
        ("a,b\n1,2,3\n2,3\n", False),
        ("a,b\n1,2,\n2,3,\n", False),  # a delimiter at the end of each row
        ("a,b\n1,2\n", False),
    ],
)
def test_names_of_rows_without_a_name(dialect, content, expected):
    assert dialect(content).one_name_too_few is expected


def test_spaces_are_a_delimiter_if_no_other_is_there(dialect):
    assert dialect("a b\n1 2\n3 4\n").dialect.delimiter == " "
    assert dialect("first name,b\nx y,2\n").dialect.delimiter == ","
    assert dialect("my column\n1\n2\n").dialect.delimiter != " "


def test_a_first_row_with_a_number_holds_no_names(dialect):
    assert dialect("size,kind\n1,x\n").names_in_first_row
    assert not dialect("1,x\n2,y\n").names_in_first_row


def test_an_empty_file_has_no_first_row(dialect):
    assert dialect("").first == ()
    assert dialect("\n\n").first == ()


def dialect_of_bytes(folder, content):
    file = folder.getbasetemp() / "any.csv"
    file.write_bytes(content)
    return csv_dialect(file, "any.csv")


@given(st.binary(max_size=200).filter(lambda content: not content.startswith(MAGIC)))
def test_any_bytes_give_a_dialect(tmp_path_factory, content):
    content.decode(dialect_of_bytes(tmp_path_factory, content).dialect.encoding, "ignore")


@given(st.binary(max_size=200))
def test_any_bytes_after_the_mark_of_gzip_are_an_incomplete_or_damaged_file(tmp_path_factory, content):
    with pytest.raises(DataError, match="compressed content"):
        dialect_of_bytes(tmp_path_factory, MAGIC + content)


@pytest.mark.parametrize(
    ("content", "target", "comments"),
    [
        ("a,t\n1,x\n2,y\n", "t", {}),
        ("'a','t'\n1,x\n2,y\n", "t", {"quote": "texts are in apostrophes"}),
        (
            "a note\n\na;t\n1,5;x\n2,25;y\n", "t",
            {
                "delimiter": "columns are separated by semicolons",
                "skip_rows": "what is above the names of the columns",
                "decimal": "numbers have a decimal comma",
            },
        ),
        ("1\tx\n2\ty\n", "column2", {
            "delimiter": "columns are separated by tabs", "header": "its first row holds data, not names",
        }),
        ("a|t\n1'234.5|x\n2'345|y\n", "t", {
            "delimiter": "columns are separated by vertical bars",
            "thousands": "numbers have apostrophes between thousands",
        }),
        ("a;t\n1.234,5;x\n2.345;y\n", "t", {
            "delimiter": "columns are separated by semicolons", "decimal": "numbers have a decimal comma",
            "thousands": "numbers have points between thousands",
        }),
        ("a,t\n$5,größe\n$6,y\n".encode("cp1252"), "t", {
            "symbols": "numbers have these symbols", "encoding": "its bytes are cp1252, not UTF-8",
        }),
        ("a,t\n1,5,x\n2,6,y\n", "t", {
            "skip_rows": "the names, which are in header",
            "header": "its first row has no name for the first column, which R calls row names; it is called row",
        }),
    ],
)  # fmt: skip
def test_how_a_file_is_read_is_told(tmp_path, content, target, comments):
    (tmp_path / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = csv_reading(tmp_path / "a.csv", "a.csv", target, {"", "NA"})
    assert {name: each.comment for name, each in reading.parameters.items()} == comments
    assert reading.sample.size == 2
