"""How a training ended, for displays: as text, and as the last event of ``--json``."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpkit.terminal.figures import duration, figures
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import message, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.jobs.training_job import Run
    from mlpkit.training.events import TrainingEnd


class Outcome(NamedTuple):
    """How one training or several ended.

    Args:
        stopped: why it was stopped before its end; empty if it was not.
        plain: the last event of ``--json``, without its name.
        print_results: prints the results, after a line about the best evaluation, unless that is empty, and the time in
            seconds, unless that is None.
        print_stop: prints why it was stopped, and how to resume it; None if nothing is left to do.
        next_command: the command that most people want now; empty if it was stopped.
    """

    stopped: str
    plain: dict[str, Any]
    print_results: Callable[[str, float | None], None]
    print_stop: Callable[[], None] | None
    next_command: str = ""


def of_run(run: Run) -> Outcome:
    """Return how a single run ended."""
    if run.stopped:
        plain = {"steps": run.steps, "reason": run.stopped, "folder": run.folder}
    else:
        reason = {"reason": run.ended} if run.ended else {}
        plain = {"steps": run.steps, "metrics": run.metrics, "folder": run.folder, **reason}
    command = "" if run.stopped else f"mlpkit predict {shlex.quote(str(run.folder))} FILE"
    print_stop = partial(_print_stop, run) if run.stopped else None
    return Outcome(run.stopped, plain, partial(_print_run, run), print_stop, command)


def _print_run(run: Run, best: str, seconds: float | None) -> None:
    if run.stopped:
        _print_stop(run)
        return
    if run.ended:
        result(f"stopped early, after step {run.steps}: {run.ended}")
    if best:
        result(best)
    if "test" in run.metrics:
        result("\n".join(paragraph(f"test {figures(run.metrics['test'])}", width=line_length())))
    for leak in run.leaks:
        message(f"note: {leak}")
    result(f"saved in {run.folder}" + ("" if seconds is None else f", after {duration(seconds)}"))


def _print_stop(run: Run) -> None:
    message(f"stopped after step {run.steps} by {run.stopped}; saved in {run.folder}")
    message(f"resume it with: mlpkit resume {shlex.quote(str(run.folder))}")


def results_of(end: TrainingEnd) -> str:
    """Return the results of a finished run."""
    return f"test {figures(end.metrics['test'])}" if "test" in end.metrics else "finished"
