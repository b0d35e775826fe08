"""Trainings in a notebook: one output of the cell, rewritten during training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, Final

from mlpkit.components.schedule import Progress
from mlpkit.display.display import RunNames, Throughput
from mlpkit.pages.evaluations import Evaluations
from mlpkit.pages.notebook_tables import history_html
from mlpkit.terminal.figures import duration, figure, figures
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import Event, Observer, ObserverGroup, TrainingEnd, python_warnings
from mlpkit.training.health import Symptom

MOST_ROWS: Final = 10
SECONDS_BETWEEN_DRAWINGS: Final = 0.2
SHORT: Final = 10
"""Trainings of fewer seconds are timed more precisely."""


def notebook_display(what: str = "", *, quiet: bool = False) -> Observer | None:
    """Return what shows a training in the notebook that runs this code; None elsewhere."""
    display = None if quiet else notebook_output()
    return None if display is None else ObserverGroup([Notebook(display, what=what)])


def default_observer(what: str = "", *, quiet: bool = False) -> Observer:
    """Return what turns warnings into Python's, and shows progress in a notebook; see ``notebook_display``."""
    display = notebook_display(what, quiet=quiet)
    return ObserverGroup((python_warnings(what), display)) if display else python_warnings(what)


def notebook_output() -> Callable[..., Any] | None:
    """Return IPython's ``display`` in a notebook; None elsewhere, where IPython isn't even imported."""
    running = sys.modules.get("IPython")
    shell = None if running is None else running.get_ipython()
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    return display


class Notebook:
    """A progress bar with a table of evaluations below it; of several runs, a row each."""

    def __init__(
        self, display: Callable[..., Any], clock: Callable[[], float] = time.perf_counter, *, what: str = ""
    ) -> None:
        self._display, self._clock, self._names = display, clock, RunNames(what)
        self._output: Any = None
        self._rows = {} if what else {0: _Row(clock)}
        self._notes: dict[tuple[str, str], str] = {}
        self._drawn_at = clock()

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        show = getattr(self, event.kind, None)
        if show is not None:
            show(event.run, *event.data)

    def began(self, run: int, runs: Mapping[int, Path], at_once: int) -> None:
        """Show a row for each of several runs."""
        self._rows = {number: _Row(self._clock) for number in runs}
        self._output = self._display(self, display_id=True)

    def resumed(self, run: int, step: int) -> None:
        """Let the bar start where the run continues."""
        self._rows[run].step = step

    def monitored(self, run: int, tracker: BestTracker) -> None:
        """Mark the best of the evaluations to come."""
        self._rows[run].evaluations.monitored(tracker)

    def started(self, run: int, total_steps: int | None) -> None:
        """Show the bar of a run."""
        self._rows[run].start(total_steps)
        if self._output is None:
            self._output = self._display(self, display_id=True)
            self._drawn_at = self._clock()
        else:
            self._draw()

    def stepped(self, run: int, progress: Progress, loss: float) -> None:
        """Move the bar of a run."""
        self._rows[run].step, self._rows[run].loss = progress.step, loss
        self._draw_if_due()

    def evaluated(self, run: int, record: Record, seconds: float) -> None:
        """Add a row to the table."""
        self._rows[run].evaluations.add(record)
        self._rows[run].step = int(record["iteration"])
        self._draw_if_due()

    def diagnosed(self, run: int, symptom: Symptom) -> None:
        """Add a line about a symptom of the first run that has it."""
        self._notes.setdefault((symptom.name, symptom.layer), f"note: {self._names.label(run)}{symptom}")
        self._draw_if_due()

    def ended(self, run: int) -> None:
        """Leave the table, and a line in place of the bar."""
        self._rows[run].stop()
        self._draw()

    def over(self, run: int, end: TrainingEnd) -> None:
        """Leave the result in the row of a run; a failure that another run had already is in short."""
        first = next((each for each, row in self._rows.items() if row.end and row.end.failure == end.failure), None)
        known = end.failure and first is not None
        self._rows[run].end = replace(end, failure=f"the same as {self._names.name(first or 0)}") if known else end
        self._draw()

    def _draw_if_due(self) -> None:
        if self._clock() - self._drawn_at >= SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        if self._output is not None:
            self._output.update(self)
        self._drawn_at = self._clock()

    def __repr__(self) -> str:
        """Return how far the runs have come, where HTML isn't shown."""
        return "\n".join(f"{self._names.label(run)}{row}" for run, row in self._rows.items())

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes.values())
        if self._names.what:
            left = ' style="text-align: left"'
            rows = "".join(
                f"<tr><td>{self._names.name(run)}</td><td{left}>{row.bar}{escape(str(row))}</td></tr>"
                for run, row in self._rows.items()
            )
            return f"<table><tbody>{rows}</tbody></table>{notes}"
        (row,) = self._rows.values()
        records, best = row.evaluations.records, row.evaluations.best_position
        table = (history_html(records, best, MOST_ROWS) if records else "") + notes
        line = f"<div>{row.bar}{escape(str(row))}</div>"
        return table + line if row.took is not None else line + table


class _Row:
    """How far a run has come, and how it ended; None for what isn't known yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.step = 0
        self.loss: float | None = None
        self.took: float | None = None
        self.end: TrainingEnd | None = None
        self.evaluations = Evaluations()
        self._clock = clock
        self._pace: Throughput | None = None
        self._total: int | None = None
        self._began = clock()

    def start(self, total: int | None) -> None:
        """Start the clock; total is the number of steps of the whole training, if that is known."""
        self._total, self._began = total, self._clock()
        self._pace = Throughput(total, self.step, self._clock)

    def stop(self) -> None:
        """Note that training has ended."""
        self.took = self._clock() - self._began

    def __str__(self) -> str:
        if self.end is not None:
            return _outcome(self.end)
        if self._pace is None:
            return "not started yet"
        done = "1 step" if self.step == 1 else f"{self.step:,} steps"
        if self._total not in {None, self.step}:
            done = f"{self.step:,} of {self._total:,} steps"
        if self.took is not None:
            best = self.evaluations.best_line()
            took = f"{self.took:.2g} s" if self.took < SHORT else duration(self.took)
            return f"{done} in {took}" + (f"; {best}" if best else "")
        loss = [] if self.loss is None else [f"loss {figure(self.loss)}"]
        left = self._pace.seconds_left(self.step)
        return ", ".join([done, *loss, *([f"{duration(left)} left"] if left < float("inf") else [])])

    @property
    def bar(self) -> str:
        """The bar of a run that trains, as HTML; or nothing."""
        if not (self._pace and self._total) or self.end is not None or self.took is not None:
            return ""
        return f'<progress value="{self.step}" max="{self._total}" style="width: 40%; margin-right: 1em"></progress>'


def _outcome(end: TrainingEnd) -> str:
    if end.failure:
        return f"failed: {end.failure}"
    if end.stopped:
        return f"stopped after {end.steps:,} steps"
    split, found = next(iter(end.metrics.items()))
    return f"{end.steps:,} steps: {split} {figures(found)}"
