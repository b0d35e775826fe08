"""What came of a run, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.cli.figures import figures
from mlpkit.cli.output import message, result

if TYPE_CHECKING:
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
