"""A terminal that is drawn on."""

from __future__ import annotations

import io
import os

import pytest
from requirements import Optional
from rich.text import Text

from mlpkit.terminal.live_area import LiveArea, bar, new_console, show_cursor
from mlpkit.terminal.output import choose_colours

pyte = Optional("pyte")


class Terminal(io.StringIO):
    """A terminal of 20 columns and 6 lines, which may be closed."""

    closed_by_user = False

    def isatty(self):
        return True

    def write(self, text):
        if self.closed_by_user:
            raise OSError(5, "Input/output error")
        return super().write(text)

    def shown(self):
        """Return the lines on the screen down to the last with text, and whether its cursor can be seen."""
        screen = pyte.Screen(20, 6)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return "\n".join(line.rstrip() for line in screen.display).rstrip("\n"), not screen.cursor.hidden


def on_terminal(monkeypatch):
    """Let standard output be a terminal with colours, and return it."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "20"), ("LINES", "6")):
        monkeypatch.setenv(name, value)
    found = Terminal()
    monkeypatch.setattr("sys.stdout", found)
    return found


def test_an_area_is_redrawn_below_the_lines_and_taken_away(monkeypatch):
    terminal = on_terminal(monkeypatch)
    area = LiveArea()
    area.print_line(Text("a line that is longer than twenty"))
    assert terminal.shown() == ("a line that is long…", True)
    area.print_above(lambda: terminal.write("before\n"))
    assert terminal.shown() == ("a line that is long…\nbefore", True)
    area.start()
    area.draw(Text("one\ntwo"))
    assert terminal.shown() == ("a line that is long…\nbefore\none\ntwo", False)
    area.print_line(Text("[b] :smile: 12"))
    area.draw(Text("three"))
    assert terminal.shown() == ("a line that is long…\nbefore\n[b] :smile: 12\nthree", False)
    area.print_above(lambda: terminal.write("above\n"))
    assert terminal.shown() == ("a line that is long…\nbefore\n[b] :smile: 12\nabove", False)
    area.draw(Text("four"))
    assert terminal.shown() == ("a line that is long…\nbefore\n[b] :smile: 12\nabove\nfour", False)
    area.stop()
    assert terminal.shown() == ("a line that is long…\nbefore\n[b] :smile: 12\nabove", True)


def test_what_is_drawn_is_cut_at_the_foot_of_the_terminal(monkeypatch):
    terminal = on_terminal(monkeypatch)
    area = LiveArea()
    area.start()
    area.draw(Text("\n".join("abcdefgh")))
    assert terminal.shown()[0] == "\n".join("abcdef")


def test_once_the_terminal_is_closed_nothing_fails(monkeypatch):
    """As for other results: see the tests of ``ignore_hangup``."""
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr("mlpkit.terminal.output._is_device", lambda stream: True)
    area = LiveArea()
    area.start()
    terminal.closed_by_user = True
    area.print_line(Text("a line"))
    area.draw(Text("one"))
    area.stop()
    LiveArea().start()


@pytest.mark.parametrize(("wanted", "coloured"), [(True, True), (False, False), (None, True)])
def test_colours_are_as_chosen(wanted, coloured, monkeypatch):
    terminal = on_terminal(monkeypatch)
    choose_colours(wanted)
    try:
        new_console().print("12", Text("red", "red"))
    finally:
        choose_colours(None)
    assert terminal.getvalue() == ("12 \x1b[31mred\x1b[0m\n" if coloured else "12 red\n")


def test_the_cursor_comes_back_at_once_wherever_there_is_one(monkeypatch):
    terminal = on_terminal(monkeypatch)
    show_cursor()  # this terminal has no descriptor
    assert terminal.getvalue() == ""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        os.set_blocking(reading, False)
        stream.write("still buffered")
        show_cursor()
        assert reader.read(6) == b"\x1b[?25h"
        stream.flush()
    show_cursor()  # the stream is closed
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        show_cursor()  # the other end is closed


@pytest.mark.parametrize(
    ("done", "total", "drawn", "complete"),
    [
        (0, 4, "━━━━━", ""),
        (1, 4, "━╺━━━", "━"),
        (3, 4, "━━━╸━", "━━━╸"),
        (4, 4, "━━━━━", "━━━━━"),
        (5, 4, "━━━━━", "━━━━━"),
    ],
)
def test_a_bar_is_as_long_as_what_is_done(done, total, drawn, complete, monkeypatch):
    on_terminal(monkeypatch)
    console = new_console()
    parts = list(bar(console, console.options, done, total, 5))
    assert "".join(part.text for part in parts) == drawn
    assert "".join(part.text for part in parts if str(part.style) == "cyan") == complete
