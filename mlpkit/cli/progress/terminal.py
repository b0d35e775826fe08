"""A terminal that is drawn on: what the screens of a training, and of many, share."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment

from mlpkit.cli.output import colours_wanted, outliving_the_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import ConsoleOptions
    from rich.text import Text

SECONDS_BETWEEN_DRAWINGS: Final = 0.1
SHOW_CURSOR: Final = b"\x1b[?25h"


def new_console() -> Console:
    """Return a console that prints texts as they are, with the colours that ``--color`` asks for."""
    wanted = colours_wanted()
    return Console(highlight=False, markup=False, emoji=False, no_color=None if wanted is None else not wanted)


def new_live(console: Console) -> Live:
    """Return what draws below the lines of a console and leaves nothing behind, without a thread of its own."""
    return Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")


def print_line(console: Console, line: Text) -> None:
    """Print a line, cut at the edge of the terminal."""
    with outliving_the_terminal():
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def show_cursor() -> None:
    """Bring the cursor back at once, from a signal's handler too."""
    with suppress(OSError, ValueError):
        os.write(sys.stdout.fileno(), SHOW_CURSOR)


def bar(console: Console, options: ConsoleOptions, done: int, total: int, width: int) -> Iterator[Segment]:
    """Draw how much of something is done, with so many characters."""
    drawn = ProgressBar(total, done, width, style="dim", complete_style="cyan", finished_style="cyan")
    yield from Segment.adjust_line_length(list(console.render(drawn, options)), width)
