"""Training several runs as lines of text, or of JSON, and a summary of their results."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from mlpkit.display.lines import cells_of, column_names, line_of
from mlpkit.groups.numbered_runs import plain_summary
from mlpkit.groups.runs_observer import RunsObserver
from mlpkit.groups.several_runs import listed_runs
from mlpkit.pages.evaluations import is_worth_a_line
from mlpkit.pages.run_html import SUMMARY_TITLES, summary_rows
from mlpkit.terminal.figures import figure, figures, plus_minus
from mlpkit.terminal.formatting import blocks, line_length, paragraph
from mlpkit.terminal.output import diagnostic, document, message, print_warnings, result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from mlpkit.errors import Diagnostic
    from mlpkit.groups.ensemble import EnsembleRun
    from mlpkit.groups.seeds import SeedRuns
    from mlpkit.groups.several_specs import SpecResults
    from mlpkit.groups.training_process import TrainingEnd
    from mlpkit.statistics import Interval
    from mlpkit.training.evaluation import Record
    from mlpkit.training.health import Symptom


class RunNames:
    """What runs are called: by their numbers, such as ``seed 3``.

    Args:
        what: what the number of a run is.

    Attributes:
        what: what a run is.
        plural: what several are.
        runs: the run folders by number, once training begins.
    """

    def __init__(self, what: str = "seed") -> None:
        self.what, self.plural = what, f"{what}s"
        self.runs: Mapping[int, Path] = {}

    def name(self, number: int) -> str:
        """Return the name of a run."""
        return f"{self.what} {number}"

    def aligned(self, number: int) -> str:
        """Return the name of a run, as long as those of the others."""
        return f"{self.what} {number:{max(len(str(each)) for each in self.runs)}}"

    def plain(self, number: int) -> dict[str, Any]:
        """Return what tells a run apart as plain data."""
        return {self.what: number}

    def plain_all(self) -> list[Any]:
        """Return what tells the runs apart as plain data."""
        return [*self.runs]


class RunsDisplay(RunsObserver):
    """Shows how several runs are trained: errors and warnings only; the end of ``with`` leaves the terminal as it was.

    Args:
        begun: called when training begins.
        names: what the runs are called.
    """

    def __init__(self, begun: Callable[[], None], names: RunNames | None = None) -> None:
        self._begun, self._names = begun, names or RunNames()
        self._first_with: dict[str, int] = {}
        self._symptoms: set[tuple[str, str]] = set()

    def __enter__(self) -> RunsDisplay:
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

    def began(self, runs: Mapping[int, Path], at_once: int) -> None:
        """Say that training begins."""
        self._names.runs = runs
        self._begun()

    def noticed(self, number: int, message: str) -> None:
        """Print a warning, whatever else is shown or not."""
        self._print_problem(number, message, "warning", "yellow")

    def over(self, number: int, end: TrainingEnd) -> None:
        """Print why a run failed, whatever else is shown or not."""
        if end.failure:
            self._print_problem(number, end.failure, "error", "red")

    def finished(self, found: SeedRuns) -> None:
        """Show what came of the runs."""

    def averaged(self, run: EnsembleRun) -> None:
        """Show what came of an ensemble."""

    def all_over(self, results: SpecResults) -> None:
        """Show what came of several specs."""

    def _note(self, number: int, symptom: Symptom) -> None:
        """Print what is not as it should be, and what to try, of the first run that has it."""
        known = (symptom.name, symptom.layer)
        if known not in self._symptoms:
            self._symptoms.add(known)
            diagnostic(f"note: {self._names.name(number)}: {symptom}", "yellow")

    def _print_problem(self, number: int, text: str, label: str, colour: str) -> None:
        """Print what is wrong with a run; what was said of another already is said in short."""
        first = self._first_with.setdefault(text, number)
        said = text if first == number else f"the same as {self._names.name(first)}"
        diagnostic(f"{label}: {self._names.name(number)}: {said}", colour)


class RunsLines(RunsDisplay):
    """A line for an evaluation, with the run's number before the figures; ever fewer of a run, the later, and its last.

    Args:
        begun: called when training begins.
        names: what the runs are called.
    """

    def __init__(self, begun: Callable[[], None], names: RunNames | None = None) -> None:
        super().__init__(begun, names)
        self._columns: list[str] = []
        self._evaluations: dict[int, int] = {}
        self._held_back: dict[int, Record] = {}

    def resumed(self, number: int, step: int) -> None:
        """Say where the run goes on."""
        message(f"{self._names.name(number)}: going on after step {step}")

    def evaluated(self, number: int, record: Record, seconds: float) -> None:
        """Print the line, if it is due, and before the first one the heading."""
        self._evaluations[number] = self._evaluations.get(number, 0) + 1
        self._held_back[number] = record
        if is_worth_a_line(self._evaluations[number]):
            self._print(number)

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Print it."""
        self._note(number, symptom)

    def over(self, number: int, end: TrainingEnd) -> None:
        """Print the line of the run's last evaluation, and how it ended."""
        if number in self._held_back:
            self._print(number)
        super().over(number, end)
        if "test" in end.metrics:
            result(f"{self._names.name(number)}: {results_of(end)}")

    def finished(self, found: SeedRuns) -> None:
        """Print the mean results, and the folder."""
        print_summary(found)

    def averaged(self, run: EnsembleRun) -> None:
        """Print the results of the average, and the folder."""
        print_average(run)

    def _print(self, number: int) -> None:
        record = self._held_back.pop(number)
        if not self._columns:
            self._columns = column_names(record)
            result(line_of({name: name for name in (self._names.what, *self._columns)}))
        result(line_of({self._names.what: str(number)} | cells_of(record, self._columns)))


class RunsJson(RunsDisplay):
    """One JSON object an event, those of a run with its number; of an ensemble it is called ``member``.

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

    def began(self, runs: Mapping[int, Path], at_once: int) -> None:
        """Print the event."""
        super().began(runs, at_once)
        document({"event": "began", self._names.plural: self._names.plain_all()})

    def resumed(self, number: int, step: int) -> None:
        """Print the event."""
        document({"event": "resumed", **self._names.plain(number), "step": step})

    def started(self, number: int, total_steps: int | None) -> None:
        """Print the event."""
        document({"event": "started", **self._names.plain(number), "steps": total_steps})

    def evaluated(self, number: int, record: Record, seconds: float) -> None:
        """Print the event."""
        document({"event": "evaluation", **self._names.plain(number), **record})

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Print the event."""
        document({"event": "symptom", **self._names.plain(number), **symptom.to_plain()})

    def over(self, number: int, end: TrainingEnd) -> None:
        """Print the event."""
        super().over(number, end)
        if end.failure:
            document({"event": "failed", **self._names.plain(number), "error": end.failure})
        elif not end.stopped:
            document({"event": "finished", **self._names.plain(number), "steps": end.steps, "metrics": end.metrics})

    def finished(self, found: SeedRuns) -> None:
        """Print the last event."""
        if found.stopped:
            document({"event": "stopped", "reason": found.stopped, "folder": found.folder})
            print_stop(found.stopped, len(found.seeds), found.unfinished, found.folder)
        else:
            failed, metrics = list(found.failures), plain_summary(found.metrics)
            document({"event": "done", "metrics": metrics, "failed": failed, "folder": found.folder})

    def averaged(self, run: EnsembleRun) -> None:
        """Print the last event; ``metrics`` are those of the average, ``spread`` sums up the networks'."""
        if run.stopped:
            document({"event": "stopped", "reason": run.stopped, "folder": run.folder})
            print_stop(run.stopped, run.size, run.unfinished, run.folder)
        else:
            spread = plain_summary(run.spread)
            document({"event": "done", "metrics": run.metrics, "spread": spread, "folder": run.folder})


def results_of(end: TrainingEnd) -> str:
    """Return what came of a run that is finished."""
    return f"test {figures(end.metrics['test'])}" if "test" in end.metrics else "finished"


def summary_table(metrics: Mapping[str, Mapping[str, Interval]]) -> str:
    """Return a table of the mean results of several runs."""
    return "\n".join(blocks([SUMMARY_TITLES, *summary_rows(metrics)], right=(1, 2, 3), width=line_length()))


def print_summary(found: SeedRuns) -> None:
    """Print the mean of each loss and metric with its interval, which runs failed, and the folder."""
    if found.stopped:
        print_stop(found.stopped, len(found.seeds), found.unfinished, found.folder)
        return
    if found.metrics:
        result(summary_table(found.metrics))
    if found.failures:
        failed = f"{len(found.failures)} of {len(found.seeds)} runs failed: {listed_runs(found.failures)}"
        message("\n".join(paragraph(failed, width=line_length())))
    result(f"saved in {found.folder}")


def print_average(run: EnsembleRun) -> None:
    """Print loss and metrics of an ensemble, beside those of its networks, and the folder."""
    if run.stopped:
        print_stop(run.stopped, run.size, run.unfinished, run.folder)
        return
    rows = [
        (f"{split} {name}", figure(value), plus_minus(run.spread[split][name]))
        for split, results in run.metrics.items()
        for name, value in results.items()
        if not isinstance(value, list) and name in run.spread.get(split, {})
    ]
    titles = ("", "average", f"each of {run.size}, ± 95 %")
    result("\n".join(blocks([titles, *rows], right=(1, 2), width=line_length())))
    result(f"saved in {run.folder}")


def print_stop(reason: str, count: int, unfinished: Sequence[int], folder: Path | None) -> None:
    """Print why training was stopped, how many runs are finished, and how to go on with the others.

    Args:
        reason: what stopped it.
        count: how many runs there are.
        unfinished: those that are not finished.
        folder: where they are kept.
    """
    message(f"stopped by {reason}, with {count - len(unfinished)} of {count} runs finished; saved in {folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(folder))}")
