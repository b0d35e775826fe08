"""A training on a terminal: a table of evaluations, and a progress bar."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar as Bar
from rich.segment import Segment
from rich.text import Text

from mlpkit.cli.formatting import duration, figure
from mlpkit.cli.output import outliving_the_terminal
from mlpkit.cli.progress.display import Display, tell_outcome
from mlpkit.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from rich.console import ConsoleOptions, RenderResult

    from mlpkit.components.schedule import Progress
    from mlpkit.jobs.training_job import Run
    from mlpkit.training.evaluation import Record


class Throughput:
    """The average pace since the start, evaluations included: what is left is evaluated as often as what was done.

    Args:
        total: steps that the whole training takes, if that is known.
        first: steps done before the start, in a run that is resumed.
        clock: returns a time in seconds.
    """

    def __init__(self, total: int | None, first: int = 0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._total = total
        self._first = first
        self._clock = clock
        self._began = clock()

    def steps_per_second(self, step: int) -> float:
        """Return the number of steps done in a second, on average."""
        seconds = self._clock() - self._began
        return (step - self._first) / seconds if seconds > 0 else 0.0

    def seconds_left(self, step: int) -> float:
        """Return how long the rest will take at that pace; infinity if that isn't known yet, or can't be."""
        pace = self.steps_per_second(step)
        return (self._total - step) / pace if pace > 0 and self._total is not None else float("inf")


NARROWEST_BAR = 10
WIDEST_BAR = 40


class ProgressBar:
    """How far training has come, and below it the latest figures; what does not fit is left out.

    Args:
        total: steps that the whole training takes, if that is known; there is no bar otherwise.
        pace: how fast it goes.
        step: steps done.
    """

    def __init__(self, total: int | None, pace: Throughput, step: int = 0) -> None:
        self.total = total
        self.pace = pace
        self.step = step
        self.loss = float("nan")
        self.record: Record = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw a blank line, the bar, and the figures."""
        width = options.max_width
        beside = _fitting(self._beside_the_bar(), width if self.total is None else width - NARROWEST_BAR - 1)
        yield Text()
        if self.total is not None and width > 1:
            length = min(WIDEST_BAR, width - len(beside) - 1)
            bar = Bar(self.total, self.step, length, style="dim", complete_style="cyan", finished_style="cyan")
            yield from Segment.adjust_line_length(list(console.render(bar, options)), length)
            yield Text(f" {beside}", no_wrap=True)
        else:
            yield Text(beside, no_wrap=True)
        yield Text(_fitting(self._figures(), width), "dim", no_wrap=True)

    def _beside_the_bar(self) -> Iterator[str]:
        yield f"{self.step:,} steps" if self.total is None else f"{self.step:,} of {self.total:,}"
        left = self.pace.seconds_left(self.step)
        if left != float("inf"):
            yield f"{duration(left)} left"

    def _figures(self) -> Iterator[str]:
        yield f"loss {figure(self.loss)}"
        metric = next((key for key in self.record if key.startswith("train_") and key != "train_loss"), None)
        if metric is not None:
            yield f"{metric.replace('_', ' ')} {figure(self.record[metric])}"
        yield f"{self.pace.steps_per_second(self.step):,.0f} steps/s"


def _fitting(parts: Iterator[str], width: int) -> str:
    """Return the first parts, as many as fit."""
    text = ""
    for part in parts:
        longer = f"{text}   {part}" if text else part
        if len(longer) > width:
            break
        text = longer
    return text


FIGURE_WIDTH = 8
GAPS = (3, 2, 1)


@dataclass(frozen=True)
class Column:
    """A column of the table of evaluations.

    Args:
        key: the figure's key in a record.
        group: what stands above the title, once for all columns of that group.
        title: the heading.
        importance: 0 for what must be there; the higher, the sooner it is left out.
        width: number of characters.
    """

    key: str
    group: str
    title: str
    importance: int
    width: int

    def cell(self, record: Record) -> str:
        """Return the figure, aligned."""
        value = record[self.key]
        text = f"{value:.0f}" if self.key == "iteration" else f"{value:.2f}" if self.key == "epoch" else figure(value)
        return text.rjust(self.width)


@dataclass(frozen=True)
class EvaluationColumns:
    """The columns of a table.

    Args:
        chosen: the columns.
        gap: number of blanks between them.
    """

    chosen: tuple[Column, ...]
    gap: int

    def heading(self) -> tuple[str, str]:
        """Return the line with the groups, each in the middle above its columns, and the line with the titles."""
        blanks = " " * self.gap
        groups = []
        for group, members in groupby(self.chosen, key=lambda column: column.group):
            widths = [column.width for column in members]
            span = sum(widths) + self.gap * (len(widths) - 1)
            groups.append(group[:span].center(span))
        titles = [column.title.rjust(column.width) for column in self.chosen]
        return blanks.join(groups).rstrip(), blanks.join(titles)

    def row(self, record: Record) -> str:
        """Return the line of an evaluation."""
        return (" " * self.gap).join(column.cell(record) for column in self.chosen)


def fitting_columns(record: Record, width: int) -> EvaluationColumns:
    """Return the most important columns that fit.

    The iteration is always there; the losses outlast the metrics but the first, and the validation split outlasts
    the training split.

    Args:
        record: any evaluation of the run.
        width: length of a line.
    """
    kept = _all_columns(record)
    while True:
        for gap in GAPS:
            if sum(column.width for column in kept) + gap * (len(kept) - 1) <= width:
                return EvaluationColumns(tuple(kept), gap)
        least = max(kept, key=lambda column: column.importance)
        if least.importance == 0:
            return EvaluationColumns(tuple(kept), 1)
        kept.remove(least)


def _all_columns(record: Record) -> list[Column]:
    columns = [Column("iteration", "", "iteration", 0, 9), Column("epoch", "", "epoch", 5, 6)]
    keys = [key for key in record if key.startswith(("train_", "validation_"))]
    names = list(dict.fromkeys(_split_and_name(key)[1] for key in keys))  # the loss, and then the metrics
    for key in keys:
        split, name = _split_and_name(key)
        importance = (3, 4)[names.index(name)] if name in names[:2] else 8 + 2 * names.index(name)
        importance -= 2 if split == "validation" else 0
        share = -(-len(name) // (len(keys) // len(names)))  # of the room for the group's name
        columns.append(Column(key, name, split, importance, max(FIGURE_WIDTH, len(split), share)))
    return columns


def _split_and_name(key: str) -> tuple[str, str]:
    split, _, name = key.partition("_")
    return split, name


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
        self._title = printable(title)
        self._folder = printable(folder)
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
        self._stop()

    def resumed(self, step: int) -> None:
        """Say where the run goes on."""
        self._first_step = step
        self._print(Text(f"going on after step {step:,}", "dim"))

    def started(self, total_steps: int | None) -> None:
        """Show the bar, as far as a run that is resumed has come, otherwise empty."""
        self._bar = ProgressBar(total_steps, Throughput(total_steps, self._first_step), self._first_step)
        with outliving_the_terminal():
            self._live.start()
            self._live.update(self._bar, refresh=True)

    def stepped(self, progress: Progress, loss: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.step, self._bar.loss = progress.step, loss
            with outliving_the_terminal():
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
        self._stop()

    def interrupted(self) -> None:
        """Bring the cursor back now: the next signal ends the program at once."""
        with suppress(OSError, ValueError):
            os.write(sys.stdout.fileno(), SHOW_CURSOR)

    def finished(self, run: Run) -> None:
        """Print the figures of the test split, and the folder."""
        self._print(Text())
        tell_outcome(run)

    def _stop(self) -> None:
        with outliving_the_terminal():
            self._live.stop()

    def _print(self, line: Text) -> None:
        with outliving_the_terminal():
            self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
