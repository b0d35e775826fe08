"""Text in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit.cli.formatting import columns, line_length, paragraph

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
