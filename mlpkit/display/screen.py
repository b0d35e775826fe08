"""Trainings on a terminal: a table of evaluations and a progress bar; or of several runs, a bar each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, takewhile
from math import nan
from pathlib import Path
from typing import Final, Self

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.segment import Segment, SegmentLines
from rich.style import Style
from rich.text import Text

from mlpkit.components.schedule import Progress
from mlpkit.display.display import Display, Outcome, RunNames, Throughput, results_of
from mlpkit.errors import printable
from mlpkit.pages.evaluations import MOST_ROWS, Evaluations, rows_worth_reading
from mlpkit.runs.json_files import decisive_split, is_result, splits_by_name
from mlpkit.terminal.figures import duration, figure
from mlpkit.terminal.live_area import SECONDS_BETWEEN_DRAWINGS, LiveArea, bar, show_cursor
from mlpkit.terminal.output import ignore_hangup, result
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import TrainingEnd
from mlpkit.training.health import Symptom

FIGURE_WIDTH: Final = 8
LONGEST_NAME: Final = 20
LONGEST_SHORT_NAME: Final = 12
LAYOUTS: Final = ((3, False), (2, False), (3, True), (2, True), (1, False), (1, True))
"""Gaps between columns, and whether titles are short, the most readable first."""
BEST_MARK: Final = " *"
SHORT_TITLES: Final = {"validation": "val"}


@dataclass(frozen=True)
class Column:
    """A column of the table of evaluations; the higher its importance, the sooner it is left out."""

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
    """The columns of a table, the blanks between them, and the losses and metrics that don't fit."""

    chosen: tuple[Column, ...]
    gap: int
    left_out: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of characters of a line."""
        return sum(column.width for column in self.chosen) + self.gap * (len(self.chosen) - 1)

    def heading(self) -> tuple[str, str]:
        """Return the line with the groups, each in the middle above its columns, and the line with the titles."""
        blanks = " " * self.gap
        groups = []
        for group, members in groupby(self.chosen, key=lambda column: column.group):
            span = EvaluationColumns(tuple(members), self.gap).width
            groups.append((group if len(group) <= span else f"{group[: span - 1]}…").center(span))
        titles = [column.title.rjust(column.width) for column in self.chosen]
        return blanks.join(groups).rstrip(), blanks.join(titles)

    def row(self, record: Record) -> str:
        """Return the line of an evaluation."""
        return (" " * self.gap).join(column.cell(record) for column in self.chosen)


def fitting_columns(record: Record, width: int) -> EvaluationColumns:
    """Return the most important columns that fit.

    The iteration is always there; then come validation loss, first metric, training loss, the other metrics, the epoch,
    and last the metrics of the training split. Without a validation split, the training split takes its place.
    """
    every = _all_columns(record)
    kept = every
    while True:
        for gap, short in LAYOUTS:
            columns = EvaluationColumns(tuple(_widened(kept, gap, short)), gap)
            if columns.width <= width or len(kept) == 1:
                names = dict.fromkeys(column.group for column in every)
                shown = {column.group for column in kept}
                return replace(columns, left_out=tuple(name for name in names if name not in shown))
        least = max(kept, key=lambda column: column.importance)
        kept = [column for column in kept if column is not least]


def _widened(columns: list[Column], gap: int, short: bool) -> Iterator[Column]:
    """Go through the columns, wide enough for figures and titles, and together for the name above them."""
    for group, found in groupby(columns, key=lambda column: column.group):
        members = list(found)
        room = min(len(group), LONGEST_SHORT_NAME if short else LONGEST_NAME) - gap * (len(members) - 1)
        share = -(-room // len(members))
        for column in members:
            title = SHORT_TITLES.get(column.title, column.title) if short else column.title
            yield replace(column, title=title, width=max(column.width, len(title), share))


def _all_columns(record: Record) -> list[Column]:
    columns = [Column("iteration", "", "iteration", 0, 9), Column("epoch", "", "epoch", 1000, 6)]
    decisive = decisive_split(record)
    for rank, (name, splits) in enumerate(splits_by_name(record).items()):  # the loss, and then the metrics
        for split in splits:
            ranks = (1, 2, *range(4, 4 + rank)) if split == decisive else (3, *range(2000, 2000 + rank))
            columns.append(Column(f"{split}_{name}", name, split, ranks[rank], FIGURE_WIDTH))
    return columns


NARROWEST_BAR = 10
WIDEST_BAR = 40


class ProgressBar:
    """How far a run has come; what doesn't fit is left out.

    Attributes:
        loss: the loss of the last step; None before the first.
        record: the last evaluation.
    """

    def __init__(self, total: int | None, pace: Throughput, step: int = 0, name: str = "") -> None:
        self.total = total
        self.pace = pace
        self.step = step
        self.name = name
        self.loss: float | None = None
        self.record: Record = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw one line with the name; or a blank line, the bar, and the figures."""
        width = options.max_width - (len(self.name) + 1 if self.name else 0)
        beside = fitting(self._beside_the_bar(), width if self.total is None else width - NARROWEST_BAR - 1)
        yield Segment(f"{self.name} ") if self.name else Text()
        if self.total is not None and width > (NARROWEST_BAR if self.name else 1):
            length = min(WIDEST_BAR, width - len(beside) - 1)
            yield from bar(console, options, self.step, self.total, length)
            yield Segment(" ")
        yield Text(beside, no_wrap=True)
        if not self.name:
            yield Text(fitting(self._figures(), width), "dim", no_wrap=True)

    def _beside_the_bar(self) -> Iterator[str]:
        yield f"{self.step:,} steps" if self.total is None else f"{self.step:,} of {self.total:,}"
        if self.name and self.loss is not None:
            yield f"loss {figure(self.loss)}"
        left = self.pace.seconds_left(self.step)
        if left != float("inf"):
            yield f"{duration(left)} left"

    def _figures(self) -> Iterator[str]:
        yield f"loss {figure(nan if self.loss is None else self.loss)}"
        metric = next((key for key in self.record if is_result(key) and not key.endswith("_loss")), None)
        if metric is not None:
            yield f"{metric.replace('_', ' ')} {figure(self.record[metric])}"
        yield f"{self.pace.steps_per_second(self.step):,.0f} steps/s"


def fitting(parts: Iterator[str], width: int) -> str:
    """Return the first parts, as many as fit."""
    longer = accumulate(parts, "{}   {}".format)
    return next(reversed([*takewhile(lambda text: len(text) <= width, longer)]), "")


AROUND_THE_ROWS: Final = 8
"""Lines of a terminal that no row of the table may take: title, blank line, headings, the bar, and the cursor."""

PLAIN, DIM, BEST = Style.null(), Style(dim=True), Style(bold=True, color="green")
NOTE = Style(color="yellow")


class Screen(Display):
    """A table of evaluations with the best one marked; or of several runs, a line for each that is over.

    Below them is a bar for each run in training. It is drawn at the events of the trainings, and
    not by a thread, which would take time from them.
    """

    def __init__(
        self, title: str, folder: str, names: RunNames | None = None, clock: Callable[[], float] = time.perf_counter
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
        title, folder = map(printable, self._heading)
        self._area.print_line(Text.assemble((title, "bold"), (f"  {folder}", "dim")))
        return self

    def __exit__(self, *error: object) -> None:
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
