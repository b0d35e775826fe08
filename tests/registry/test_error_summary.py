"""Why a plugin failed, on one line."""

from __future__ import annotations

import json
import sys
from importlib import import_module

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
    for fail in (lambda: json.loads("{"), lambda: exec("1 / 0")):
        with pytest.raises((json.JSONDecodeError, ZeroDivisionError)) as caught:
            fail()
        assert "(test_error_summary.py, line " in error_summary(caught.value)


def test_an_error_that_was_never_raised_has_no_line():
    assert error_summary(SystemExit()) == "SystemExit"


def test_the_text_is_one_line_that_a_terminal_can_show():
    assert one_line("a\n  b\x1b[31m\ud800é") == r"a b\x1b[31m\ud800é"
    assert len(one_line("x" * 10_000_000)) == LONGEST_SUMMARY + 3


def test_a_text_of_500_characters_is_whole():
    assert [one_line("x" * length) for length in (500, 501)] == ["x" * 500, "x" * 500 + "..."]
    assert one_line("x " * 250) == ("x " * 250).strip()


def test_the_place_is_the_innermost_line_outside_of_python_and_mlpkit(tmp_path, monkeypatch):
    package = tmp_path / "acme_wool"
    package.mkdir()
    (package / "__init__.py").write_text("import json\n\ndef shear(text):\n    return json.loads(text)\n")
    (package / "shop.py").write_text("from acme_wool import shear\n\ndef sell(text):\n    return shear(text)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(json.JSONDecodeError) as caught:
        import_module("acme_wool.shop").sell("{")
    del sys.modules["acme_wool.shop"], sys.modules["acme_wool"]
    assert error_summary(caught.value).endswith(" (acme_wool/__init__.py, line 4)")


def test_a_message_that_can_not_be_read_is_replaced_by_its_type():
    class SecretError(Exception):
        def __str__(self):
            raise KeyError("no")

    assert error_summary(SecretError()) == "SecretError: its message can't be read: KeyError"
