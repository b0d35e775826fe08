"""Showing a training: the base of the displays, and what they say at the end."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from mlpkit.errors import StorageError
from mlpkit.pages.evaluations import Evaluations
from mlpkit.terminal import output
from mlpkit.terminal.figures import duration, figures
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import OutputClosedError, message, print_warnings, result
from mlpkit.training.events import Observer, events_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.training_job import Run
    from mlpkit.training.events import StopRequest


def print_outcome(run: Run, *, best: str = "", seconds: float | None = None) -> None:
    """Print the figures of the test split and the run folder, and why the run was stopped or ended early.

    Args:
        run: the run.
        best: a line about its best evaluation, if there is anything to say.
        seconds: how long it took, to be printed; None if that isn't wanted.
    """
    if run.stopped:
        print_stop(run)
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


def print_stop(run: Run) -> None:
    """Print when and why a run was stopped, and how to go on with it."""
    message(f"stopped after step {run.steps} by {run.stopped}; saved in {run.folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(run.folder))}")


def next_command(run: Run) -> str:
    """Return the command that most people want after a training."""
    return f"mlpkit predict {shlex.quote(str(run.folder))} FILE"


class Display(Evaluations):
    """Shows a training run; the end of the ``with`` block leaves the terminal as it was."""

    def __enter__(self) -> Display:
        """Begin, before the data is read."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def noticed(self, message: str) -> None:
        """Print a warning, whatever else is shown or not."""
        output.diagnostic(f"warning: {message}", "yellow")

    def warned(self, warning: Diagnostic) -> None:
        """Print what the spec shouldn't say any more, whatever else is shown or not."""
        print_warnings([warning])

    def interrupted(self) -> None:
        """A signal came; called from its handler, between any two instructions."""

    def finished(self, run: Run) -> None:
        """Show what came of the run."""


class WhileWritable(Observer):
    """Passes events on to a display; if its output can't be written, training ends in order, and can be resumed.

    Args:
        display: shows the run.
        stop: asks training to end after the step it is in.
    """

    def __init__(self, display: Display, stop: StopRequest) -> None:
        self._stop = stop
        self._error: OutputClosedError | StorageError | None = None
        for event, show in events_of(display).items():
            setattr(self, event, partial(self._pass_on, show))

    def raise_if_unwritable(self) -> None:
        """Raise what kept the output from being written, if anything did.

        Raises:
            OutputClosedError: the reader has closed the pipe.
            StorageError: standard output can't be written.
        """
        if self._error is not None:
            raise self._error

    def _pass_on(self, show: Callable[..., None], *details: object) -> None:
        if self._error is None:
            try:
                show(*details)
            except (OutputClosedError, StorageError) as error:
                self._error = error
                self._stop.stop("output that can't be written")
