"""Why a plugin failed, on one line."""

from __future__ import annotations

import json

import pytest

from mlpkit.errors import PluginError
from mlpkit.registry.plugin import LONGEST_SUMMARY, error_summary, one_line


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


def test_type_message_and_line():
    reason = error_summary(raised(ValueError("no luck")))
    assert reason.startswith("ValueError: no luck (test_error_summary.py, line ")


def test_our_own_error_needs_no_type():
    assert error_summary(PluginError("wrong")) == "wrong"


def test_the_line_is_that_of_the_plugin_and_not_of_python():
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert "(test_error_summary.py, line " in error_summary(caught.value)


def test_an_error_that_was_never_raised_has_no_line():
    assert error_summary(SystemExit()) == "SystemExit"


def test_the_text_is_one_line_that_a_terminal_can_show():
    assert one_line("a\n  b\x1b[31m\ud800é") == r"a b\x1b[31m\ud800é"
    assert len(one_line("x" * 10_000_000)) == LONGEST_SUMMARY + 3
