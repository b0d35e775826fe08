"""What happens while several runs are trained, and who shows it in Python."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from mlpkit.display.notebook import SECONDS_BETWEEN_DRAWINGS, html_bar, notebook_output
from mlpkit.display.throughput import Throughput
from mlpkit.groups.training_process import SYMPTOM
from mlpkit.terminal.figures import duration, figure, figures
from mlpkit.training.health import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlpkit.errors import Diagnostic
    from mlpkit.groups.training_process import TrainingEnd
    from mlpkit.training.evaluation import Record


class RunsObserver:
    """Receives what happens while several runs are trained; every method is a no-op by default.

    The first argument of an event of a run is its number: its seed, or its place in an ensemble.
    """

    def warned(self, warning: Diagnostic) -> None:
        """The spec's data is most likely not as meant; called before training."""

    def began(self, runs: Mapping[int, Path], at_once: int) -> None:
        """Training begins.

        Args:
            runs: the run folders, by number.
            at_once: how many train at once at most.
        """

    def resumed(self, number: int, step: int) -> None:
        """A run will go on from a checkpoint after that step; called before ``started``."""

    def started(self, number: int, total_steps: int | None) -> None:
        """The training of a run begins; None steps in all if it ends after a time."""

    def stepped(self, number: int, step: int, loss: float) -> None:
        """So many steps of a run are done; called at most ten times a second."""

    def evaluated(self, number: int, record: Record, seconds: float) -> None:
        """An evaluation of a run was done, ``seconds`` after its training began."""

    def noticed(self, number: int, message: str) -> None:
        """Something is not as it should be, but the run goes on."""

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Something about the training of a run is not as it should be; called once a run for each symptom."""

    def over(self, number: int, end: TrainingEnd) -> None:
        """A run is finished, or was stopped, or has failed."""


def tell(observer: RunsObserver, number: int, event: str, arguments: Sequence[Any]) -> None:
    """Tell of an event of a run as an ``EventSender`` sends it.

    Args:
        observer: receives it.
        number: the number of the run.
        event: the method of the observer.
        arguments: its arguments after the number.
    """
    getattr(observer, event)(number, *([Symptom.from_plain(*arguments)] if event == SYMPTOM else arguments))


class RunsWarnings(RunsObserver):
    """Turns what goes wrong into Python's warnings.

    Args:
        what: what the number of a run is, such as ``seed``.
    """

    def __init__(self, what: str = "seed") -> None:
        self._what = what

    def warned(self, warning: Diagnostic) -> None:
        """Warn."""
        warnings.warn(str(warning), stacklevel=4)

    def noticed(self, number: int, message: str) -> None:
        """Warn."""
        warnings.warn(f"{self._what} {number}: {message}", stacklevel=4)

    def over(self, number: int, end: TrainingEnd) -> None:
        """Warn of a run that failed."""
        if end.failure:
            warnings.warn(f"{self._what} {number}: {end.failure}", stacklevel=4)


def runs_observer(what: str = "seed", *, quiet: bool = False) -> RunsObserver:
    """Return what shows several runs in the notebook that runs this code; elsewhere, what only warns.

    Args:
        what: what the number of a run is.
        quiet: whether to show no progress in a notebook.
    """
    display = None if quiet else notebook_output()
    return RunsWarnings(what) if display is None else RunsNotebook(display, what=what)


@dataclass
class _RunRow:
    """How far a run has come.

    Args:
        pace: how fast it goes; None before it begins.
        total: steps that the whole training takes, if that is known.
        step: steps done.
        loss: the loss of the last step; None before the first.
        end: how it ended; None before that.
    """

    pace: Throughput | None = None
    total: int | None = None
    step: int = 0
    loss: float | None = None
    end: TrainingEnd | None = None

    def __str__(self) -> str:
        """Say how far it has come, or what came of it."""
        if self.end is not None:
            return self._outcome(self.end)
        if self.pace is None:
            return "not begun yet"
        left = self.pace.seconds_left(self.step)
        said = [f"{self.step:,}{'' if self.total is None else f' of {self.total:,}'} steps"]
        said += [] if self.loss is None else [f"loss {figure(self.loss)}"]
        return ", ".join([*said, *([f"{duration(left)} left"] if left < float("inf") else [])])

    def _outcome(self, end: TrainingEnd) -> str:
        if end.failure:
            return f"failed: {end.failure}"
        if end.stopped:
            return f"stopped after {end.steps:,} steps"
        split, found = next(iter(end.metrics.items()))
        return f"{end.steps:,} steps: {split} {figures(found)}"

    @property
    def bar(self) -> str:
        """The bar of a run that trains, as HTML; or nothing."""
        return html_bar(self.step, self.total) if self.pace and self.total and self.end is None else ""


class RunsNotebook(RunsWarnings):
    """One output of a notebook's cell: a row for each number, a bar while it trains, and its results in the end.

    Args:
        display: IPython's ``display``.
        clock: returns a time in seconds.
        what: what the number of a run is.
    """

    def __init__(
        self, display: Callable[..., Any], clock: Callable[[], float] = time.perf_counter, *, what: str = "seed"
    ) -> None:
        super().__init__(what)
        self._display = display
        self._clock = clock
        self._output: Any = None
        self._rows: dict[int, _RunRow] = {}
        self._symptoms: dict[tuple[str, str], str] = {}
        self._drawn_at = clock()

    def began(self, runs: Mapping[int, Path], at_once: int) -> None:
        """Show a row for each run."""
        self._rows = {number: _RunRow() for number in runs}
        self._output = self._display(self, display_id=True)

    def resumed(self, number: int, step: int) -> None:
        """Begin the bar where the run goes on."""
        self._rows[number].step = step

    def started(self, number: int, total_steps: int | None) -> None:
        """Show the bar of a run."""
        row = self._rows[number]
        row.total, row.pace = total_steps, Throughput(total_steps, row.step, self._clock)
        self._draw()

    def stepped(self, number: int, step: int, loss: float) -> None:
        """Move the bar of a run."""
        self._rows[number].step, self._rows[number].loss = step, loss
        if self._clock() - self._drawn_at >= SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Add a line about what is not as it should be, of the first run that has it."""
        self._symptoms.setdefault((symptom.name, symptom.layer), f"note: {self._what} {number}: {symptom}")

    def over(self, number: int, end: TrainingEnd) -> None:
        """Leave in the row what came of the run; why it failed is said once."""
        first = next((each for each, row in self._rows.items() if row.end and row.end.failure == end.failure), None)
        known = end.failure and first is not None
        self._rows[number].end = replace(end, failure=f"the same as {self._what} {first}") if known else end
        self._draw()

    def _draw(self) -> None:
        self._output.update(self)
        self._drawn_at = self._clock()

    def __repr__(self) -> str:
        """Say how far the runs have come, where HTML isn't shown."""
        return "\n".join(f"{self._what} {number}: {row}" for number, row in self._rows.items())

    def _repr_html_(self) -> str:
        left = ' style="text-align: left"'
        rows = (
            f"<tr><td>{self._what} {number}</td><td{left}>{row.bar}{escape(str(row))}</td></tr>"
            for number, row in self._rows.items()
        )
        notes = (f"<div>{escape(note)}</div>" for note in self._symptoms.values())
        return f"<table><tbody>{''.join(rows)}</tbody></table>{''.join(notes)}"
