"""Tables as people have them that are refused: the advice works when it is followed."""

from __future__ import annotations

import gzip
import importlib

import pytest


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
        f"t.csv, row {len(table) + 1}, column '{table[0][column]}': '{text}' suggests that the last row is a total; "
        f"leave it out"
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
        "t.csv, row 2: the row has 6 fields; expected 5, as in the header; remove ',' at the end of each row"
    )
    save(table)
    trains()


def test_a_delimiter_inside_a_field(cwd, table, save, refused, trains):
    table[4][1] = "red, dark"
    (cwd / "t.csv").write_text("".join(",".join(row) + "\n" for row in table))
    assert refused() == (
        "t.csv, row 5: the row has 6 fields; expected 5, as in the header; quote fields that hold a delimiter"
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


def test_an_empty_file(cwd, refused):
    (cwd / "t.csv").write_text("")
    assert refused() == "t.csv, row 1: the file is empty; expected a header, and a row for each example"


def test_a_header_alone(table, save, refused):
    save(table[:1])
    assert refused() == "t.csv, row 2: no rows are given; expected one for each example"


def test_too_few_rows(table, save, refused, trains):
    for count, rows in ((1, "1 row is"), (2, "2 rows are"), (4, "4 rows are")):
        save(table[: count + 1])
        assert refused("size") == (f"t.csv: {rows} too few to learn from and to measure errors on; expected at least 5")
    save(table[:6])
    trains(target="size", warned="with 1 example")


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
        "row holds data, not names, so columns are named by their number"
    )
    trains(target="column5")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A", "every value is 'A', so there is nothing to predict; name another column with --target"),
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
        "t.csv, column 'kind': nearly every row has a different text, such as 'name 0'; a class needs several rows; "
        "name another column with --target"
    )
    trains(target="member")


def test_no_column_that_says_anything(save, refused):
    save([["id", "name", "kind"], *([str(number), f"name {number}", "AB"[number % 2]] for number in range(50))])
    assert refused() == (
        "t.csv: no column but 'kind' is left to learn from: id: an id: every row has a different number; "
        "name: nearly every row has a different text, such as 'name 0'"
    )


def test_a_quote_that_is_not_closed(cwd, table, save, refused, trains):
    save(table)
    text = (cwd / "t.csv").read_text()
    (cwd / "t.csv").write_text(text.replace(",red,", ',"red,', 1))
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
def test_a_file_of_another_format(cwd, refused, content, expected):
    (cwd / "t.csv").write_bytes(content)
    assert refused().endswith(expected)


def test_a_row_of_units_below_the_names(table, save, refused, trains):
    save([table[0], ["cm", "", "", "%", ""], *table[1:]])
    assert refused() == (
        "t.csv, row 2, column 'size': 'cm' is not a finite number; put a number there, or leave out the row"
    )
    save(table)
    trains()


@pytest.mark.parametrize("written", ["({})", "\u2212{}", "{}-"])
def test_a_negative_number_with_another_sign(table, save, refused, trains, written):
    seen = table[7][0]
    table[7][0] = written.format(seen)
    save(table)
    advice = "put a number there, or leave out the row"
    assert refused() == f"t.csv, row 8, column 'size': '{table[7][0]}' is not a finite number; {advice}"
    table[7][0] = f"-{seen}"
    save(table)
    trains()


@pytest.mark.parametrize("note", ["Source: our own", "\x1a"])
def test_a_note_at_the_end(cwd, table, save, refused, trains, note):
    save(table)
    with (cwd / "t.csv").open("a") as file:
        file.write(note + "\n")
    assert refused() == (
        f"t.csv, row {len(table) + 1}: the row has 1 field; expected 5, as in the header; leave it out if it is a "
        "note, not an example"
    )
    save(table)
    trains()


def test_a_row_that_is_too_short(table, save, refused, trains):
    save([*table[:20], table[20][:3], *table[21:]])
    assert refused() == "t.csv, row 21: the row has 3 fields; expected 5, as in the header; is one missing?"
    save(table)
    trains()


def test_a_header_that_comes_again_in_capitals(table, save, refused, trains):
    save([*table[:60], [name.upper() for name in table[0]], *table[60:]])
    assert refused().startswith("t.csv, row 61, column 'size': 'SIZE' is not a finite number; ")
    save(table)
    trains()


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b"])
def test_a_control_character(table, save, refused, trains, character):
    seen = table[3][1]
    table[3][1] = seen[0] + character + seen[1:]
    save(table)
    assert refused() == (
        f"t.csv, row 4, column 'colour': {table[3][1]!r} has an invisible character, U+{ord(character):04X}; remove "
        "it from the file"
    )
    table[3][1] = seen
    save(table)
    trains()


def test_a_class_with_a_character_that_nobody_sees(table, save, refused, trains):
    for row in table[1::2]:
        row[4] += "\u200b"
    save(table)
    assert refused().endswith("has an invisible character, U+200B; remove it from the file")
    for row in table[1::2]:
        row[4] = row[4][0]
    save(table)
    trains()


def test_a_field_of_great_length(table, save, refused, trains):
    seen = table[5][1]
    table[5][1] = seen * 50_000
    save(table)
    assert refused() == "t.csv, row 6: a field has more than 131,072 characters; is a quote not closed?"
    table[5][1] = seen
    save(table)
    trains()


def test_two_encodings_in_one_file(cwd, table, save, refused, trains):
    for row in table[1:]:
        row[1] = row[1].replace("green", "gr\u00fcn")
    text = "".join(",".join(row) + "\n" for row in table).splitlines(keepends=True)
    (cwd / "t.csv").write_bytes("".join(text[:60]).encode() + "".join(text[60:]).encode("cp1252"))
    row = next(number for number, line in enumerate(text, 1) if number > 60 and "\u00fc" in line)
    assert refused() == (
        f"t.csv, row {row}, column 'colour': 'gr\\xfcn' has bytes that are not UTF-8, as others of the file are; write "
        "all of the file in UTF-8"
    )
    save(table)
    trains()


def test_quotes_escaped_by_a_backslash(cwd, table, save, refused, trains):
    lines = [",".join(row) for row in table]
    lines[4] = lines[4].replace(f",{table[4][1]},", ',"a \\"dark\\" one",')
    (cwd / "t.csv").write_text("\n".join(lines) + "\n")
    message = refused()
    assert message.startswith("t.csv, row 5: the file is not CSV: ")
    assert message.endswith('; write "" for a quote in a quoted field')
    lines[4] = lines[4].replace('\\"', '""')
    (cwd / "t.csv").write_text("\n".join(lines) + "\n")
    trains()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'{"size": 1, "kind": "A"}\n' * 50, "JSON"),
        (b'[{"size": 1, "kind": "A"}]', "JSON"),
        (b"<!DOCTYPE html><html><body><table></table></body></html>", "a web page"),
    ],
)
def test_tables_in_other_formats(cwd, table, save, refused, trains, content, what):
    (cwd / "t.csv").write_bytes(content)
    assert refused() == f"t.csv: the file is {what}; save the table as CSV"
    save(table)
    trains()


@pytest.mark.parametrize("module", ["bz2", "lzma"])
def test_files_compressed_otherwise(cwd, table, save, refused, trains, module):
    save(table)
    content = (cwd / "t.csv").read_bytes()
    (cwd / "t.csv").write_bytes(importlib.import_module(module).compress(content))
    assert refused() == "t.csv: the file is compressed by another program; decompress it, or compress it by gzip"
    (cwd / "t.csv").write_bytes(gzip.compress(content))
    trains()
