"""Trainings on a terminal: a table of evaluations and a progress bar; or of several runs, a bar each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Self

from rich.console import Console, Group
from rich.segment import SegmentLines
from rich.style import Style
from rich.text import Text

from mlpkit.components.schedule import Progress
from mlpkit.display.display import Display, RunNames, Throughput
from mlpkit.display.evaluation_table import BEST_MARK, fitting_columns
from mlpkit.display.outcomes import Outcome, results_of
from mlpkit.display.progress_bar import ProgressBar
from mlpkit.errors import printable
from mlpkit.pages.evaluations import MOST_ROWS, Evaluations, rows_worth_reading
from mlpkit.terminal.live_area import SECONDS_BETWEEN_DRAWINGS, LiveArea, show_cursor
from mlpkit.terminal.output import ignore_hangup, result
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import TrainingEnd
from mlpkit.training.health import Symptom

AROUND_THE_ROWS: Final = 8
"""Lines of a terminal that no row of the table may take: title, blank line, headings, the bar, and the cursor."""

PLAIN, DIM, BEST = Style.null(), Style(dim=True), Style(bold=True, color="green")
NOTE = Style(color="yellow")


class Screen(Display):
    """A table of evaluations with the best one marked; or of several runs, a line for each that is over.

    Below them is a bar for each run in training. It is drawn at the events of the trainings, and
    not by a thread, which would take time from them.

    Args:
        title: what is trained.
        folder: where it is kept.
        names: what the runs are called.
        clock: returns a time in seconds.
    """

    def __init__(
        self,
        title: str,
        folder: str,
        names: RunNames | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(names)
        self._heading = title, folder
        self._area = LiveArea()
        self._table = _Table() if not self.names.what else None
        self._bars: dict[int, ProgressBar] = {}
        self._first_steps: dict[int, int] = {}
        self._waiting: set[int] = set()
        self._drawn_at = 0.0
        self._clock, self._began_at = clock, clock()

    def __enter__(self) -> Self:
        """Print what will be trained, before the data is read."""
        self._area.print_heading(*self._heading)
        return self

    def __exit__(self, *error: object) -> None:
        """Take the bars away, and bring the cursor back."""
        self._area.stop()

    def interrupted(self) -> None:
        """Bring the cursor back now: the next signal ends the program at once."""
        show_cursor()

    def began(self, run: int, runs: Mapping[int, Path], at_once: int) -> None:
        """Print how many train at once."""
        super().began(run, runs, at_once)
        self._waiting = set(runs)
        how = f"{at_once} at once" if at_once > 1 else "one after the other"
        self._area.print_line(Text(f"{len(runs)} {self.names.what}s, {how}", "dim"))
        self._area.print_line(Text())
        self._area.start()

    def resumed(self, run: int, step: int) -> None:
        """Let the bar start where the run continues."""
        self._first_steps[run] = step
        if self._table is not None:
            self._area.print_line(Text(f"resuming after step {step:,}", "dim"))

    def monitored(self, run: int, tracker: BestTracker) -> None:
        """Mark the best of the evaluations to come."""
        if self._table is not None:
            self._table.monitored(tracker)

    def started(self, run: int, total_steps: int | None) -> None:
        """Show the bar of a run."""
        first = self._first_steps.get(run, 0)
        self._waiting.discard(run)
        self._bars[run] = ProgressBar(total_steps, Throughput(total_steps, first), first, self.names.aligned(run))
        self._area.start()
        self._draw()

    def stepped(self, run: int, progress: Progress, loss: float) -> None:
        """Move the bar of a run."""
        self._bars[run].step, self._bars[run].loss = progress.step, loss
        if self._table is not None:
            self._draw()
        else:
            self._draw_if_due()

    def evaluated(self, run: int, record: Record, seconds: float) -> None:
        """Add a row, and move the bar: steps just before it may be left out."""
        if self._table is not None:
            self._table.add(record)
        if run in self._bars:
            self._bars[run].step, self._bars[run].record = int(record["iteration"]), record
        self._draw_if_due()

    def diagnosed(self, run: int, symptom: Symptom) -> None:
        """Print a symptom, and what to try, above what is drawn."""
        if note := self._note(run, symptom):
            with ignore_hangup():
                self._area.console.print(Text(printable(note), NOTE))

    def ended(self, run: int) -> None:
        """Leave the table, and take the bar away."""
        self._area.stop()
        if self._table is not None and self._table.records:
            for line in self._table.lines(self._area.console.width, MOST_ROWS):
                self._area.print_line(line)
            left_out = self._table.left_out(self._area.console.width)
            if left_out:
                with ignore_hangup():
                    text = f"hidden, since the terminal is too narrow: {', '.join(left_out)}; history.jsonl has all"
                    self._area.console.print(Text(text, "dim"))

    def over(self, run: int, end: TrainingEnd) -> None:
        """Leave a line of one of several runs in place of its bar."""
        self._bars.pop(run, None)
        self._waiting.discard(run)
        super().over(run, end)
        if not end.failure and not end.stopped:
            self._area.print_line(Text(f"{self.names.aligned(run)} {results_of(end)}"))
        self._draw()

    def finished(self, outcome: Outcome) -> None:
        """Print the results, the time, and what to do next."""
        self._area.stop()
        self._area.print_line(Text())
        seconds: float | None = self._clock() - self._began_at
        best = ""
        if self._table is not None:
            best = self._table.best_line("" if self._table.best_position is None else BEST_MARK.lstrip())
            seconds = seconds if self._bars else None  # nothing was left to do
        outcome.print_results(best, seconds)
        if outcome.next_command:
            result(f"next: {outcome.next_command}")

    def _print_problem(self, run: int, text: str, label: str, colour: str) -> None:
        """Print what is wrong with a run above the bars, which are taken away meanwhile."""
        self._area.print_above(lambda: super(Screen, self)._print_problem(run, text, label, colour))

    def _draw_if_due(self) -> None:
        if time.perf_counter() - self._drawn_at > SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        table = [] if self._table is None or not self._bars else [self._table.drawn(self._area.console)]
        bars = [self._bars[run] for run in sorted(self._bars)]
        waiting = [Text(f"{len(self._waiting)} more", "dim")] if self._waiting else []
        self._area.draw(Group(*table, *bars, *waiting))
        self._drawn_at = time.perf_counter()


class _Table(Evaluations):
    """The evaluations of a run as a table, which holds as many rows as are worth reading."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[tuple[int, int, int], SegmentLines] | None = None

    def drawn(self, console: Console) -> SegmentLines:
        """Return the rows that the terminal has room for; the table is laid out only if something has changed."""
        width, height = console.size
        state = (len(self.records), width, height)
        if self._drawn is None or self._drawn[0] != state:
            room = min(MOST_ROWS, height - AROUND_THE_ROWS)
            table = Group(*self.lines(width, room) if self.records and room > 0 else ())
            self._drawn = state, SegmentLines(console.render_lines(table, pad=False), new_lines=True)
        return self._drawn[1]

    def left_out(self, width: int) -> tuple[str, ...]:
        """Return the losses and metrics that have no column in a terminal of that width."""
        return fitting_columns(self.records[0], _room(width)).left_out

    def lines(self, width: int, most: int) -> Iterator[Text]:
        """Go through the lines of the table."""
        columns = fitting_columns(self.records[0], _room(width))
        groups, titles = columns.heading()
        yield Text()
        yield _line(groups, DIM)
        yield _line(titles, DIM)
        for position in rows_worth_reading(len(self.records), self.best_position, most):
            row = columns.row(self.records[position])
            yield _line(row + BEST_MARK, BEST) if position == self.best_position else _line(row, PLAIN)


def _room(width: int) -> int:
    return max(width - len(BEST_MARK), 1)


def _line(text: str, style: Style) -> Text:
    return Text(text, style, no_wrap=True, overflow="crop")
