"""Which characters a spec may hold."""

from __future__ import annotations

import pytest

from mlpkit.specfile.source import REFUSED, describe_character, shown


@pytest.mark.parametrize("character", list("\t\n\r aZ~\u00a0é\u3042\U0001f600"))
def test_text_is_allowed(character):
    assert not REFUSED.search(character)


@pytest.mark.parametrize("character", list("\0\x07\x1b\x7f\x85\x9b\u2028\u2029\ufeff\uffff\ud800\udfff"))
def test_what_is_not_text_is_refused(character):
    assert REFUSED.search(f"a{character}b")


def test_description_names_what_has_a_name():
    assert describe_character("\u2028") == "U+2028 LINE SEPARATOR"
    assert describe_character("\x07") == "U+0007"


def test_shown_is_safe_to_print_and_as_long_as_before():
    assert shown("a\x1b[31m\tb") == "a\ufffd[31m\tb"
