"""Errors quote strangers' files, and so do their messages reach a terminal: in characters that command nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.errors import DataError, Diagnostic, Fix, MlpkitError, ModelFileError, ParameterError, abridged, printable

HOSTILE = "a\x1b]0;title\x07\r\nb\u202ec\u2066\ud800"
HARMLESS = r"a\x1b]0;title\x07\r\nb\u202ec\u2066\ud800"


@given(st.text(st.characters()))
def test_printable_text_moves_no_cursor_and_turns_no_line_around(text):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_harmless_text_stays_as_it_is(text):
    assert printable(text) == text


def test_what_is_to_be_kept_is_kept():
    assert printable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


@pytest.mark.parametrize(
    "error",
    [
        DataError(HOSTILE, "wrong"),
        DataError("x.csv", HOSTILE),
        DataError("x.csv", "wrong", row=2, column=HOSTILE),
        ParameterError("target", HOSTILE),
        ParameterError("target", "wrong", expected=HOSTILE),
        ParameterError("target", "wrong", remedy=HOSTILE),
    ],
    ids=["path", "message", "column", "wrong", "expected", "remedy"],
)
def test_the_message_of_an_error_is_one_printable_line(error):
    assert HARMLESS in str(error)
    assert str(error).isprintable()


def test_the_parts_of_an_error_from_which_others_are_made_are_printable():
    error = ParameterError("target", HOSTILE, expected=HOSTILE, remedy=HOSTILE)
    assert (error.message, error.expected, error.remedy) == (HARMLESS,) * 3


def test_a_file_s_own_name_stays_in_the_error_for_programs():
    assert DataError(HOSTILE, "wrong", column=HOSTILE).path == HOSTILE


@pytest.mark.parametrize("kind", [MlpkitError, ModelFileError])
def test_a_message_of_several_lines_keeps_them_and_nothing_worse(kind):
    assert str(kind("a\n\tb\x1b[2J\r")) == "a\n\tb\\x1b[2J\\r"


def test_a_long_name_of_a_column_is_shortened():
    error = DataError("x.csv", "wrong", row=2, column="a" * 100_000)
    assert str(error) == f"x.csv, row 2, column '{'a' * 200}...': wrong"
    assert error.column == "a" * 100_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 500, "x" * 500),
        ("x" * 501, f"{'x' * 100}...{'x' * 20}"),
        (f"'{'x' * 499} is no key", f"'{'x' * 499} is no key"),
        (f"see {'x' * 501}, or\n{'y' * 501}", f"see {'x' * 100}...{'x' * 19}, or\n{'y' * 100}...{'y' * 20}"),
        ("x " * 1000, "x " * 1000),
        ("x " * 1000 + "y", "x " * 1000 + "..."),
    ],
)
def test_a_message_shows_so_much_of_a_word_and_of_a_line(text, shown):
    assert abridged(text) == shown


def test_a_column_s_name_of_the_greatest_length_is_whole():
    assert str(DataError("x.csv", "wrong", byte=0, column="a" * 200)) == f"x.csv, byte 0, column '{'a' * 200}': wrong"


def test_an_error_is_about_a_file_by_another_name():
    error = DataError("/tmp/copy", "there is no column in /tmp/copy", row=3, column="age").renamed("/tmp/copy", "input")
    assert str(error) == "input, row 3, column 'age': there is no column in input"
    assert (error.byte, error.row, error.column) == (None, 3, "age")


WRONG = Diagnostic(
    "a.yaml",
    12,
    4,
    "wrong",
    "\tk\tvalue: 3",
    2,
    "a text",
    "write it",
    ("here", "there"),
    "wrong-type",
    "k.value",
    12,
    9,
)


def test_a_diagnostic_is_shown_as_a_compiler_does():
    assert str(WRONG).split("\n") == [
        "a.yaml:12:4: wrong",
        "   12 | \tk\tvalue: 3",
        "      | \t \t^^",
        "  expected: a text",
        "  help: write it",
        "  note: here",
        "  note: there",
    ]
    assert str(WRONG._replace(width=0, expected="", remedy="", notes=())).endswith("\n      | \t \t^")
    assert str(Diagnostic("layers.0", 0, 0, "wrong", "  ")) == "layers.0: wrong"


def test_a_diagnostic_is_plain_data_with_null_for_what_is_unknown():
    assert WRONG._replace(fix=Fix("a", "b")).to_plain() == {
        "code": "wrong-type",
        "message": "wrong",
        "file": "a.yaml",
        "line": 12,
        "column": 4,
        "end_line": 12,
        "end_column": 9,
        "path": "k.value",
        "expected": "a text",
        "help": "write it",
        "notes": ["here", "there"],
        "fix": {"path": "k.value", "old": "a", "new": "b"},
        "docs": "docs/problems.md#wrong-type",
    }
    plain = Diagnostic("", 0, 0, "wrong", fix=Fix("", "b")).to_plain()
    assert (plain.pop("message"), plain.pop("code"), plain.pop("docs")[-11:]) == ("wrong", "wrong-value", "wrong-value")
    assert (plain.pop("notes"), plain.pop("fix")) == ([], {"path": None, "old": "", "new": "b"})
    assert set(plain.values()) == {None}
