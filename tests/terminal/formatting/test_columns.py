"""Text in columns."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.terminal.formatting import blocks, columns, line_length, paragraph, plain, shortened, sparkline

ROWS = [("name", "size", "meaning"), ("a", "5", "the quick brown fox jumps over the lazy dog"), ("bcd", "1,000", "")]


def test_columns_are_as_wide_as_their_widest_cell():
    assert columns(ROWS, right=(1,), indent="  ") == [
        "  name   size  meaning",
        "  a         5  the quick brown fox jumps over the lazy dog",
        "  bcd   1,000",
    ]


def test_the_last_column_is_wrapped():
    assert columns(ROWS, width=40) == [
        "name  size   meaning",
        "a     5      the quick brown fox jumps",
        "             over the lazy dog",
        "bcd   1,000",
    ]


def test_a_last_column_without_room_goes_below():
    assert columns(ROWS, width=30) == [
        "name  size   meaning",
        "a     5",
        "    the quick brown fox jumps",
        "    over the lazy dog",
        "bcd   1,000",
    ]


RUNS = [("", "runs/a", "runs/b", "runs/c"), ("spec", "", "", ""), ("  training.batch_size", "10", "20", "30")]


def test_a_table_that_fits_is_one_block():
    assert blocks(RUNS, right=(2,), width=60) == blocks(RUNS, right=(2,))
    assert blocks(RUNS, right=(2,), indent=" ") == [
        "                        runs/a  runs/b  runs/c",
        " spec",
        "   training.batch_size  10          20  30",
    ]


def test_a_wide_table_is_cut_into_blocks_that_repeat_the_first_column():
    assert blocks(RUNS, width=44) == [
        "                       runs/a  runs/b",
        "spec",
        "  training.batch_size  10      20",
        "",
        "                       runs/c",
        "spec",
        "  training.batch_size  30",
    ]


def test_what_has_no_room_in_a_block_loses_its_middle():
    assert blocks([("training.optimizer.sgd.learning_rate", "0.1")], width=30) == ["training…gd.learning_rate  0.1"]
    assert shortened("abcdefghij", 7) == "ab…ghij"
    assert shortened("abcdefghij", 6) == "a…ghij"
    assert shortened("abcdefg", 7) == "abcdefg"


@given(
    st.lists(st.tuples(*[st.text("abc", max_size=40)] * 4), min_size=1, max_size=5).filter(
        lambda rows: all(any(row[1:]) for row in rows)
    ),
    st.integers(20, 90),
)
def test_no_line_of_a_block_goes_beyond_the_width(rows, width):
    assert all(len(line) <= width for line in blocks(rows, width=width))


def test_all_cells_of_a_block_keep_what_fits():
    rows = [("name", "a", "b"), ("n" * 30, "v" * 30, ""), ("a heading as long as it likes, and longer", "", "")]
    assert blocks(rows, width=30) == [
        f"{'name':15}  a",
        f"{'n' * 4}…{'n' * 10}  {'v' * 4}…{'v' * 8}",
        "a heading as long as it likes, and longer",
        "",
        f"{'name':15}  b",
        f"{'n' * 4}…{'n' * 10}",
        "a heading as long as it likes, and longer",
    ]
    assert blocks([("name", "x" * 9), ("n" * 30, "y")], width=30) == [
        f"{'name':19}  xxxxxxxxx",
        f"{'n' * 6}…{'n' * 12}  y",
    ]
    assert blocks([("spec", "", "wide"), ("b", "", "")], width=30) == ["spec    wide", "b"]


def test_what_fits_exactly_is_left_as_it_is():
    lines = blocks(RUNS, right=(2,))
    assert blocks(RUNS, right=(2,), width=max(map(len, lines))) == lines
    assert columns([("n" * 20, "12345")], width=27) == [f"{'n' * 20}  12345"]
    assert columns([("n" * 20, "12345")], width=26) == ["n" * 20, "    12345"]
    assert columns([("n" * 200, ""), ("m" * 201, "")]) == ["n" * 200, f"{'m' * 200}..."]


def test_no_rows_are_no_lines():
    assert columns([]) == []


@given(st.lists(st.tuples(*[st.text("abc ", max_size=12)] * 3), min_size=1, max_size=5), st.integers(30, 90))
def test_no_word_is_lost_and_short_words_never_go_beyond_the_width(rows, width):
    lines = columns(rows, width=width)
    assert "".join("".join(lines).split()) == "".join("".join("".join(row) for row in rows).split())
    first_two = sum(max(len(row[i]) for row in rows) for i in range(2)) + 4
    assert all(len(line) <= max(width, first_two) for line in lines)


def test_a_paragraph_has_no_limit_in_a_pipe():
    assert paragraph("word " * 50) == ["word " * 50]
    assert paragraph("one two three four five six seven", indent="  ", width=26) == [
        "  one two three four five",
        "  six seven",
    ]


def test_a_paragraph_breaks_at_blanks_alone():
    assert paragraph("a --set training.optimizer.learning_rate=0.1 well-known words", width=20) == [
        "a --set",
        "training.optimizer.learning_rate=0.1",
        "well-known words",
    ]
    assert paragraph("one two three four fi well-known", width=28) == ["one two three four fi", "well-known"]
    assert paragraph("one two three four", indent=" " * 9, width=20) == [" " * 9 + "one two three four"]


def test_names_in_a_docstring_are_quoted_unless_they_are_quotes_or_brackets_themselves():
    assert plain('``Affine`` and ``"int8"``, ``{a: 1}`` or ``[2]``') == "'Affine' and \"int8\", {a: 1} or [2]"


@pytest.mark.parametrize(
    ("counts", "bars"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], " ▁▂▃▄▅▆▇█"),
        ([1, 1000], "▁█"),
        ([125, 126, 1000], "▁▂█"),
        ([5], "█"),
        ([0, 0], "  "),
        ([], ""),
    ],
)
def test_a_sparkline_is_as_high_as_the_counts_and_shows_each_that_is_not_zero(counts, bars):
    assert sparkline(counts) == bars


def test_a_sparkline_without_unicode_is_of_ascii(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8]) == " .:-=+*%#"


def test_there_is_no_line_length_without_a_terminal(monkeypatch):
    assert line_length() is None
    monkeypatch.setattr("sys.stdout", None)
    assert line_length() is None
