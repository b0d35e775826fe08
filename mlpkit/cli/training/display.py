"""What every way of showing a training run can do; by itself it shows nothing, as ``--quiet`` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.cli import output
from mlpkit.cli.failures import tell_warnings
from mlpkit.training.observer import Observer

if TYPE_CHECKING:
    from types import TracebackType

    from mlpkit.errors import SpecFault
    from mlpkit.jobs.training_job import Run


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

    def warned(self, warning: SpecFault) -> None:
        """Print what the spec shouldn't say any more, whatever else is shown or not."""
        tell_warnings([warning])

    def interrupted(self) -> None:
        """A signal came; called from its handler, between any two instructions."""

    def finished(self, run: Run) -> None:
        """Show what came of the run."""
