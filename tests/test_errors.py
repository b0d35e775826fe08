"""Errors quote strangers' files, and so do their messages reach a terminal: in characters that command nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.errors import DataError, MlpkitError, ModelFileError, ParameterError, printable

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
