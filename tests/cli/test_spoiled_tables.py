"""Tables as people have them: each is read rightly, or is an error whose advice works when it is followed."""

from __future__ import annotations

import gzip
import random
import shutil

import pytest

ROWS = 120


def rows_of(seed=0):
    rng = random.Random(seed)
    for _ in range(ROWS):
        size, colour = rng.gauss(10, 3), rng.choice(["red", "green", "blue"])
        kind = "A" if size + 3 * (colour == "red") > 11 else "B"
        yield [f"{size:.2f}", colour, rng.choice(["yes", "no"]), f"{rng.random():.3f}", kind]


TABLE = [["size", "colour", "member", "share", "kind"], *rows_of()]


@pytest.fixture
def table():
    """Return a table as a list of rows, the header first."""
    return [list(row) for row in TABLE]


@pytest.fixture
def save(work):
    def write(rows, delimiter=",", encoding="utf-8", end="\n", name="t.csv"):
        lines = [delimiter.join(f'"{f}"' if delimiter in f else f for f in row) for row in rows]
        (work / name).write_bytes((end.join(lines) + end).encode(encoding))

    return write


@pytest.fixture
def trains(work, invoke):
    """Return a function that writes a spec, trains a step, predicts, and returns the text of the spec."""

    def train(file="t.csv", target="kind", warned=""):
        (work / "t.yaml").unlink(missing_ok=True)
        shutil.rmtree(work / "r", ignore_errors=True)
        done = invoke("init", "--data", file, "--target", target, "--out", "t.yaml")
        assert done.code == 0
        assert warned in done.err if warned else not done.err
        shorter = ["training.epochs=1", "training.evaluate_every=null"]
        done = invoke("run", "t.yaml", "--quiet", "--out", "r", *(part for each in shorter for part in ("--set", each)))
        assert done.code == 0
        assert invoke("predict", "r", file).code == 0
        return (work / "t.yaml").read_text()

    return train


@pytest.fixture
def refused(work, invoke):
    """Return a function that asks for a spec and returns the error; no spec is written."""

    def message(target="kind"):
        done = invoke("init", "--data", "t.csv", "--target", target)
        assert (done.code, done.out) in ((1, ""), (2, ""))
        assert not (work / "t.yaml").exists()
        assert done.err.startswith("error: ")
        return done.err.removeprefix("error: ").removesuffix("\n")

    return message


# Read rightly


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param({"delimiter": ";"}, "delimiter: ;  #", id="semicolons"),
        pytest.param({"delimiter": "\t"}, 'delimiter: "\\t"  #', id="tabs"),
        pytest.param({"delimiter": "|"}, "delimiter: '|'", id="bars"),
        pytest.param({"delimiter": " , "}, "categorical: [colour]", id="spaces around delimiters"),
        pytest.param({"encoding": "utf-16"}, "encoding: utf-16", id="UTF-16"),
        pytest.param({"encoding": "utf-8-sig"}, "categorical: [colour]", id="byte order mark"),
        pytest.param({"end": "\r\n"}, "categorical: [colour]", id="line ends of Windows"),
        pytest.param({"end": "\r"}, "categorical: [colour]", id="line ends of old Macs"),
        pytest.param({"end": "\n\n"}, "categorical: [colour]", id="empty lines"),
    ],
)
def test_ways_to_write_a_table(table, save, trains, spoil, said):
    save(table, **spoil)
    text = trains()
    assert said in text
    assert "ignore" not in text


def test_a_compressed_file(work, table, save, trains):
    save(table, delimiter=";")
    (work / "t.csv.gz").write_bytes(gzip.compress((work / "t.csv").read_bytes()))
    assert "delimiter: ;" in trains("t.csv.gz")


def test_another_encoding(table, save, trains):
    for row in table:
        row[1] = row[1].replace("green", "grün")
    save(table, encoding="cp1252")
    assert "encoding: cp1252" in trains()


def test_decimal_commas(table, save, trains):
    save([[field.replace(".", ",") for field in row] for row in table], delimiter=";")
    assert 'decimal: ","' in trains().replace("'", '"')


def test_decimal_commas_in_quotes_between_commas(table, save, trains):
    save([[field.replace(".", ",") for field in row] for row in table])
    text = trains()
    assert 'decimal: ","' in text.replace("'", '"')
    assert "delimiter" not in text


def test_a_delimiter_at_the_end_of_every_row_the_header_too(table, save, trains):
    save([[*row, ""] for row in table])
    assert "- ''  # every value is missing" in trains()


def test_an_index_without_a_name(table, save, trains):
    save([[str(number - 1) if number else "", *row] for number, row in enumerate(table)])
    assert "- ''  # it has no name, as an index of pandas" in trains()


def test_an_index_that_pandas_read_as_a_column(table, save, trains):
    save([[str(number - 1) if number else "Unnamed: 0", *row] for number, row in enumerate(table)])
    assert "- 'Unnamed: 0'  # an index, as pandas writes it" in trains()


def test_no_names(table, save, trains):
    save(table[1:])
    text = trains(target="column5")
    assert "header: [column1, column2, column3, column4, column5]" in text


def test_names_that_are_numbers(table, save, trains):
    table[0] = ["2019", "2020", "2021", "2022", "kind"]
    save(table)
    assert "categorical: ['2020']" in trains()


def test_texts_that_mean_a_missing_value(table, save, trains):
    for row, text in ((3, "?"), (5, "N/A"), (9, "-"), (11, "")):
        table[row][0] = text
    table[4][1] = ""
    save(table)
    text = trains()
    assert "missing: fill  # 3% of size, 1 of colour" in text
    assert "missing_texts: ['', NA, NaN, nan, 'null', '-', '?', N/A]" in text


def test_a_target_that_is_missing_in_some_rows(table, save, trains):
    table[3][4] = table[9][4] = ""
    save(table)
    assert "missing" not in trains(warned="2 rows have no target in t.csv, and are left out")


@pytest.mark.parametrize(
    ("name", "ways", "said"),
    [
        ("when", ["2020-{0:02}-{1:02}"], "dates: [when]"),
        ("when", ["{1}.{0}.2020"], "dates: {when: '%d.%m.%Y'}"),
        ("when", ["2020-{0:02}-{1:02}", "{1}.{0}.2020"], "in one common way, such as '2020-01-01' or '2.2.2020'"),
        ("price", ["{1},{0:03}"], "thousands: ','"),
        ("amount", ["${0}{1:02}"], "symbols: [$$]"),
        ("rate", ["{0}.{1} %"], "symbols: ['%']"),
    ],
)
def test_columns_that_people_write_as_they_like(table, save, trains, name, ways, said):
    written = [ways[row % len(ways)].format(1 + row % 12, 1 + row % 28) for row in range(ROWS)]
    save([[*row, text] for row, text in zip(table, [name, *written], strict=True)])
    assert said in " ".join(trains().replace("#", " ").split())


def test_numbers_of_rows_are_left_out(table, save, trains):
    save([["no", *table[0]], *([str(number), *row] for number, row in enumerate(table[1:], 1))])
    assert "- no  # an id" in trains().replace("'no'", "no")


# Errors, and what they advise


def test_a_decimal_comma_among_points(table, save, refused, trains):
    table[7][0] = "8,64"
    save(table)
    least = min((row[0], number) for number, row in enumerate(table, 1) if "." in row[0])
    assert refused() == (
        f"t.csv, row 8, column 'size': '8,64' has a decimal comma, but '{least[0]}' in row {least[1]} has a point; "
        "write all numbers of the file in one way"
    )
    table[7][0] = "8.64"
    save(table)
    trains()


def test_two_columns_with_different_decimal_signs(table, save, refused, trains):
    for row in table[1:]:
        row[3] = row[3].replace(".", ",")
    save(table, delimiter=";")
    assert "has a decimal" in refused()
    for row in table[1:]:
        row[0] = row[0].replace(".", ",")
    save(table, delimiter=";")
    trains()


@pytest.mark.parametrize(
    "last", [["Total", "", "", "", ""], ["1203.5", "Total", "", "", ""], ["99", "", "sum", "", ""]]
)
def test_a_row_of_totals_at_the_end(table, save, refused, trains, last):
    save([*table, last])
    column, text = next((column, text) for column, text in enumerate(last) if text.lower() in ("total", "sum"))
    assert refused() == (
        f"t.csv, row {ROWS + 2}, column '{table[0][column]}': '{text}' says that the last row sums up the others; "
        "leave it out"
    )
    save(table)
    trains()


def test_a_header_that_comes_again(table, save, refused, trains):
    save([*table[:60], table[0], *table[60:]])
    assert refused() == "t.csv, row 61: the row repeats the header; remove it"
    save(table)
    trains()


def test_two_columns_of_one_name(table, save, refused, trains):
    table[0][2] = "size"
    save(table)
    assert refused() == "t.csv, row 1, column 'size': two columns have that name; rename one in the file"
    table[0][2] = "size 2"
    save(table)
    trains()


def test_a_delimiter_at_the_end_of_every_row_but_the_header(table, save, refused, trains):
    save([table[0], *([*row, ""] for row in table[1:])])
    assert refused() == (
        "t.csv, row 2: the row has 6 fields; expected 5, as the header has; remove ',' at the end of each row"
    )
    save(table)
    trains()


def test_a_delimiter_inside_a_field(work, table, save, refused, trains):
    table[4][1] = "red, dark"
    (work / "t.csv").write_text("".join(",".join(row) + "\n" for row in table))
    assert refused() == (
        "t.csv, row 5: the row has 6 fields; expected 5, as the header has; quote fields that hold a delimiter"
    )
    save(table)
    trains()


@pytest.mark.parametrize("place", [(0, 1), (3, 1), (3, 0)])
@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u00ad"])
def test_a_character_that_nobody_sees(table, save, refused, trains, place, character):
    row, column = place
    seen = table[row][column]
    table[row][column] = seen + character
    save(table)
    where = f"row {row + 1}" + (f", column '{table[0][column]}'" if row else "")
    message = refused()
    assert message.startswith(f"t.csv, {where}: ")
    assert message.endswith(f"has an invisible character, U+{ord(character):04X}; remove it from the file")
    table[row][column] = seen
    save(table)
    trains()


def test_a_text_among_numbers(table, save, refused, trains):
    seen, table[7][0] = table[7][0], "12 cm"
    save(table)
    assert refused() == (
        "t.csv, row 8, column 'size': '12 cm' is not a finite number; put a number there, or leave out the row"
    )
    save([*table[:7], *table[8:]])
    trains()
    table[7][0] = seen
    save(table)
    trains()


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite(table, save, refused, trains, text):
    table[7][0] = text
    save(table)
    assert refused().startswith(f"t.csv, row 8, column 'size': '{text}' is not a finite number")
    table[7][0] = "12"
    save(table)
    trains()


def test_an_empty_file(work, refused):
    (work / "t.csv").write_text("")
    assert refused() == "t.csv, row 1: the file is empty; expected a header, and a row for each example"


def test_a_header_alone(table, save, refused):
    save(table[:1])
    assert refused() == "t.csv, row 2: there are no rows; expected one for each example"


def test_a_target_that_is_not_there(table, save, refused, trains):
    save(table)
    assert refused("kin") == (
        "--target: there is no column 'kin'; expected one of size, colour, member, share, kind; did you mean 'kind'?"
    )
    trains(target="kind")


def test_a_target_that_is_there_only_with_another_delimiter(table, save, trains):
    save(table, delimiter=";")
    trains(target="kind")


def test_a_target_in_a_file_without_names(table, save, refused, trains):
    save(table[1:])
    assert refused() == (
        "--target: there is no column 'kind'; expected one of column1, column2, column3, column4, column5; the first "
        "row holds data and no names, so that columns are called by their number"
    )
    trains(target="column5")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A", "every value is 'A', so that there is nothing to predict; name another column with --target"),
        ("", "every value is missing; name another column with --target"),
    ],
)
def test_a_constant_target(table, save, refused, trains, value, expected):
    for row in table[1:]:
        row[4] = value
    save(table)
    assert refused() == f"t.csv, column 'kind': {expected}"
    trains(target="member")


def test_a_target_of_texts_that_are_all_different(table, save, refused, trains):
    for number, row in enumerate(table[1:]):
        row[4] = f"name {number}"
    save(table)
    assert refused() == (
        "t.csv, column 'kind': nearly each row has a text of its own, such as 'name 0'; classes need several rows "
        "each; name another column with --target"
    )
    trains(target="member")


@pytest.mark.parametrize(
    ("text", "advice"), [("aple", "did you mean 'apple'?"), ("zebra", "add examples of it, or leave the row out")]
)
def test_a_class_of_a_single_row(table, save, refused, trains, text, advice):
    for row in table[1:]:
        row[4] = {"A": "apple", "B": "cherry"}[row[4]]
    table[9][4] = text
    save(table)
    assert refused() == (
        f"t.csv, row 10, column 'kind': the class '{text}' occurs in no other row; expected at least 2 of each; "
        + advice
    )
    save([*table[:9], *table[10:]])
    trains()


def test_no_column_that_says_anything(save, refused):
    save([["id", "name", "kind"], *([str(number), f"name {number}", "AB"[number % 2]] for number in range(50))])
    assert refused() == (
        "t.csv: no column besides 'kind' is left to learn from: id: an id: each row has a number of its own; "
        "name: nearly each row has a text of its own, such as 'name 0'"
    )


def test_a_quote_that_is_not_closed(work, table, save, refused, trains):
    save(table)
    text = (work / "t.csv").read_text()
    (work / "t.csv").write_text(text.replace(",red,", ',"red,', 1))
    assert "is a quote not closed?" in refused()
    save(table)
    trains()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"PK\x03\x04 and so on", "the file is a ZIP archive or a spreadsheet; save the table as CSV"),
        (b"PAR1 and so on", "the file is a Parquet file; read it with the data set parquet"),
        (b"\x00\x01\x02,a\n1,2\n", ""),
    ],
)
def test_a_file_of_another_format(work, refused, content, expected):
    (work / "t.csv").write_bytes(content)
    assert refused().endswith(expected)
