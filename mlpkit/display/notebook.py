"""A training in a notebook: one output of the cell, rewritten while training goes on."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import TYPE_CHECKING, Any, Final

from mlpkit.display.throughput import Throughput
from mlpkit.pages.evaluations import Evaluations
from mlpkit.pages.history_html import history_html
from mlpkit.terminal.figures import duration, figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.components.schedule import Progress
    from mlpkit.training.evaluation import Record
    from mlpkit.training.events import Observer
    from mlpkit.training.health import Symptom

MOST_ROWS: Final = 10
SECONDS_BETWEEN_DRAWINGS: Final = 0.2
SHORT: Final = 10
"""Trainings of fewer seconds are timed more precisely."""


def notebook_display(*, quiet: bool = False) -> Observer | None:
    """Return what shows a training in the notebook that runs this code; None elsewhere.

    Args:
        quiet: whether nothing is to be shown.
    """
    display = None if quiet else notebook_output()
    return None if display is None else NotebookProgress(display)


def notebook_output() -> Callable[..., Any] | None:
    """Return IPython's ``display`` in a notebook; None elsewhere, where IPython isn't even imported."""
    running = sys.modules.get("IPython")
    shell = None if running is None else running.get_ipython()
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    return display


class NotebookProgress(Evaluations):
    """A progress bar with a table of evaluations below it; in the end, the table and a line.

    Args:
        display: IPython's ``display``.
        clock: returns a time in seconds.
    """

    def __init__(self, display: Callable[..., Any], clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self._display = display
        self._clock = clock
        self._output: Any = None
        self._step = self._first_step = 0
        self._total: int | None = None
        self._loss = float("nan")
        self._took: float | None = None
        self._symptoms: list[Symptom] = []
        self._began = self._drawn_at = clock()
        self._pace = Throughput(None)

    def resumed(self, step: int) -> None:
        """Begin the bar where the run goes on."""
        self._step = self._first_step = step

    def started(self, total_steps: int | None) -> None:
        """Show the bar."""
        self._total = total_steps
        self._began = self._drawn_at = self._clock()
        self._pace = Throughput(total_steps, self._first_step, self._clock)
        self._output = self._display(self, display_id=True)

    def stepped(self, progress: Progress, loss: float) -> None:
        """Move the bar."""
        self._step, self._loss = progress.step, loss
        self._draw_if_due()

    def evaluated(self, record: Record, seconds: float) -> None:
        """Add a row."""
        super().evaluated(record, seconds)
        self._step = int(record["iteration"])
        self._draw_if_due()

    def diagnosed(self, symptom: Symptom) -> None:
        """Add a line about what is not as it should be."""
        self._symptoms.append(symptom)
        self._draw_if_due()

    def ended(self) -> None:
        """Leave the table, and a line in place of the bar."""
        self._took = self._clock() - self._began
        self._draw()

    def _draw_if_due(self) -> None:
        if self._clock() - self._drawn_at >= SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        if self._output is not None:
            self._output.update(self)
        self._drawn_at = self._clock()

    def __repr__(self) -> str:
        """Say how far training has come, where HTML isn't shown."""
        done = "1 step" if self._step == 1 else f"{self._step:,} steps"
        if self._total not in {None, self._step}:
            done = f"{self._step:,} of {self._total:,} steps"
        if self._took is None:
            left = self._pace.seconds_left(self._step)
            return f"{done}, loss {figure(self._loss)}" + (f", {duration(left)} left" if left < float("inf") else "")
        best = self.best_line()
        took = f"{self._took:.2g} s" if self._took < SHORT else duration(self._took)
        return f"{done} in {took}" + (f"; {best}" if best else "")

    def _repr_html_(self) -> str:
        table = history_html(self.records, self.best_position, MOST_ROWS) if self.records else ""
        table += "".join(f"<div>{escape(f'note: {symptom}')}</div>" for symptom in self._symptoms)
        if self._took is not None:
            return f"{table}<div>{escape(repr(self))}</div>"
        bar = "" if self._total is None else html_bar(self._step, self._total)
        return f"<div>{bar}{escape(repr(self))}</div>{table}"


def html_bar(step: int, total: int) -> str:
    """Return a bar that shows how far a training has come."""
    return f'<progress value="{step}" max="{total}" style="width: 40%; margin-right: 1em"></progress>'
