"""Where text goes."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
from contextlib import nullcontext

import pytest

from mlpkit.errors import Diagnostic, StorageError
from mlpkit.terminal import output
from mlpkit.terminal.output import (
    OutputClosedError,
    choose_colours,
    colours_wanted,
    diagnostic,
    document,
    ignore_hangup,
    message,
    on_screen,
    print_warnings,
    result,
    styled,
    unstyled,
    write_out,
)


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


@pytest.fixture
def colours():
    """Turn colours on."""
    choose_colours(True)
    yield
    choose_colours(None)


SAID = """\
a b.yaml:3:5: warning: odd
    3 |     units: 3
      | \t   ^^^^^
  expected: a text
  help: write 'x: y'
  note: a.yaml:1:2: here
internal error: KeyError
error: no
Error: neither
 a line: of no kind
 12 |"""
SHOWN = """\
[1]a b.yaml:3:5:[0][33][1] warning:[0] odd
[34]    3 |[0]     units: 3
[34]      |[0][33][1] \t   ^^^^^[0]
[36]  expected:[0] a text
[36]  help:[0] write 'x: y'
[36]  note:[0] a.yaml:1:2: here
[33][1]internal error:[0] KeyError
[33][1]error:[0] no
[33][1]Error:[0] neither
 a line: of no kind
 12 |
"""


def test_the_parts_of_a_diagnostic_have_colours(colours, capsys):
    diagnostic(SAID, "yellow")
    assert capsys.readouterr().err == re.sub(r"\[(\d+)\]", "\x1b[\\1m", SHOWN)


def test_warnings_have_their_place_their_line_and_a_blank_line(capsys):
    print_warnings([Diagnostic("a.yaml", 3, 5, "old", "    b: 1", remedy="write c"), Diagnostic("", 0, 0, "few rows")])
    assert capsys.readouterr().err == (
        "a.yaml:3:5: warning: old\n    3 |     b: 1\n      |     ^\n  help: write c\n\n: warning: few rows\n\n"
    )


def test_only_our_own_styles_command_the_terminal(colours, capsys):
    result(styled("a\x1b[31mb", "red", bold=True) + "\tc\x1b[2J\nd\U0010ffffe")
    assert capsys.readouterr().out == "\x1b[31m\x1b[1ma\\x1b[31mb\x1b[0m\tc\\x1b[2J\nd\\U0010ffffe\n"
    assert unstyled(styled("ab", "red")) == "ab"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, None),
        ({"TERM": "dumb"}, False),
        ({}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, None),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"TERM": "dumb", "FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_the_environment_says_whether_to_use_colours_unless_the_command_line_does(environment, wanted, monkeypatch):
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colours_wanted() is wanted
    for chosen in (True, False):
        monkeypatch.setattr(output, "_colours", chosen)
        assert colours_wanted() is chosen


@pytest.mark.parametrize(
    ("stream", "term", "drawn"),
    [
        (True, "xterm", True),
        (True, "dumb", False),
        (True, None, False),
        (False, "xterm", False),
        (None, "xterm", False),
    ],
)
def test_a_terminal_is_drawn_on_unless_it_is_dumb(stream, term, drawn, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: stream
    monkeypatch.setattr("sys.stdout", None if stream is None else terminal)
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    assert on_screen() is drawn


@pytest.mark.parametrize(
    ("number", "device", "kept"), [(errno.EIO, True, True), (errno.EIO, False, False), (errno.ENOSPC, True, False)]
)
def test_only_what_goes_to_a_closed_terminal_is_discarded(number, device, kept, monkeypatch):
    given_up = []
    monkeypatch.setattr(output, "_is_device", lambda stream: device)
    monkeypatch.setattr(output, "_give_up", given_up.append)
    with nullcontext() if kept else pytest.raises(OSError, match="no"), ignore_hangup():
        raise OSError(number, "no")
    assert len(given_up) == kept


@pytest.fixture
def left_pipe():
    """Return a stream whose reader has left, with something in its buffer."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    stream.write("buffered")
    yield stream
    stream.close()  # without a complaint


def next_descriptor():
    found = os.open(os.devnull, os.O_RDONLY)
    os.close(found)
    return found


@pytest.mark.parametrize("write", [write_out, lambda: result("more")], ids=["print", "result"])
def test_what_a_reader_that_left_has_not_read_is_lost_in_silence(write, left_pipe, monkeypatch):
    free = next_descriptor()
    monkeypatch.setattr("sys.stdout", left_pipe)
    with pytest.raises(OutputClosedError) as caught:
        write()
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    left_pipe.write("and more")
    left_pipe.flush()
    assert next_descriptor() == free


def test_messages_that_nobody_reads_are_lost_in_silence(left_pipe, monkeypatch):
    monkeypatch.setattr("sys.stderr", left_pipe)
    message("text")
    left_pipe.write("and more")
    left_pipe.flush()


def test_what_is_printed_is_written_out_at_once(monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as reader, os.fdopen(writing, "w") as stream:
        os.set_blocking(reading, False)
        monkeypatch.setattr("sys.stdout", stream)
        sys.stdout.write("half")
        assert not reader.read(10)
        write_out()
        assert reader.read(10) == b"half"


def test_a_full_disk_is_named_and_what_is_buffered_is_lost_in_silence(monkeypatch):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        monkeypatch.setattr("sys.stdout", full)
        sys.stdout.write("text")
        with pytest.raises(StorageError, match=r"^standard output can't be written: No space left on device$"):
            write_out()


def test_only_a_terminal_that_was_closed_may_have_an_input_output_error(monkeypatch, tmp_path):
    """A file on a broken disk has the same error; a replaced stream may have no descriptor."""
    own, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        os.close(own)
        sys.stdout.write("lost")
        write_out()
        sys.stdout.write("lost, too")
    monkeypatch.setattr("sys.stdout", stream)
    failure = OSError(errno.EIO, "Input/output error")
    with (tmp_path / "file").open("w") as file:
        for other in (file, stream, io.StringIO(), None):  # the second one is closed
            monkeypatch.setattr("sys.stdout", other)
            with pytest.raises(OSError, match="Input/output error"), ignore_hangup():
                raise failure
        file.write("kept")
    assert (tmp_path / "file").read_text() == "kept"
