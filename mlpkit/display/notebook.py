"""Trainings in a notebook: one output of the cell, rewritten during training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any, Final

from mlpkit.components.schedule import Progress
from mlpkit.display.display import Throughput
from mlpkit.pages.evaluations import Evaluations
from mlpkit.pages.notebook_tables import history_html
from mlpkit.terminal.figures import duration, figure
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import Observer, ObserverGroup, python_warnings
from mlpkit.training.health import Symptom

MOST_ROWS: Final = 10
SECONDS_BETWEEN_DRAWINGS: Final = 0.2
SHORT: Final = 10
"""Trainings of fewer seconds are timed more precisely."""


def notebook_display(*, quiet: bool = False) -> Observer | None:
    """Return what shows a training in the notebook that runs this code; None elsewhere, which may have no IPython."""
    running = None if quiet else sys.modules.get("IPython")
    if running is None or getattr(running.get_ipython(), "kernel", None) is None:
        return None
    from IPython.display import display  # noqa: PLC0415 - only a notebook has it

    return Notebook(display)


def default_observer(*, quiet: bool = False) -> Observer:
    """Return what turns warnings into Python's, and shows progress in a notebook; see ``notebook_display``."""
    display = notebook_display(quiet=quiet)
    return ObserverGroup((python_warnings(), display)) if display else python_warnings()


class Notebook(Observer):
    """A progress bar with a table of evaluations below it."""

    def __init__(self, display: Callable[..., Any], clock: Callable[[], float] = time.perf_counter) -> None:
        self._display, self._clock = display, clock
        self._output: Any = None
        self._notes: dict[tuple[str, str], str] = {}
        self._step = 0
        self._loss: float | None = None
        self._took: float | None = None
        self._total: int | None = None
        self._pace = Throughput(None)
        self._evaluations = Evaluations()
        self._began = self._drawn_at = clock()

    def resumed(self, step: int) -> None:
        """Let the bar start where the run continues."""
        self._step = step

    def monitored(self, tracker: BestTracker) -> None:
        """Mark the best of the evaluations to come."""
        self._evaluations.monitored(tracker)

    def started(self, total_steps: int | None) -> None:
        """Start the clock, and show the bar; the total is that of the whole training, if it is known."""
        self._total, self._began = total_steps, self._clock()
        self._pace = Throughput(total_steps, self._step, self._clock)
        self._output = self._display(self, display_id=True)
        self._drawn_at = self._clock()

    def stepped(self, progress: Progress, loss: float) -> None:
        """Move the bar."""
        self._step, self._loss = progress.step, loss
        self._draw_if_due()

    def evaluated(self, record: Record, seconds: float) -> None:
        """Add a row to the table."""
        self._evaluations.add(record)
        self._step = int(record["iteration"])
        self._draw_if_due()

    def diagnosed(self, symptom: Symptom) -> None:
        """Add a line about a symptom, the first time that it is noticed."""
        self._notes.setdefault((symptom.name, symptom.layer), f"note: {symptom}")
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
        """Return how far the run has come, where HTML isn't shown."""
        done = "1 step" if self._step == 1 else f"{self._step:,} steps"
        if self._total not in {None, self._step}:
            done = f"{self._step:,} of {self._total:,} steps"
        if self._took is not None:
            best = self._evaluations.best_line()
            took = f"{self._took:.2g} s" if self._took < SHORT else duration(self._took)
            return f"{done} in {took}" + (f"; {best}" if best else "")
        loss = [] if self._loss is None else [f"loss {figure(self._loss)}"]
        left = self._pace.seconds_left(self._step)
        return ", ".join([done, *loss, *([f"{duration(left)} left"] if left < float("inf") else [])])

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes.values())
        records, best = self._evaluations.records, self._evaluations.best_position
        table = (history_html(records, best, MOST_ROWS) if records else "") + notes
        if self._took is not None:
            return f"{table}<div>{escape(repr(self))}</div>"
        size = f'value="{self._step}" max="{self._total}" style="width: 40%; margin-right: 1em"'
        bar = f"<progress {size}></progress>" if self._total else ""
        return f"<div>{bar}{escape(repr(self))}</div>{table}"
