"""A training on a terminal: a table of evaluations, and a progress bar."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.segment import SegmentLines
from rich.style import Style
from rich.text import Text

from mlpkit.display.display import Display, next_command, print_outcome
from mlpkit.display.evaluation_table import BEST_MARK, fitting_columns
from mlpkit.display.progress_bar import ProgressBar
from mlpkit.display.throughput import Throughput
from mlpkit.errors import printable
from mlpkit.pages.evaluations import MOST_ROWS, rows_worth_reading
from mlpkit.terminal.live_area import SECONDS_BETWEEN_DRAWINGS, LiveArea, show_cursor
from mlpkit.terminal.output import outliving_the_terminal, result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from mlpkit.components.schedule import Progress
    from mlpkit.jobs.training_job import Run
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Symptom

AROUND_THE_ROWS: Final = 8
"""Lines of a terminal that no row of the table may take: title, blank line, headings, the bar, and the cursor."""

PLAIN, DIM, BEST = Style.null(), Style(dim=True), Style(bold=True, color="green")
NOTE = Style(color="yellow")


class Screen(Display):
    """A table of the evaluations with the best one marked; below it, while training goes on, the bar.

    The table holds as many rows as are worth reading, and while training goes on as many as the terminal has room for.
    It is drawn at the events of the training, and not from a thread of its own, which would take time from the
    training.

    Args:
        title: what is trained.
        folder: where it is kept.
        clock: returns a time in seconds.
    """

    def __init__(self, title: str, folder: str, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self._heading = title, folder
        self._area = LiveArea()
        self._bar: ProgressBar | None = None
        self._drawn: tuple[tuple[int, int, int], Group] | None = None
        self._drawn_at = 0.0
        self._first_step = 0
        self._clock = clock
        self._began = clock()

    def __enter__(self) -> Screen:
        """Say what is about to be trained, before the data is read."""
        self._area.print_heading(*self._heading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away, and bring the cursor back."""
        self._area.stop()

    def resumed(self, step: int) -> None:
        """Say where the run goes on."""
        self._first_step = step
        self._area.print_line(Text(f"going on after step {step:,}", "dim"))

    def started(self, total_steps: int | None) -> None:
        """Show the bar, as far as a run that is resumed has come, otherwise empty."""
        self._bar = ProgressBar(total_steps, Throughput(total_steps, self._first_step), self._first_step)
        self._area.start()
        self._draw()

    def stepped(self, progress: Progress, loss: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.step, self._bar.loss = progress.step, loss
            self._draw()

    def evaluated(self, record: Record, seconds: float) -> None:
        """Add a row, which is drawn at once unless something was drawn just before."""
        super().evaluated(record, seconds)
        if self._bar is not None:
            self._bar.record = record
        if time.perf_counter() - self._drawn_at > SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def diagnosed(self, symptom: Symptom) -> None:
        """Print what is not as it should be, and what to try, above the table."""
        with outliving_the_terminal():
            self._area.console.print(Text(printable(f"note: {symptom}"), NOTE))

    def ended(self) -> None:
        """Leave the table, and take the bar away."""
        self._area.stop()
        if self.records:
            for line in self._table(MOST_ROWS):
                self._area.print_line(line)
            left_out = fitting_columns(self.records[0], self._room).left_out
            if left_out:
                self._print_wrapped(f"not shown, for lack of width: {', '.join(left_out)}; history.jsonl has all")

    def interrupted(self) -> None:
        """Bring the cursor back now: the next signal ends the program at once."""
        show_cursor()

    def finished(self, run: Run) -> None:
        """Print the best value, the figures of the test split, the folder, the time, and what to do next."""
        self._area.print_line(Text())
        mark = "" if self.best_position is None else BEST_MARK.lstrip()
        seconds = None if self._bar is None else self._clock() - self._began  # nothing was left to do
        print_outcome(run, best=self.best_line(mark), seconds=seconds)
        if not run.stopped:
            result(f"next: {next_command(run)}")

    @property
    def _room(self) -> int:
        return max(self._area.console.width - len(BEST_MARK), 1)

    def _draw(self) -> None:
        """Draw the table and the bar; the table is laid out only if something about it has changed."""
        if self._bar is None:
            return
        width, height = self._area.console.size
        state = (len(self.records), width, height)
        if self._drawn is None or self._drawn[0] != state:
            room = min(MOST_ROWS, height - AROUND_THE_ROWS)
            table = Group(*self._table(room) if self.records and room > 0 else ())
            rendered = SegmentLines(self._area.console.render_lines(table, pad=False), new_lines=True)
            self._drawn = state, Group(rendered, self._bar)
        self._area.draw(self._drawn[1])
        self._drawn_at = time.perf_counter()

    def _table(self, most: int) -> Iterator[Text]:
        """Go through the lines of the table.

        Args:
            most: the number of rows.
        """
        columns = fitting_columns(self.records[0], self._room)
        groups, titles = columns.heading()
        yield Text()
        yield _line(groups, DIM)
        yield _line(titles, DIM)
        for position in rows_worth_reading(len(self.records), self.best_position, most):
            row = columns.row(self.records[position])
            yield _line(row + BEST_MARK, BEST) if position == self.best_position else _line(row, PLAIN)

    def _print_wrapped(self, text: str) -> None:
        with outliving_the_terminal():
            self._area.console.print(Text(text, "dim"))


def _line(text: str, style: Style) -> Text:
    return Text(text, style, no_wrap=True, overflow="crop")
