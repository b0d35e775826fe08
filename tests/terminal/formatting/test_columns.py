"""Text in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit.terminal.formatting import blocks, columns, line_length, paragraph, shortened

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


def test_there_is_no_line_length_without_a_terminal(monkeypatch):
    assert line_length() is None
    monkeypatch.setattr("sys.stdout", None)
    assert line_length() is None
