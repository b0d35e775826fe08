"""Trainings as lines of text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from mlpkit.display.display import Display, Outcome, RunNames, results_of
from mlpkit.pages.evaluations import Evaluations, is_worth_a_line
from mlpkit.terminal.figures import figure
from mlpkit.terminal.output import diagnostic, message, result
from mlpkit.training.checkpointing import BestTracker
from mlpkit.training.evaluation import Record
from mlpkit.training.events import TrainingEnd
from mlpkit.training.health import Symptom

NARROWEST_COLUMN = 8


class Lines(Display):
    """A line for an evaluation, its figures below the names that they have in ``history.jsonl``.

    The first ten of a run have a line each, later ones ever more seldom, and the last has one. If there are several
    runs, the figures follow the number of the run.
    """

    def __init__(self, names: RunNames | None = None, *, each_evaluation: bool = True) -> None:
        super().__init__(names)
        self._each_evaluation = each_evaluation
        self._columns: list[str] = []
        self._evaluations: dict[int, Evaluations] = defaultdict(Evaluations)
        self._held_back: dict[int, Record] = {}

    def resumed(self, run: int, step: int) -> None:
        """Print the step that the run continues from."""
        message(f"{self.names.label(run)}resuming after step {step}")

    def monitored(self, run: int, tracker: BestTracker) -> None:
        """Compare the evaluations to come."""
        self._evaluations[run].monitored(tracker)

    def evaluated(self, run: int, record: Record, seconds: float) -> None:
        """Print the line, if it is due, and before the first one the heading."""
        if self._each_evaluation:
            self._evaluations[run].add(record)
            self._held_back[run] = record
            if is_worth_a_line(len(self._evaluations[run].records)):
                self.ended(run)

    def diagnosed(self, run: int, symptom: Symptom) -> None:
        """Print a symptom, and what to try."""
        if note := self._note(run, symptom):
            diagnostic(note, "yellow")

    def ended(self, run: int) -> None:
        """Print the line of the last evaluation."""
        record = self._held_back.pop(run, None)
        if record is None:
            return
        if not self._columns:
            self._columns = [name for name in record if name != "learning_rate"]
            result(_line_of({name: name for name in (*self.names.plain(run), *self._columns)}))
        number = {name: str(each) for name, each in self.names.plain(run).items()}
        cells = {name: figure(record[name]) for name in self._columns}
        own = {"iteration": str(record["iteration"]), "epoch": f"{record['epoch']:.2f}"}
        result(_line_of(number | cells | own))

    def over(self, run: int, end: TrainingEnd) -> None:
        """Print the line of the run's last evaluation, and how it ended."""
        self.ended(run)
        super().over(run, end)
        if "test" in end.metrics or not (self._each_evaluation or end.failure or end.stopped):
            result(f"{self.names.label(run)}{results_of(end)}")

    def finished(self, outcome: Outcome) -> None:
        """Print the results."""
        outcome.print_results("" if self.names.what else self._evaluations[0].best_line(), None)


def _line_of(cells: Mapping[str, str]) -> str:
    """Return a line with each text below the name of its figure."""
    return "  ".join(cell.rjust(max(len(name), NARROWEST_COLUMN)) for name, cell in cells.items())
