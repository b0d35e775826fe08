"""Shows trainings: the base of the displays, what the runs are called, how fast they go, and how one ended."""

from __future__ import annotations

import shlex
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlpkit.errors import StorageError
from mlpkit.terminal.figures import duration, figures
from mlpkit.terminal.formatting import line_length, paragraph, shortened
from mlpkit.terminal.output import OutputClosedError, diagnostic, message, print_warnings, result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Self

    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.train import Run
    from mlpkit.training.events import Event, Listener, StopRequest, TrainingEnd
    from mlpkit.training.health import Symptom

LONGEST_NAME: Final = 32
"""Characters of a run's name next to its bar."""


class RunNames:
    """Names of runs by their numbers, such as ``seed 3``; a single run has none.

    Attributes:
        runs: the run folders by number, once training has started.
    """

    def __init__(self, what: str = "") -> None:
        self.what = what
        self.runs: Mapping[int, Path] = {}

    def name(self, run: int) -> str:
        """Return the name of a run."""
        return f"{self.what} {run}"

    def label(self, run: int) -> str:
        """Return the first words of a line about a run."""
        return f"{self.name(run)}: " if self.what else ""

    def aligned(self, run: int) -> str:
        """Return the name of a run, padded to the longest."""
        return f"{self.what} {run:{max(len(str(each)) for each in self.runs)}}" if self.what else ""

    def plain(self, run: int) -> dict[str, Any]:
        """Return what identifies a run, as plain data."""
        return {self.what: run} if self.what else {}


class FolderNames(RunNames):
    """Names of runs by their folders, such as ``digits`` or ``digits/seed-3``."""

    def __init__(self, parent: Path) -> None:
        super().__init__("run")
        self._parent = parent

    def name(self, run: int) -> str:
        """Return the path of a run."""
        return str(self.runs[run].relative_to(self._parent))

    def aligned(self, run: int) -> str:
        """Return the path of a run, padded to the longest; the middle of a long one is left out."""
        width = min(LONGEST_NAME, max(len(self.name(each)) for each in self.runs))
        return f"{shortened(self.name(run), LONGEST_NAME):{width}}"

    def plain(self, run: int) -> dict[str, Any]:
        """Return the folder of a run."""
        return {"run": self.runs[run]}


class Display:
    """Shows one training or several: warnings and errors only; the end of ``with`` leaves the terminal as it was.

    An event calls the method of its kind, if there is one, with the number of the run and the event's data.
    """

    def __init__(self, names: RunNames | None = None) -> None:
        self.names = names or RunNames()
        self._first_with: dict[str, int] = {}
        self._symptoms: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the terminal as it was."""

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        show = getattr(self, event.kind, None)
        if show is not None:
            show(event.run, *event.data)

    def interrupted(self) -> None:
        """A signal came; called from its handler, between any two instructions."""

    def warned(self, run: int, warning: Diagnostic) -> None:
        """Print it."""
        print_warnings([warning])

    def began(self, run: int, runs: Mapping[int, Path], at_once: int) -> None:
        """Remember the folders of several runs."""
        self.names.runs = runs

    def noticed(self, run: int, message: str) -> None:
        """Print a warning."""
        self._print_problem(run, message, "warning", "yellow")

    def over(self, run: int, end: TrainingEnd) -> None:
        """Print why one of several runs failed."""
        if end.failure:
            self._print_problem(run, end.failure, "error", "red")

    def finished(self, outcome: Outcome) -> None:
        """Show the results."""

    def _note(self, run: int, symptom: Symptom) -> str:
        """Return a line about a symptom, of the first run that has it; empty for later runs."""
        known = (symptom.name, symptom.layer)
        if known in self._symptoms:
            return ""
        self._symptoms.add(known)
        return f"note: {self.names.label(run)}{symptom}"

    def _print_problem(self, run: int, text: str, label: str, colour: str) -> None:
        """Print what is wrong with a run, in short if another run had it already."""
        first = self._first_with.setdefault(text, run)
        shown = text if first == run else f"the same as {self.names.name(first)}"
        diagnostic(f"{label}: {self.names.label(run)}{shown}", colour)


class MuteWhenClosed:
    """Passes events on to a display; if its output can't be written, training ends in order, and can be resumed."""

    def __init__(self, display: Listener, stop: StopRequest) -> None:
        self._display, self._stop = display, stop
        self._error: OutputClosedError | StorageError | None = None

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        if self._error is None:
            try:
                self._display(event)
            except (OutputClosedError, StorageError) as error:
                self._error = error
                self._stop.stop("output that can't be written")

    def raise_if_unwritable(self) -> None:
        """Raise what kept the output from being written, if anything did."""
        if self._error is not None:
            raise self._error


class Throughput:
    """The average pace since the start, evaluations included: the rest is evaluated as often."""

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


class Outcome(NamedTuple):
    """How one training or several ended.

    Args:
        stopped: why it was stopped before its end; empty if it was not.
        plain: the last event of ``--json``, without its name.
        print_results: prints the results. It takes a line about the best evaluation, which may be empty, and the time
            in seconds if it was measured.
        print_stop: prints why it was stopped, and how to resume it; None if nothing is left to do.
        next_command: the command that most people want now; empty if it was stopped.
    """

    stopped: str
    plain: dict[str, Any]
    print_results: Callable[[str, float | None], None]
    print_stop: Callable[[], None] | None
    next_command: str = ""


def of_run(run: Run) -> Outcome:
    """Return how a single run ended."""
    if run.stopped:
        plain = {"steps": run.steps, "reason": run.stopped, "folder": run.folder}
        return Outcome(run.stopped, plain, partial(_print_run, run), partial(_print_stop, run))
    reason = {"reason": run.ended} if run.ended else {}
    plain = {"steps": run.steps, "metrics": run.metrics, "folder": run.folder, **reason}
    return Outcome("", plain, partial(_print_run, run), None, f"mlpkit predict {shlex.quote(str(run.folder))} FILE")


def _print_run(run: Run, best: str, seconds: float | None) -> None:
    if run.stopped:
        _print_stop(run)
        return
    if run.ended:
        result(f"stopped early, after step {run.steps}: {run.ended}")
    if best:
        result(best)
    if "test" in run.metrics:
        result("\n".join(paragraph(f"test {figures(run.metrics['test'])}", width=line_length())))
    for leak in run.leaks:
        message(f"note: {leak}")
    result(f"saved in {run.folder}" + ("" if seconds is None else f", after {duration(seconds)}"))


def _print_stop(run: Run) -> None:
    message(f"stopped after step {run.steps} by {run.stopped}; saved in {run.folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(run.folder))}")


def results_of(end: TrainingEnd) -> str:
    """Return the results of a finished run."""
    return f"test {figures(end.metrics['test'])}" if "test" in end.metrics else "finished"
