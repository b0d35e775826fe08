"""A terminal that is drawn on: what the screens of a training, and of many, share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from mlpkit.terminal.output import colours_wanted, ignore_hangup

SECONDS_BETWEEN_DRAWINGS: Final = 0.1
SHOW_CURSOR: Final = b"\x1b[?25h"


def new_console() -> Console:
    """Return a console that prints texts as they are, with the colours that ``--color`` asks for."""
    wanted = colours_wanted()
    return Console(highlight=False, markup=False, emoji=False, no_color=None if wanted is None else not wanted)


class LiveArea:
    """An area below the lines of a terminal that is redrawn without a thread and disappears at the end.

    Attributes:
        console: the terminal.
    """

    def __init__(self) -> None:
        self.console = new_console()
        self._live = self._new_live()

    def print_line(self, line: Text) -> None:
        """Print a line above the area, cut at the edge of the terminal."""
        with ignore_hangup():
            self.console.print(line, no_wrap=True, overflow="ellipsis", crop=True)

    def start(self) -> None:
        """Start drawing."""
        with ignore_hangup():
            self._live.start()

    def draw(self, content: RenderableType) -> None:
        """Draw something in place of what was drawn before."""
        with ignore_hangup():
            self._live.update(content, refresh=True)

    def stop(self) -> None:
        """Take away what was drawn, and bring the cursor back."""
        with ignore_hangup():
            self._live.stop()

    def print_above(self, print_it: Callable[[], None]) -> None:
        """Print something that doesn't go through the console, while the area is taken away."""
        drawn = self._live.is_started
        self.stop()
        print_it()
        if drawn:
            self._live = self._new_live()
            self.start()

    def _new_live(self) -> Live:
        return Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop")


def show_cursor() -> None:
    """Bring the cursor back at once, from a signal's handler too."""
    with suppress(OSError, ValueError):
        os.write(sys.stdout.fileno(), SHOW_CURSOR)


def bar(console: Console, options: ConsoleOptions, done: int, total: int, width: int) -> Iterator[Segment]:
    """Draw a progress bar of this many characters."""
    drawn = ProgressBar(total, done, width, style="dim", complete_style="cyan", finished_style="cyan")
    yield from Segment.adjust_line_length(list(console.render(drawn, options)), width)
