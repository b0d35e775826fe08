"""Training several runs on a terminal: a bar for each run that trains, and a line for each that is over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Group
from rich.segment import Segment
from rich.text import Text

from mlpkit.display.progress_bar import NARROWEST_BAR, WIDEST_BAR, fitting
from mlpkit.display.runs_lines import RunsDisplay, print_average, print_summary, results_of
from mlpkit.display.specs_lines import print_specs
from mlpkit.display.throughput import Throughput
from mlpkit.terminal.figures import duration, figure
from mlpkit.terminal.live_area import (
    SECONDS_BETWEEN_DRAWINGS,
    LiveArea,
    bar,
    show_cursor,
)
from mlpkit.terminal.output import result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console, ConsoleOptions, RenderResult

    from mlpkit.display.runs_lines import RunNames
    from mlpkit.groups.ensemble import EnsembleRun
    from mlpkit.groups.seeds import SeedRuns
    from mlpkit.groups.several_specs import SpecResults
    from mlpkit.groups.training_process import TrainingEnd
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Symptom


@dataclass
class RunBar:
    """How far a run has come, on one line; what does not fit is left out.

    Args:
        name: what stands before the bar.
        total: steps that the whole training takes, if that is known; there is no bar otherwise.
        pace: how fast it goes.
        step: steps done.
        loss: the loss of the last step; None before the first.
    """

    name: str
    total: int | None
    pace: Throughput
    step: int = 0
    loss: float | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the line."""
        width = options.max_width - len(self.name) - 1
        beside = fitting(self._beside(), width if self.total is None else width - NARROWEST_BAR - 1)
        yield Segment(f"{self.name} ")
        if self.total is not None and width > NARROWEST_BAR:
            length = min(WIDEST_BAR, width - len(beside) - 1)
            yield from bar(console, options, self.step, self.total, length)
            yield Segment(" ")
        yield Text(beside, no_wrap=True)

    def _beside(self) -> Iterator[str]:
        yield f"{self.step:,} steps" if self.total is None else f"{self.step:,} of {self.total:,}"
        if self.loss is not None:
            yield f"loss {figure(self.loss)}"
        left = self.pace.seconds_left(self.step)
        if left != float("inf"):
            yield f"{duration(left)} left"


class RunsScreen(RunsDisplay):
    """A line for each run that is over; below them, while training goes on, a bar for each run that trains.

    It is drawn at the events of the trainings, and not from a thread of its own.

    Args:
        title: what is trained.
        folder: where it is kept.
        begun: called when training begins.
        clock: returns a time in seconds.
        names: what the runs are called.
    """

    def __init__(
        self,
        title: str,
        folder: str,
        begun: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
        names: RunNames | None = None,
    ) -> None:
        super().__init__(begun, names)
        self._heading = title, folder
        self._area = LiveArea()
        self._bars: dict[int, RunBar] = {}
        self._first_steps: dict[int, int] = {}
        self._waiting: set[int] = set()
        self._drawn_at = 0.0
        self._clock, self._began_at = clock, clock()

    def __enter__(self) -> RunsScreen:
        """Say what is about to be trained, before the data is read."""
        self._area.print_heading(*self._heading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away, and bring the cursor back."""
        self._area.stop()

    def interrupted(self) -> None:
        """Bring the cursor back now: the next signal ends the program at once."""
        show_cursor()

    def began(self, runs: Mapping[int, Path], at_once: int) -> None:
        """Say how many train at once, and wait for the first to begin."""
        super().began(runs, at_once)
        self._waiting = set(runs)
        how = f"{at_once} at once" if at_once > 1 else "one after the other"
        self._area.print_line(Text(f"{len(runs)} {self._names.plural}, {how}", "dim"))
        self._area.print_line(Text())
        self._area.start()

    def resumed(self, number: int, step: int) -> None:
        """Begin the bar where the run goes on."""
        self._first_steps[number] = step

    def started(self, number: int, total_steps: int | None) -> None:
        """Show the bar of a run."""
        first = self._first_steps.get(number, 0)
        self._waiting.discard(number)
        self._bars[number] = RunBar(self._names.aligned(number), total_steps, Throughput(total_steps, first), first)
        self._draw()

    def stepped(self, number: int, step: int, loss: float) -> None:
        """Move the bar of a run."""
        self._bars[number].step, self._bars[number].loss = step, loss
        self._draw_if_due()

    def evaluated(self, number: int, record: Record, seconds: float) -> None:
        """Move the bar of a run to the evaluation; steps just before it may be left out."""
        bar = self._bars[number]
        bar.step, bar.loss = int(record["iteration"]), record.get("train_loss", bar.loss)
        self._draw_if_due()

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Print it."""
        self._note(number, symptom)

    def over(self, number: int, end: TrainingEnd) -> None:
        """Leave a line of the run in place of its bar."""
        self._bars.pop(number, None)
        self._waiting.discard(number)
        if end.failure:
            super().over(number, end)
        elif not end.stopped:
            self._area.print_line(Text(f"{self._names.aligned(number)} {results_of(end)}"))
        self._draw()

    def finished(self, found: SeedRuns) -> None:
        """Print the mean results, the folder, and the time."""
        self._end(partial(print_summary, found), found.stopped)

    def averaged(self, run: EnsembleRun) -> None:
        """Print the results of the average, the folder, and the time."""
        self._end(partial(print_average, run), run.stopped)

    def all_over(self, results: SpecResults) -> None:
        """Print the table of the specs, and the time."""
        self._end(partial(print_specs, results), results.stopped)

    def _end(self, print_results: Callable[[], None], stopped: str) -> None:
        self._area.stop()
        self._area.print_line(Text())
        print_results()
        if not stopped:
            result(f"after {duration(self._clock() - self._began_at)}")

    def _print_problem(self, number: int, text: str, label: str, colour: str) -> None:
        """Print what is wrong with a run above the bars, which are taken away meanwhile."""
        self._area.print_above(lambda: super(RunsScreen, self)._print_problem(number, text, label, colour))

    def _draw_if_due(self) -> None:
        if time.perf_counter() - self._drawn_at > SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        bars = [self._bars[number] for number in sorted(self._bars)]
        waiting = [Text(f"{len(self._waiting)} more", "dim")] if self._waiting else []
        self._area.draw(Group(*bars, *waiting))
        self._drawn_at = time.perf_counter()
