"""Shows a training run on a terminal: a table that grows, and below it a bar that moves."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from mlpkit.cli.training.display import Display
from mlpkit.cli.training.evaluation_columns import EvaluationColumns, fitting_columns
from mlpkit.cli.training.outcome import tell_outcome
from mlpkit.cli.training.pace import Pace
from mlpkit.cli.training.progress_bar import ProgressBar

if TYPE_CHECKING:
    from types import TracebackType

    from mlpkit.components.schedule import Progress
    from mlpkit.jobs.training_job import Run
    from mlpkit.training.history import Record

SHOW_CURSOR: Final = b"\x1b[?25h"


class Screen(Display):
    """A table with a row an evaluation; below it, while training goes on, the bar.

    It draws when training tells it something, and not from a thread of its own, which would take time from the
    training. When the terminal's width changes, the table goes on below a new heading with the columns that fit.

    Args:
        title: what is trained.
        folder: where it is kept.
    """

    def __init__(self, title: str, folder: str) -> None:
        self._title = title
        self._folder = folder
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._bar: ProgressBar | None = None
        self._columns: EvaluationColumns | None = None
        self._first_step = 0

    def __enter__(self) -> Screen:
        """Say what is about to be trained, before the data is read."""
        self._print(Text.assemble((self._title, "bold"), (f"  {self._folder}", "dim")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away, and bring the cursor back."""
        self._live.stop()

    def resumed(self, step: int) -> None:
        """Say where the run goes on."""
        self._first_step = step
        self._print(Text(f"going on after step {step:,}", "dim"))

    def started(self, total_steps: int | None) -> None:
        """Show the bar, as far as a run that is resumed has come, otherwise empty."""
        self._bar = ProgressBar(total_steps, Pace(total_steps, self._first_step), self._first_step)
        self._live.start()
        self._live.update(self._bar, refresh=True)

    def stepped(self, progress: Progress, loss: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.step, self._bar.loss = progress.step, loss
            self._live.update(self._bar, refresh=True)

    def evaluated(self, record: Record, seconds: float) -> None:
        """Print a row above the bar."""
        columns = fitting_columns(record, self._console.width)
        if columns != self._columns:
            groups, titles = columns.heading()
            self._print(Text())
            self._print(Text(groups, "dim"))
            self._print(Text(titles, "dim"))
            self._columns = columns
        self._print(Text(columns.row(record)))
        if self._bar is not None:
            self._bar.record = record

    def ended(self) -> None:
        """Take the bar away."""
        self._live.stop()

    def interrupted(self) -> None:
        """Bring the cursor back now: the next signal ends the program at once."""
        with suppress(OSError, ValueError):
            os.write(sys.stdout.fileno(), SHOW_CURSOR)

    def finished(self, run: Run) -> None:
        """Print the figures of the test split, and the folder."""
        self._print(Text())
        tell_outcome(run)

    def _print(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
