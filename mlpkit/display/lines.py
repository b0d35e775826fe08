"""A training as lines of text, or of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.display.display import Display, print_outcome, print_stop
from mlpkit.pages.evaluations import is_worth_a_line
from mlpkit.terminal.figures import figure
from mlpkit.terminal.output import diagnostic, document, message, result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.jobs.training_job import Run
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Symptom


NARROWEST_COLUMN = 8


class Lines(Display):
    """A line for an evaluation, its figures below the names that they have in ``history.jsonl``.

    The first ten have a line each, later ones ever more seldom, and the last has one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._held_back: Record | None = None

    def resumed(self, step: int) -> None:
        """Say where the run goes on."""
        message(f"going on after step {step}")

    def evaluated(self, record: Record, seconds: float) -> None:
        """Print the line, if it is due, and before the first one the heading."""
        super().evaluated(record, seconds)
        if is_worth_a_line(len(self.records)):
            self._print(record)
            self._held_back = None
        else:
            self._held_back = record

    def diagnosed(self, symptom: Symptom) -> None:
        """Print what is not as it should be, and what to try."""
        diagnostic(f"note: {symptom}", "yellow")

    def ended(self) -> None:
        """Print the line of the last evaluation."""
        if self._held_back is not None:
            self._print(self._held_back)

    def finished(self, run: Run) -> None:
        """Print the best value, the figures of the test split, and the folder."""
        print_outcome(run, best=self.best_line())

    def _print(self, record: Record) -> None:
        if not self._names:
            self._names = column_names(record)
            result(line_of({name: name for name in self._names}))
        result(line_of(cells_of(record, self._names)))


def column_names(record: Record) -> list[str]:
    """Return the names of the figures that a line shows."""
    return [name for name in record if name != "learning_rate"]


def cells_of(record: Record, names: Sequence[str]) -> dict[str, str]:
    """Return the figures of an evaluation as texts."""
    cells = {name: figure(record[name]) for name in names}
    return cells | {"iteration": str(record["iteration"]), "epoch": f"{record['epoch']:.2f}"}


def line_of(cells: Mapping[str, str]) -> str:
    """Return a line with each text below the name of its figure."""
    return "  ".join(cell.rjust(max(len(name), NARROWEST_COLUMN)) for name, cell in cells.items())


class JsonEvents(Display):
    """One JSON object an event.

        {"event": "resumed", "step": 4000}                   the first, where a run goes on from a checkpoint
        {"event": "started", "steps": 10000}                 null where a time is set
        {"event": "evaluation", "iteration": 500, ...}       as in history.jsonl
        {"event": "symptom", "name": "dead_units", "layer": "Relu1", ...}    what ``mlpkit doctor`` says of it
        {"event": "done", "steps": 10000, "metrics": {"test": {"loss": 0.1, ...}, ...}, "folder": "runs/x"}
        {"event": "done", ..., "reason": "no better for 5 evaluations"}    where a callback ended the run early
        {"event": "stopped", "steps": 1234, "reason": "SIGINT", "folder": "runs/x"}

    The last event is ``done`` or ``stopped``; a run that fails has neither. No event has a time in it, so that
    the same spec gives the same text; times are in ``timing.jsonl``.
    """

    def resumed(self, step: int) -> None:
        """Print the event."""
        document({"event": "resumed", "step": step})

    def started(self, total_steps: int | None) -> None:
        """Print the event."""
        document({"event": "started", "steps": total_steps})

    def evaluated(self, record: Record, seconds: float) -> None:
        """Print the event."""
        document({"event": "evaluation", **record})

    def diagnosed(self, symptom: Symptom) -> None:
        """Print the event."""
        document({"event": "symptom", **symptom.to_plain()})

    def finished(self, run: Run) -> None:
        """Print the last event."""
        if run.stopped:
            document({"event": "stopped", "steps": run.steps, "reason": run.stopped, "folder": run.folder})
            print_stop(run)
        else:
            reason = {"reason": run.ended} if run.ended else {}
            document({"event": "done", "steps": run.steps, "metrics": run.metrics, "folder": run.folder, **reason})
