"""Pictures of a terminal in which a command runs."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pexpect
import pyte
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from pyte.screens import Char

COLOURS: Final = {"default": "", "brown": "yellow"}
"""Names of pyte that are others for Rich."""
FONT_FROM_ELSEWHERE: Final = re.compile(r"\s*@font-face \{.*?\}", re.S)
LONGEST: Final = 120
"""Seconds."""


def terminal(command: str, folder: Path, *, rows: int, columns: int = 80, until: str = "") -> str:
    """Run a command in a terminal, and return its picture as SVG.

    Args:
        command: the command.
        folder: where it runs.
        rows: the height of the terminal.
        columns: its width.
        until: a pattern; the picture is taken, and the command stopped, once the screen shows it. By default, the
            picture is taken at the end.
    """
    screen = pyte.Screen(columns, rows)
    stream = pyte.Stream(screen)
    screen.set_mode(pyte.modes.LNM)
    stream.feed(f"\x1b[1;32m$\x1b[0m {command}\n")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs, "TERM": "xterm-256color", "MLPKIT_REPORT": "0"}
    child = pexpect.spawn(
        "bash", ["-c", command], cwd=folder, env=environment, dimensions=(rows, columns), encoding="utf-8"
    )
    with suppress(pexpect.EOF):
        while not (until and re.search(until, "\n".join(screen.display))):
            stream.feed(child.read_nonblocking(1 << 16, timeout=LONGEST))
    child.close(force=True)
    return _picture(screen)


def _picture(screen: pyte.Screen) -> str:
    console = Console(record=True, file=StringIO(), width=screen.columns, force_terminal=True, color_system="truecolor")
    for row in _rows(screen):
        console.print(row, no_wrap=True, overflow="crop")
    return FONT_FROM_ELSEWHERE.sub("", console.export_svg(title="mlpkit", unique_id="terminal"))


def _rows(screen: pyte.Screen) -> list[Text]:
    """Return the rows of a screen but for the empty ones at its end."""
    rows = [_row([screen.buffer[y][x] for x in range(screen.columns)]) for y in range(screen.lines)]
    while rows and not rows[-1].plain.strip():
        rows.pop()
    return rows


def _row(cells: list[Char]) -> Text:
    runs = groupby(cells, key=_style)
    return Text.assemble(*(("".join(cell.data for cell in run), style) for style, run in runs))


def _style(cell: Char) -> str:
    colour = COLOURS.get(cell.fg, f"#{cell.fg}" if re.fullmatch("[0-9a-f]{6}", cell.fg) else cell.fg)
    return " ".join(filter(None, ["bold" if cell.bold else "", colour]))
