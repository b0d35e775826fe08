"""Shows a training run as plain lines: a heading, then a line an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.cli.figures import figure
from mlpkit.cli.output import message, result
from mlpkit.cli.training.display import Display
from mlpkit.cli.training.outcome import tell_outcome

if TYPE_CHECKING:
    from mlpkit.jobs.training_job import Run
    from mlpkit.training.history import Record

NARROWEST_COLUMN = 8


class Lines(Display):
    """One line an evaluation, its figures below the names that they have in ``history.jsonl``."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def resumed(self, step: int) -> None:
        """Say where the run goes on."""
        message(f"going on after step {step}")

    def evaluated(self, record: Record, seconds: float) -> None:
        """Print the line, and before the first one the heading."""
        if not self._names:
            self._names = [name for name in record if name != "learning_rate"]
            result(self._line({name: name for name in self._names}))
        cells = {name: figure(record[name]) for name in self._names}
        cells |= {"iteration": str(record["iteration"]), "epoch": f"{record['epoch']:.2f}"}
        result(self._line(cells))

    def finished(self, run: Run) -> None:
        """Print the figures of the test split, and the folder."""
        tell_outcome(run)

    def _line(self, cells: dict[str, str]) -> str:
        return "  ".join(cells[name].rjust(max(len(name), NARROWEST_COLUMN)) for name in self._names)
