"""Tables as people have them that are read rightly."""

from __future__ import annotations

import gzip

import pytest


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


def test_a_compressed_file(cwd, table, save, trains):
    save(table, delimiter=";")
    (cwd / "t.csv.gz").write_bytes(gzip.compress((cwd / "t.csv").read_bytes()))
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
    assert "- ''  # no name in the header, as an index of rows" in trains()


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
    lines = trains(told="no target 2% of the rows, left out").splitlines()
    assert [line.strip() for line in lines if "missing" in line] == [
        "missing: fill  # no value is missing here; in new rows, the mean replaces it"
    ]


@pytest.mark.parametrize(
    ("name", "ways", "said"),
    [
        ("when", ["2020-{0:02}-{1:02}"], "dates: [when]"),
        ("when", ["{1}.{0}.2020"], "dates: {when: '%d.%m.%Y'}"),
        ("when", ["2020-{0:02}-{1:02}", "{1}.{0}.2020"], "in one common way, such as '2020-01-01'"),
        ("price", ["{1},{0:03}"], "thousands: ','"),
        ("amount", ["${0}{1:02}"], "symbols: [$$]"),
        ("rate", ["{0}.{1} %"], "symbols: ['%']"),
        ("owed", ["-${0}.5", "${1}.5"], "symbols: [$$]"),
        ("price", ["{1}'{0:03}.5", "{1}.5"], "thousands: "),
        ("price", ["{1}\u2019{0:03}.5"], "thousands: "),
        ("price", ["{1} {0:03}"], "thousands: ' '"),
        ("when", ["{0}/{1}/20"], "dates: {when: '%m/%d/%y'}"),
        ("when", ["{1:02}JAN2020"], "dates: {when: '%d%b%Y'}"),
        ("when", ["{0:02}/{1:02}/2020 01:30 PM"], "'%m/%d/%Y %I:%M %p'"),
        ("when", ["{0}/{0}/2020"], "when: '%d/%m/%Y'  all of them fit '%m/%d/%Y', too"),
        ("at", ["{0}:15"], "at  dates or times that are not all written in one common way, such as '1:15'"),
        ("when", ["2020-{0:02}-{1:02}", "NaT", "n/a"], "missing_texts: ['', NA, NaN, nan, 'null', NaT, n/a]"),
        ("x", ["{1}.5", "<NA>", "(null)"], "missing_texts: ['', NA, NaN, nan, 'null', (null), <NA>]"),
        ("x", ["{1}.5", "#DIV/0!", "#N/A"], "missing_texts: ['', NA, NaN, nan, 'null', '#DIV/0!', '#N/A']"),
    ],
)
def test_columns_that_people_write_as_they_like(table, save, trains, name, ways, said):
    written = [ways[row % len(ways)].format(1 + row % 12, 1 + row % 28) for row in range(len(table) - 1)]
    save([[*row, text] for row, text in zip(table, [name, *written], strict=True)])
    assert " ".join(said.split()) in " ".join(trains().replace(" #", " ").split())


def test_numbers_of_rows_are_left_out(table, save, trains):
    save([["no", *table[0]], *([str(number), *row] for number, row in enumerate(table[1:], 1))])
    assert "- no  # an id" in trains().replace("'no'", "no")


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("{0}.{1:03},{0}", "thousands: '.'"),
        ("{0}.{1:03}", "thousands: '.'"),
        ("{0} {1:03},5", "thousands: ' '"),
        ("{0}\u00a0{1:03}", "thousands: ' '"),
        ("{0}\u202f{1:03},5", "thousands: ' '"),
        ("{0}.{1:03},50 \u20ac", "thousands: '.'"),
        ("{0} {1:03},50 \u20ac", "symbols: [\u20ac]"),
        ("{0},5 %", "symbols: ['%']"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_tables_of_a_spreadsheet_in_europe(table, save, trains, way, said, encoding):
    if "\u202f" in way:
        encoding = "utf-8-sig"  # the other one has no such space
    rows = [[field.replace(".", ",") for field in row] for row in table]
    prices = ["price", *(way.format(1 + row % 9, row % 1000) for row in range(len(rows) - 1))]
    save([[*row, price] for row, price in zip(rows, prices, strict=True)], ";", encoding, "\r\n")
    text = trains()
    assert "delimiter: ;" in text
    assert 'decimal: ","' in text.replace("'", '"')
    assert said.replace("'", "") in text.replace("'", "").replace('"', "")
    assert "ignore" not in text


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("Sales report\nexported 2024-01-02\n\n", "skip_rows: 3  # what is above the names of the columns"),
        ("Report of 2024,,,,\n,,,,\n", "skip_rows: 2"),
        ("sep=,\n", "skip_rows: 1"),
        ("# made by a program\n# version 2\n", "skip_rows: 2"),
        ("#1\n\n#2\n", "skip_rows: 3"),
        ("\n\n", "categorical: [colour]"),
    ],
)
def test_lines_above_the_names(cwd, table, save, trains, above, said):
    save(table)
    (cwd / "t.csv").write_text(above + (cwd / "t.csv").read_text())
    assert said in trains().replace('"', "'")


@pytest.mark.parametrize("delimiter", [",", "\t", " "])
@pytest.mark.parametrize("quote", ["", '"'])
def test_names_of_rows_without_a_name_as_r_writes_them(cwd, table, trains, delimiter, quote):
    rows = [[f"{quote}{field}{quote}" for field in row] for row in table]
    rows[1:] = [[f"{quote}{number}{quote}", *row] for number, row in enumerate(rows[1:], 1)]
    (cwd / "t.csv").write_text("".join(delimiter.join(row) + "\n" for row in rows))
    text = trains()
    assert "header: [row, size, colour, member, share, kind]" in text
    assert "- row  # an id" in text


@pytest.mark.parametrize("text", ["{0:>8} {1:>8} {2:>8} {3:>8} {4:>8}", "{0} {1} {2} {3} {4}"])
def test_columns_aligned_with_spaces(cwd, table, trains, text):
    (cwd / "t.csv").write_text("".join(text.format(*row) + "\n" for row in table))
    assert "delimiter: ' '  # columns are separated by spaces" in trains().replace('"', "'")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_apostrophes_around_texts(cwd, table, trains, delimiter):
    for row in table[1:]:
        row[1] += f"{delimiter} dark"
    (cwd / "t.csv").write_text("".join(delimiter.join(f"'{field}'" for field in row) + "\n" for row in table))
    assert "texts are in apostrophes" in trains()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_of_two_and_four_bytes(table, save, trains, encoding):
    save(table, "\t", encoding, "\r\n")
    assert f"encoding: {encoding}" in trains()


def test_two_columns_without_a_name(table, save, trains):
    table[0][1] = table[0][3] = ""
    save(table)
    assert "- ''  # no name in the header, as an index of rows" in trains()


@pytest.mark.parametrize("class_of_one_row", ["aple", "zebra"])
def test_a_class_of_a_single_row(table, save, trains, class_of_one_row):
    table[9][4] = class_of_one_row
    save(table)
    text = trains(told=f"one row each '{class_of_one_row}': classes left out")
    assert f"rare_classes: {{drop: 2}}  # classes with fewer rows are left out: '{class_of_one_row}'" in text


def test_classes_that_are_missing_in_words(table, save, trains):
    for row in table[5:30]:
        row[4] = "n/a"
    save(table)
    text = trains(told="no target 21% of the rows, left out")
    assert "predict: classes  # 2 classes: A" in text


@pytest.mark.parametrize("texts", [("TRUE", "FALSE"), ("+", "-"), ("none", "some")])
def test_classes_that_are_truth_values_or_signs(table, save, trains, texts):
    for row in table[1:]:
        row[4] = texts[row[4] == "A"]
    save(table)
    assert "predict: classes  # 2 classes: " in trains()


def test_texts_of_several_lines(table, save, trains):
    for row in table[1:]:
        row[1] = f"{row[1]},\nnext"
    save(table)
    assert "categorical: [colour]" in trains()


@pytest.mark.parametrize("ids", ["{0}.0", "{0:,}", "00{0}"])
def test_ids_however_they_are_written(table, save, trains, ids):
    save([["id", *table[0]], *([ids.format(1000 + number), *row] for number, row in enumerate(table[1:]))])
    assert "- id  # an id" in trains()


def test_rows_of_nothing_but_delimiters_at_the_end(table, save, trains):
    save([*table, [""] * 5, [""] * 5])
    trains(told="no target 2% of the rows, left out")


def test_rare_categories(table, save, trains):
    for number, row in enumerate(table[1:]):
        row[1] = f"street {number % 40}" if number < 45 else row[1]
    save(table)
    assert "rare: 5  # with fewer rows, a category counts as other: 40 of colour" in trains()
