"""Training several specs as lines of text, or of JSON: a line for each run that is over, and a table of the specs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from mlpkit.display.runs_lines import RunNames, RunsDisplay, RunsJson, results_of
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import figure, plus_minus
from mlpkit.terminal.formatting import blocks, counted, line_length, paragraph, shortened
from mlpkit.terminal.output import document, message, result

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.groups.several_specs import SpecResult, SpecResults
    from mlpkit.groups.training_process import TrainingEnd
    from mlpkit.training.health import Symptom

LONGEST_NAME: Final = 32
"""Characters of a run's name beside its bar."""


class FolderNames(RunNames):
    """What runs are called: by their folders, such as ``digits`` or ``digits/seed-3``.

    Args:
        parent: the folder that the names start from.
    """

    def __init__(self, parent: Path) -> None:
        super().__init__("run")
        self._parent = parent

    def name(self, number: int) -> str:
        """Return the path of a run."""
        return str(self.runs[number].relative_to(self._parent))

    def aligned(self, number: int) -> str:
        """Return the path of a run, as long as those of the others; the middle of a long one is left out."""
        width = min(LONGEST_NAME, max(len(self.name(each)) for each in self.runs))
        return f"{shortened(self.name(number), LONGEST_NAME):{width}}"

    def plain(self, number: int) -> dict[str, Any]:
        """Return the folder of a run."""
        return {"run": self.runs[number]}

    def plain_all(self) -> list[Any]:
        """Return the folders."""
        return [*self.runs.values()]


class SpecsLines(RunsDisplay):
    """A line for each run that is over, and a table of the specs."""

    def diagnosed(self, number: int, symptom: Symptom) -> None:
        """Print it."""
        self._note(number, symptom)

    def over(self, number: int, end: TrainingEnd) -> None:
        """Print the line."""
        super().over(number, end)
        if not end.failure and not end.stopped:
            result(f"{self._names.name(number)}: {results_of(end)}")

    def all_over(self, results: SpecResults) -> None:
        """Print the table."""
        print_specs(results)


class SpecsJson(RunsJson):
    """One JSON object an event, those of a run with its folder; the last event has what came of each spec.

    {"event": "began", "runs": ["runs/digits", "runs/wide/seed-0", ...]}
    {"event": "evaluation", "run": "runs/digits", "iteration": 500, ...}
    {"event": "done", "specs": [{"spec": "digits.yaml", "state": "finished", "folder": "runs/digits", ...}, ...]}
    {"event": "stopped", "reason": "SIGINT", "specs": [...]}
    """

    def all_over(self, results: SpecResults) -> None:
        """Print the last event."""
        event = {"event": "stopped", "reason": results.stopped} if results.stopped else {"event": "done"}
        document({**event, "specs": [_plain(each) for each in results.specs]})
        if results.stopped:
            _print_way_on(results)


def _plain(found: SpecResult) -> dict[str, Any]:
    """Return what came of a spec as plain data."""
    problem = {"problem": found.problem} if found.problem else {}
    metrics = {
        split: {name: vars(value) if isinstance(value, Interval) else value for name, value in values.items()}
        for split, values in found.metrics.items()
    }
    return {"spec": found.spec, "state": found.state, **problem, "metrics": metrics, "folder": found.folder}


def print_specs(results: SpecResults) -> None:
    """Print a table of loss and metrics of each spec by its folder, and which failed, or how to go on."""
    rows = [_cells(each) for each in results.specs]
    titles = list(dict.fromkeys(title for cells in rows for title in cells))
    table = [
        [str(each.folder) if cells else f"{each.folder}: {each.state}", *(cells.get(title, "") for title in titles)]
        for each, cells in zip(results.specs, rows, strict=True)
    ]
    for line in blocks([["", *titles], *table], right=range(1, len(titles) + 1), width=line_length()):
        result(line)
    if results.stopped:
        _print_way_on(results)
    if results.failed:
        failed = ", ".join(str(each.folder) for each in results.failed)
        said = f"{len(results.failed)} of {counted(len(results.specs), 'spec')} failed: {failed}"
        message("\n".join(paragraph(said, width=line_length())))


def _cells(found: SpecResult) -> dict[str, str]:
    """Return loss and metrics of a spec's first split, which is that for testing if there is one, by title."""
    split, values = next(iter(found.metrics.items()), ("", {}))
    return {
        f"{split} {name}": plus_minus(value) if isinstance(value, Interval) else figure(value)
        for name, value in values.items()
        if not isinstance(value, list)
    }


def _print_way_on(results: SpecResults) -> None:
    """Print what stopped the training, and how to go on with those that are not finished."""
    left, count = results.unfinished, counted(len(results.specs), "spec")
    message(f"stopped by {results.stopped}, with {len(results.specs) - len(left)} of {count} over")
    for each in left:
        message(f"resume it with: mlpkit resume {shlex.quote(str(each.folder))}")
