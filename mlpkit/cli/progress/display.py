"""What came of a run, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.cli import output
from mlpkit.cli.exit_codes import print_warnings
from mlpkit.cli.formatting import figures
from mlpkit.cli.output import message, result
from mlpkit.training.events import Observer

if TYPE_CHECKING:
    from types import TracebackType

    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.training_job import Run


def tell_outcome(run: Run) -> None:
    """Print the figures of the test split and the run folder, and why the run was stopped or ended early."""
    if run.stopped:
        tell_stop(run)
        return
    if run.ended:
        result(f"ended after step {run.steps}: {run.ended}")
    if "test" in run.metrics:
        result(f"test {figures(run.metrics['test'])}")
    result(f"kept in {run.folder}")


def tell_stop(run: Run) -> None:
    """Print when and why a run was stopped, and how to go on with it."""
    message(f"stopped after step {run.steps} by {run.stopped}; kept in {run.folder}")
    message(f"go on with: mlpkit resume {run.folder}")


class Display(Observer):
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
        output.message(f"warning: {message}")

    def warned(self, warning: Diagnostic) -> None:
        """Print what the spec shouldn't say any more, whatever else is shown or not."""
        print_warnings([warning])

    def interrupted(self) -> None:
        """A signal came; called from its handler, between any two instructions."""

    def finished(self, run: Run) -> None:
        """Show what came of the run."""
