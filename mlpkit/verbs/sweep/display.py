"""A sweep as lines of text, or of JSON: a line for each trial that is over, and the results; and its status."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from mlpkit.components.schema.wording import counted
from mlpkit.display.display import Display, Outcome
from mlpkit.display.group_outcomes import print_timed
from mlpkit.display.json_events import JsonEvents
from mlpkit.display.lines import Lines
from mlpkit.groups.several_runs import listed_runs
from mlpkit.runs.layout import BEST
from mlpkit.runs.overview import DIVERGED, FAILED, FINISHED, PRUNED, STOPPED
from mlpkit.specfile.yaml_writer import to_inline_yaml
from mlpkit.terminal.figures import duration, figure
from mlpkit.terminal.formatting import blocks, line_length, paragraph
from mlpkit.terminal.output import diagnostic, document, message, result
from mlpkit.verbs.sweep.driver import ranked
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.specs import short_keys, written_values
from mlpkit.verbs.sweep.sweep import Sweep, SweepStatus, plain_trial, written_results

MOST_ROWS = 5
"""Trials that a table of the best has."""


class SweepDisplay(Display):
    """Shows a sweep: errors and warnings only; it knows the trials that are over, by number."""

    def sweep_began(
        self, run: int, objectives: Sequence[Objective], trials: Sequence[Trial], planned: int | None, workers: int
    ) -> None:
        """Take in what there is already."""
        self._objectives, self._planned = objectives, planned
        self._over = {trial.number: trial for trial in trials if trial.over}

    def trial_begun(self, run: int, trial: Trial) -> None:
        """Forget how a trial ended before, such as one that was pruned."""
        self._over.pop(trial.number, None)

    def trial_over(self, run: int, trial: Trial, best: Trial | None) -> None:
        """Print why a trial failed."""
        self._over[trial.number] = trial
        if trial.state == FAILED:
            diagnostic(f"error: trial {trial.number}: {trial.problem}", "red")


class SweepLines(SweepDisplay, Lines):
    """A line for each trial that is over, with the best so far, and for each that was pruned and continues."""

    def trial_begun(self, run: int, trial: Trial) -> None:
        """Print that a pruned trial continues."""
        if trial.number in self._over and self._over[trial.number].state == PRUNED:
            result(f"trial {trial.number} continues: it is no longer weaker than other trials")
        super().trial_begun(run, trial)

    def trial_over(self, run: int, trial: Trial, best: Trial | None) -> None:
        """Print the line."""
        super().trial_over(run, trial, best)
        result(f"trial {trial.number}: {self._outcome(trial, best)}; {written_values(trial.values)}")

    def _outcome(self, trial: Trial, best: Trial | None) -> str:
        if trial.state != FINISHED:
            return trial.state
        results = written_results(trial, self._objectives)
        if best is None:
            return results
        if trial.number == best.number:
            return f"{results}, the best so far"
        first = self._objectives[0]
        return f"{results} (best {figure(best.results[first.key])}, trial {best.number})"


class SweepJson(SweepDisplay, JsonEvents):
    """One JSON object an event; the last is ``done`` or ``stopped``.

    A trial that was pruned and continues after all has an event each time.
    """

    def sweep_began(
        self, run: int, objectives: Sequence[Objective], trials: Sequence[Trial], planned: int | None, workers: int
    ) -> None:
        """Print the event."""
        super().sweep_began(run, objectives, trials, planned, workers)
        document({"event": "began", "planned": planned, "over": [*self._over], "workers": workers})

    def trial_over(self, run: int, trial: Trial, best: Trial | None) -> None:
        """Print the event."""
        super().trial_over(run, trial, best)
        document({"event": "trial", **plain_trial(trial), "best": best.number if best else None})


def of_sweep(found: Sweep, engine: Sequence[str] = ()) -> Outcome:
    """Return how a sweep ended, for its display, given the options that choose its engine again."""
    resume = shlex.join(["mlpkit", "sweep", "--resume", str(found.folder), *engine])
    reason = {"reason": found.stopped} if found.stopped else {}
    print_stop = partial(_print_resume_hint, found, resume) if found.stopped else None
    print_all = partial(print_timed, partial(_print_sweep, found, resume), found.stopped)
    return Outcome(found.stopped, {**reason, **found.to_plain()}, print_all, print_stop)


def best_table(trials: Sequence[Trial], objectives: Sequence[Objective], width: int | None) -> list[str]:
    """Return the lines of a table of the best trials by the first objective."""
    best = ranked(trials, objectives)[:MOST_ROWS]
    keys = list(dict.fromkeys(key for trial in best for key in trial.values))
    rows = [
        (
            str(trial.number),
            *(figure(trial.results[each.key]) if each.key in trial.results else "" for each in objectives),
            *(to_inline_yaml(trial.values[key]) if key in trial.values else "" for key in keys),
        )
        for trial in best
    ]
    titles = ("trial", *(each.key for each in objectives), *short_keys(keys))
    return blocks([titles, *rows], right=range(len(titles)), width=width) if rows else []


def _print_sweep(found: Sweep, resume: str) -> None:
    """Print the best trials, the states of the other trials, and the folder."""
    if found.stopped:
        _print_resume_hint(found, resume)
        return
    for line in best_table(found.trials, found.objectives, line_length()):
        result(line)
    if found.lead:
        result("\n".join(paragraph(str(found.lead), width=line_length())))
    if len(found.objectives) > 1 and found.front:
        front = listed_runs([trial.number for trial in found.front], "trial")
        result("\n".join(paragraph(f"Pareto front: {front}", width=line_length())))
    for state in (PRUNED, DIVERGED, FAILED):
        numbers = [trial.number for trial in found.trials if trial.state == state]
        if numbers:
            text = f"{counted(len(numbers), 'trial')} {state}: {', '.join(map(str, numbers))}"
            message("\n".join(paragraph(text, width=line_length())))
    if found.best is None:
        what = f" with a {found.objectives[0].key}" if FINISHED in found.counts else ""
        message(f"no trial is finished{what}, so there is no best")
    else:
        result(f"the best, ready to run: {found.folder / BEST}")
    result(f"saved in {found.folder}")


def _print_resume_hint(found: Sweep, resume: str) -> None:
    """Print why a sweep was stopped, how many trials are done, and how to resume it."""
    over = sum(trial.over for trial in found.trials)
    message(f"stopped by {found.stopped}, with {counted(over, 'trial')} done; saved in {found.folder}")
    message(f"resume it with: {resume}")


def print_status(status: SweepStatus) -> None:
    """Print the best trials so far, how far the sweep is, and which driver is at work."""
    width = line_length()
    for line in best_table(status.trials, status.objectives, width):
        result(line)
    for line in (_progress(status), f"at work for {duration(status.seconds)}", _driver(status)):
        result("\n".join(paragraph(line, width=width)))


def _progress(status: SweepStatus) -> str:
    over, planned = status.over, status.planned
    parts = [f"{counted(over, 'trial')} done" if planned is None else f"{over} of {counted(planned, 'trial')} done"]
    return ", ".join([*parts, *(f"{number} {state}" for state, number in status.counts.items())])


def _driver(status: SweepStatus) -> str:
    if status.driver is not None:
        host = f" on {status.driver.host}" if status.driver.host and status.driver.is_here else ""
        return f"driver: {status.driver}{host}"
    if status.planned is None or status.over < status.planned or {STOPPED, FAILED} & {*status.counts}:
        return f"no driver is running; resume it with: mlpkit sweep --resume {shlex.quote(str(status.folder))}"
    return "no driver is running, and no trial is left"
