"""Places in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.specfile.source import LONGEST_SHOWN_LINE, SourceText, Span

TEXTS = st.lists(st.sampled_from(["ab", "é", "\U0001f600", "\n", "\r\n", "\r", " "]), max_size=20).map("".join)


@given(TEXTS, st.data())
def test_line_and_column_lead_back_to_the_position(text, data):
    position = data.draw(st.integers(0, len(text)))
    source = SourceText("s", text)
    place = Span(source, position, position)
    assert source.line_starts[place.line - 1] + place.column - 1 == position
    assert source.line(place.line)[place.column - 1 :][:1] in text[position : position + 1]


@given(TEXTS)
def test_lines_are_those_of_python(text):
    source = SourceText("s", text)
    lines = [source.line(number) for number in range(1, len(source.line_starts) + 1)]
    assert lines == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def test_place_reads_as_file_line_and_column():
    source = SourceText("specs/a.yaml", "one\r\ntwo three\n")
    place = Span(source, 9, 14)
    assert str(place) == "specs/a.yaml:2:5"
    assert (place.file, place.line, place.column, place.width) == ("specs/a.yaml", 2, 5, 5)
    assert place.source == "two three"


@pytest.mark.parametrize(("start", "end", "width"), [(0, 3, 3), (0, 0, 1), (1, 20, 2), (3, 3, 1), (4, 8, 4)])
def test_width_ends_with_the_line(start, end, width):
    assert Span(SourceText("s", "one\ntwo three\n"), start, end).width == width


@pytest.mark.parametrize(
    ("start", "end", "last"),
    [(4, 7, (2, 4)), (4, 4, (2, 2)), (3, 3, (1, 5)), (0, 4, (1, 5)), (0, 5, (2, 2)), (1, 8, (2, 5))],
)
def test_a_fault_ends_behind_the_last_character(start, end, last):
    fault = Span(SourceText("s", "one\ntwo three\n"), start, end).fault("wrong")
    assert (fault.end_line, fault.end_column) == last


def test_a_fault_at_a_key_of_python_has_no_lines():
    fault = Span(SourceText("data.csv", "", key_only=True), 0, 0).fault("wrong")
    assert (fault.file, fault.line, fault.column, fault.end_line, fault.end_column) == ("data.csv", 0, 0, 0, 0)


def test_a_line_too_long_to_be_of_help_is_left_out():
    line = "x" * LONGEST_SHOWN_LINE
    assert Span(SourceText("s", line), 0, 1).source == line
    assert Span(SourceText("s", line + "x"), 0, 1).source == ""


def test_a_source_line_is_safe_to_print():
    assert Span(SourceText("s", "a\x1b[31m"), 0, 1).source == "a\ufffd[31m"


def test_an_override_is_quoted_whole():
    assert Span(SourceText("--set", "seed=3", override=True), 5, 6).quoted == "--set seed=3"
    assert Span(SourceText("a.yaml", "seed: 3"), 6, 7).quoted == "a.yaml:1:7"


def test_fault_has_the_place_and_the_notes_of_the_text():
    source = SourceText("b.yaml", "seed: x", notes=("a.yaml:1:1 extends this file",))
    fault = Span(source, 6, 7).fault("no seed", expected="a number", remedy="count", notes=("first",))
    assert str(fault).splitlines() == [
        "b.yaml:1:7: no seed",
        "    1 | seed: x",
        "      |       ^",
        "  expected: a number",
        "  help: count",
        "  note: first",
        "  note: a.yaml:1:1 extends this file",
    ]


def test_a_fault_is_safe_to_print():
    fault = Span(SourceText("b.yaml", "seed: x"), 6, 7).fault(
        "m\x1b", expected="e\x1b", remedy="r\x1b", notes=("n\x1b",)
    )
    found = (fault.message, fault.expected, fault.remedy, *fault.notes)
    assert found == ("m\ufffd", "e\ufffd", "r\ufffd", "n\ufffd")
