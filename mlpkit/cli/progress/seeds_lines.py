"""Training several seeds as lines of text, or of JSON, and a summary of their results."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mlpkit.cli.exit_codes import print_warnings
from mlpkit.cli.formatting import blocks, line_length, paragraph
from mlpkit.cli.output import diagnostic, document, message, result
from mlpkit.cli.progress.lines import cells_of, column_names, line_of
from mlpkit.jobs.seeds import listed_seeds
from mlpkit.jobs.seeds_observer import SeedsObserver
from mlpkit.progress.evaluations import is_worth_a_line
from mlpkit.progress.figures import figures
from mlpkit.progress.run_html import SUMMARY_TITLES, summary_rows
from mlpkit.runs.seeds_folder import plain_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.seeds import SeedRuns
    from mlpkit.jobs.training_process import TrainingEnd
    from mlpkit.statistics import Interval
    from mlpkit.training.evaluation import Record
    from mlpkit.training.symptoms import Symptom


class SeedsDisplay(SeedsObserver):
    """Shows how several seeds are trained: errors and warnings only; the end of ``with`` leaves the terminal as it was.

    Args:
        begun: called when training begins.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._first_with: dict[str, int] = {}
        self._symptoms: set[tuple[str, str]] = set()

    def __enter__(self) -> SeedsDisplay:
        """Begin, before the data is read."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def interrupted(self) -> None:
        """A signal came; called from its handler, between any two instructions."""

    def warned(self, warning: Diagnostic) -> None:
        """Print what is most likely not meant, whatever else is shown or not."""
        print_warnings([warning])

    def began(self, seeds: Sequence[int], at_once: int) -> None:
        """Say that training begins."""
        self._begun()

    def noticed(self, seed: int, message: str) -> None:
        """Print a warning, whatever else is shown or not."""
        self._print_problem(seed, message, "warning", "yellow")

    def over(self, seed: int, end: TrainingEnd) -> None:
        """Print why a run failed, whatever else is shown or not."""
        if end.failure:
            self._print_problem(seed, end.failure, "error", "red")

    def finished(self, found: SeedRuns) -> None:
        """Show what came of the runs."""

    def _note(self, seed: int, symptom: Symptom) -> None:
        """Print what is not as it should be, and what to try, of the first seed that has it."""
        known = (symptom.name, symptom.layer)
        if known not in self._symptoms:
            self._symptoms.add(known)
            diagnostic(f"note: seed {seed}: {symptom}", "yellow")

    def _print_problem(self, seed: int, text: str, label: str, colour: str) -> None:
        """Print what is wrong with a run; what was said of another already is said in short."""
        first = self._first_with.setdefault(text, seed)
        diagnostic(f"{label}: seed {seed}: {text if first == seed else f'the same as seed {first}'}", colour)


class SeedsLines(SeedsDisplay):
    """A line for an evaluation, with the seed before the figures; ever fewer of a run, the later, and its last.

    Args:
        begun: called when training begins.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        super().__init__(begun)
        self._names: list[str] = []
        self._evaluations: dict[int, int] = {}
        self._held_back: dict[int, Record] = {}

    def resumed(self, seed: int, step: int) -> None:
        """Say where the run goes on."""
        message(f"seed {seed}: going on after step {step}")

    def evaluated(self, seed: int, record: Record, seconds: float) -> None:
        """Print the line, if it is due, and before the first one the heading."""
        self._evaluations[seed] = self._evaluations.get(seed, 0) + 1
        self._held_back[seed] = record
        if is_worth_a_line(self._evaluations[seed]):
            self._print(seed)

    def diagnosed(self, seed: int, symptom: Symptom) -> None:
        """Print it."""
        self._note(seed, symptom)

    def over(self, seed: int, end: TrainingEnd) -> None:
        """Print the line of the run's last evaluation, and how it ended."""
        if seed in self._held_back:
            self._print(seed)
        super().over(seed, end)
        if "test" in end.metrics:
            result(f"seed {seed}: test {figures(end.metrics['test'])}")

    def finished(self, found: SeedRuns) -> None:
        """Print the mean results, and the folder."""
        print_summary(found)

    def _print(self, seed: int) -> None:
        record = self._held_back.pop(seed)
        if not self._names:
            self._names = column_names(record)
            result(line_of({name: name for name in ("seed", *self._names)}))
        result(line_of({"seed": str(seed)} | cells_of(record, self._names)))


class SeedsJson(SeedsDisplay):
    """One JSON object an event, those of a run with its seed.

        {"event": "began", "seeds": [0, 1, 2]}               the seeds that are not finished
        {"event": "resumed", "seed": 1, "step": 4000}
        {"event": "started", "seed": 0, "steps": 10000}      null where a time is set
        {"event": "evaluation", "seed": 0, "iteration": 500, ...}
        {"event": "symptom", "seed": 0, "name": "dead_units", "layer": "Relu1", ...}
        {"event": "finished", "seed": 0, "steps": 10000, "metrics": {"test": {"loss": 0.1, ...}, ...}}
        {"event": "failed", "seed": 2, "error": "..."}
        {"event": "done", "metrics": {"test": {"loss": {"n": 2, "mean": ..., ...}, ...}, ...}, "failed": [2], ...}
        {"event": "stopped", "reason": "SIGINT", "folder": "runs/x"}

    The last event is ``done`` or ``stopped``. Events of runs that train at once come in any order.
    """

    def began(self, seeds: Sequence[int], at_once: int) -> None:
        """Print the event."""
        super().began(seeds, at_once)
        document({"event": "began", "seeds": seeds})

    def resumed(self, seed: int, step: int) -> None:
        """Print the event."""
        document({"event": "resumed", "seed": seed, "step": step})

    def started(self, seed: int, total_steps: int | None) -> None:
        """Print the event."""
        document({"event": "started", "seed": seed, "steps": total_steps})

    def evaluated(self, seed: int, record: Record, seconds: float) -> None:
        """Print the event."""
        document({"event": "evaluation", "seed": seed, **record})

    def diagnosed(self, seed: int, symptom: Symptom) -> None:
        """Print the event."""
        document({"event": "symptom", "seed": seed, **symptom.to_plain()})

    def over(self, seed: int, end: TrainingEnd) -> None:
        """Print the event."""
        super().over(seed, end)
        if end.failure:
            document({"event": "failed", "seed": seed, "error": end.failure})
        elif not end.stopped:
            document({"event": "finished", "seed": seed, "steps": end.steps, "metrics": end.metrics})

    def finished(self, found: SeedRuns) -> None:
        """Print the last event."""
        if found.stopped:
            document({"event": "stopped", "reason": found.stopped, "folder": found.folder})
            print_stop(found)
        else:
            failed, metrics = list(found.failures), plain_summary(found.metrics)
            document({"event": "done", "metrics": metrics, "failed": failed, "folder": found.folder})


def summary_table(metrics: Mapping[str, Mapping[str, Interval]]) -> str:
    """Return a table of the mean results of several runs."""
    return "\n".join(blocks([SUMMARY_TITLES, *summary_rows(metrics)], right=(1, 2, 3), width=line_length()))


def print_summary(found: SeedRuns) -> None:
    """Print the mean of each loss and metric with its interval, which runs failed, and the folder."""
    if found.stopped:
        print_stop(found)
        return
    if found.metrics:
        result(summary_table(found.metrics))
    if found.failures:
        failed = f"{len(found.failures)} of {len(found.seeds)} runs failed: {listed_seeds(found.failures)}"
        message("\n".join(paragraph(failed, width=line_length())))
    result(f"kept in {found.folder}")


def print_stop(found: SeedRuns) -> None:
    """Print why training was stopped, how many runs are finished, and how to go on with the others."""
    finished = len(found.seeds) - len(found.unfinished)
    message(f"stopped by {found.stopped}, with {finished} of {len(found.seeds)} runs finished; kept in {found.folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(found.folder))}")
