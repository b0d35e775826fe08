"""How several trainings ended; a single one needs nothing of this, and starts sooner without it."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

from mlpkit.components.schema.wording import counted
from mlpkit.display.display import Outcome
from mlpkit.groups.folders import plain_summary
from mlpkit.groups.several_runs import listed_runs
from mlpkit.pages.notebook_tables import SUMMARY_TITLES, summary_rows
from mlpkit.runs.overview import FAILED, STOPPED
from mlpkit.statistics import Interval
from mlpkit.terminal.figures import duration, figure, plus_minus
from mlpkit.terminal.formatting import blocks, line_length, paragraph
from mlpkit.terminal.output import message, result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlpkit.groups.ensemble import EnsembleRun
    from mlpkit.groups.seeds import SeedRuns
    from mlpkit.groups.several_specs import SpecResult, SpecResults


def of_seeds(runs: SeedRuns) -> Outcome:
    """Return how the runs of several seeds ended."""
    metrics, failed = plain_summary(runs.metrics), list(runs.failures)
    plain = {"metrics": metrics, "failed": failed, "folder": runs.folder}
    return _of_group(runs, len(runs.seeds), plain, partial(_print_summary, runs))


def of_ensemble(run: EnsembleRun) -> Outcome:
    """Return how an ensemble ended; ``metrics`` belong to the average, ``spread`` sums up the networks'."""
    plain = {"metrics": run.metrics, "spread": plain_summary(run.spread), "folder": run.folder}
    return _of_group(run, run.size, plain, partial(_print_average, run))


def _of_group(
    found: SeedRuns | EnsembleRun, count: int, plain: dict[str, Any], print_all: Callable[[], None]
) -> Outcome:
    """Return how runs ended that are kept in one folder, given the last event if they are finished."""
    print_stop = partial(_print_stop_of_group, found.stopped, count, found.unfinished, found.folder)
    if not found.stopped:
        return Outcome("", plain, partial(print_timed, print_all, ""), None)
    plain = {"reason": found.stopped, "folder": found.folder}
    return Outcome(found.stopped, plain, partial(print_timed, print_stop, found.stopped), print_stop)


def print_timed(print_all: Callable[[], None], stopped: str, best: str, seconds: float | None) -> None:
    """Print the results of several runs, and the time that they took unless they were stopped."""
    print_all()
    if seconds is not None and not stopped:
        result(f"after {duration(seconds)}")


def _print_stop_of_group(reason: str, count: int, unfinished: Sequence[int], folder: Path | None) -> None:
    message(f"stopped by {reason}, with {count - len(unfinished)} of {count} runs finished; saved in {folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(folder))}")


def summary_table(metrics: Mapping[str, Mapping[str, Interval]]) -> str:
    """Return a table of the mean results of several runs."""
    return "\n".join(blocks([SUMMARY_TITLES, *summary_rows(metrics)], right=(1, 2, 3), width=line_length()))


def _print_summary(runs: SeedRuns) -> None:
    """Print the mean of each loss and metric with its interval, which runs failed, and the folder."""
    if runs.metrics:
        result(summary_table(runs.metrics))
    if runs.failures:
        failed = f"{len(runs.failures)} of {len(runs.seeds)} runs failed: {listed_runs(runs.failures)}"
        message("\n".join(paragraph(failed, width=line_length())))
    result(f"saved in {runs.folder}")


def _print_average(run: EnsembleRun) -> None:
    """Print loss and metrics of an ensemble, and of its networks, and the folder."""
    rows = [
        (f"{split} {name}", figure(value), plus_minus(run.spread[split][name]))
        for split, results in run.metrics.items()
        for name, value in results.items()
        if not isinstance(value, list) and name in run.spread.get(split, {})
    ]
    titles = ("", "average", f"each of {run.size}, ± 95 %")
    result("\n".join(blocks([titles, *rows], right=(1, 2), width=line_length())))
    result(f"saved in {run.folder}")


def of_specs(results: SpecResults) -> Outcome:
    """Return how several specs ended."""
    reason = {"reason": results.stopped} if results.stopped else {}
    plain = {**reason, "specs": [_plain_spec(each) for each in results.specs]}
    print_results = partial(print_timed, partial(_print_specs, results), results.stopped)
    print_stop = partial(_print_stop_of_specs, results) if results.stopped else None
    return Outcome(results.stopped, plain, print_results, print_stop)


def _plain_spec(found: SpecResult) -> dict[str, Any]:
    problem = {"problem": found.problem} if found.problem else {}
    metrics = {
        split: {name: vars(value) if isinstance(value, Interval) else value for name, value in values.items()}
        for split, values in found.metrics.items()
    }
    return {"spec": found.spec, "state": found.state, **problem, "metrics": metrics, "folder": found.folder}


def _print_specs(results: SpecResults) -> None:
    """Print a table of loss and metrics of each spec by its folder, and which failed, or how to resume."""
    rows = [_cells(each) for each in results.specs]
    titles = list(dict.fromkeys(title for cells in rows for title in cells))
    table = [
        [str(each.folder) if cells else f"{each.folder}: {each.state}", *(cells.get(title, "") for title in titles)]
        for each, cells in zip(results.specs, rows, strict=True)
    ]
    for line in blocks([["", *titles], *table], right=range(1, len(titles) + 1), width=line_length()):
        result(line)
    if results.stopped:
        _print_stop_of_specs(results)
    if failures := results.in_state(FAILED):
        failed = ", ".join(str(each.folder) for each in failures)
        text = f"{len(failures)} of {counted(len(results.specs), 'spec')} failed: {failed}"
        message("\n".join(paragraph(text, width=line_length())))


def _cells(found: SpecResult) -> dict[str, str]:
    """Return loss and metrics of a spec's first split, which is that for testing if there is one, by title."""
    split, values = next(iter(found.metrics.items()), ("", {}))
    return {
        f"{split} {name}": plus_minus(value) if isinstance(value, Interval) else figure(value)
        for name, value in values.items()
        if not isinstance(value, list)
    }


def _print_stop_of_specs(results: SpecResults) -> None:
    left, count = results.in_state(STOPPED), counted(len(results.specs), "spec")
    message(f"stopped by {results.stopped}, with {len(results.specs) - len(left)} of {count} done")
    for each in left:
        message(f"resume it with: mlpkit resume {shlex.quote(str(each.folder))}")
