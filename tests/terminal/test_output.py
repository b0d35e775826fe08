"""Where text goes."""

from __future__ import annotations

import io
import json
import os

import pytest

from mlpkit.errors import StorageError
from mlpkit.terminal.output import OutputClosedError, document, message, result


def test_results_and_messages_go_different_ways(capsys):
    result("a result")
    message("a message")
    assert tuple(capsys.readouterr()) == ("a result\n", "a message\n")


def test_a_document_is_one_line_of_ascii_with_finite_numbers(capsys):
    document({"name": "прогон\n", "loss": float("nan"), "shape": (2, 3), "folder": os, "best": float("-inf"), 1: True})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "name": "прогон\n",
        "loss": None,
        "shape": [2, 3],
        "folder": str(os),
        "best": None,
        "1": True,
    }


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(BrokenPipeError(), OutputClosedError), (OSError(5, "Input/output error"), StorageError)],
)
def test_errors_of_standard_output_are_distinguished(failure, expected, monkeypatch):
    def refuse(*args, **kwargs):
        raise failure

    monkeypatch.setattr("click.echo", refuse)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with pytest.raises(expected):
        result("text")


def test_a_message_without_standard_error_is_not_an_error(monkeypatch):
    def refuse(*args, **kwargs):
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", io.StringIO())  # pytest's own has a descriptor, which would be lost
    monkeypatch.setattr("click.echo", refuse)
    message("text")
