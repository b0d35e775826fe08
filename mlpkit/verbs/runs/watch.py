"""Drawing the list of runs on a terminal, again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from rich.live import Live
from rich.text import Text

from mlpkit.terminal.live_area import new_console
from mlpkit.terminal.output import as_printed, ignore_hangup

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN_DRAWINGS: Final = 1.0


def redraw_every_second(lines_at: Callable[[int], list[str]]) -> NoReturn:
    """Redraw the list every second, until Ctrl-C."""
    console = new_console()
    with ignore_hangup(), Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            width, height = console.size
            lines = lines_at(width) or ["no runs yet"]
            most = max(height - 2, 1)
            if len(lines) > most:
                lines = [*lines[:most], f"and {len(lines) - most} more lines"]
            live.update(Text("\n").join(Text.from_ansi(as_printed(line), no_wrap=True) for line in lines), refresh=True)
            time.sleep(SECONDS_BETWEEN_DRAWINGS)
