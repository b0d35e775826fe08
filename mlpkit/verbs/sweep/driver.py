"""The driver of a sweep: it chooses trials, hands them to workers, and reads the results from their folders."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from operator import le
from typing import Any, Final

from mlpkit.components.engine import Workers
from mlpkit.errors import RunFolderError, StorageError
from mlpkit.network.component_errors import check_returned, component_errors
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.runs.overview import FAILED, FINISHED, STOPPED
from mlpkit.training.events import Event, Listener, StopRequest, TrainingEnd
from mlpkit.verbs.sweep.folder import SweepFolder, SweepProgress, Trial, is_resumable
from mlpkit.verbs.sweep.samplers import Sampler
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.trial import OTHER_WRITER, train_trial

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a signal, or another process, asks for an end; and at whether a driver has ended."""

SECONDS_BETWEEN_NOTES: Final = 5.0
"""Of how long the sweep has been at work."""

STOPPED_BY: Final = "mlpkit sweep --stop"
"""Why a sweep stops that another process has asked to."""

MOST_DEATHS: Final = 2
"""Processes that may die of a trial before it is set aside, until the sweep is resumed.

One that something stopped in order, such as the time limit of its job, doesn't count if the trial has got on.
"""


class Driver:
    """Trains the trials of a sweep, as many at once as there are workers.

    Args:
        planned: how many trials the spec asks for; None for as many as the time or the sampler allows.
        seconds: after how long no trial of the spec's is begun any more; None for no limit.
        strong_again: returns the pruned trial to continue, given all trials; None if all are still weak.
        arguments: arguments of ``Workers.submit`` and ``train_trial`` after the folder, as plain data.
        observer: receives the events ``sweep_began``, ``trial_begun``, ``trial_over`` and ``noticed``.
    """

    def __init__(
        self,
        folder: SweepFolder,
        objectives: Sequence[Objective],
        sampler: Sampler,
        planned: int | None,
        seconds: float | None,
        workers: Workers,
        *,
        strong_again: Callable[[Sequence[Trial]], Trial | None],
        arguments: Mapping[str, Any],
        observer: Listener,
        stop: StopRequest,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._objectives, self._sampler = folder, objectives, sampler
        self._planned, self._seconds = planned, seconds
        self._workers, self._arguments = workers, arguments
        self._strong_again, self._may_be_strong = strong_again, True
        self._busy: set[int] = set()
        self._observer, self._stop, self._clock = observer, stop, clock
        self.trials = {trial.number: trial for trial in folder.trials()}
        self._interrupted = deque(trial.number for trial in self.trials.values() if not trial.over)
        self._again = deque(trial.number for trial in self.trials.values() if trial.state == FAILED)
        self._running: dict[Future[TrainingEnd], int] = {}
        self._deaths: Counter[int] = Counter()
        self._saved: Counter[int] = Counter()
        self._free = 0
        self._progress = folder.read_progress()
        last = max((trial.asked_at for trial in self.trials.values()), default=0.0)
        self._began = clock() - max(self._progress.seconds, last)

    def run(self) -> None:
        """Train until nothing is left to do, or a stop is asked for."""
        trials = list(self.trials.values())
        planned = planned_in_all(self._planned, self._progress, len(trials))
        self._tell("sweep_began", self._objectives, trials, planned, self._workers.count)
        while True:
            if not self._stop.reason and self._folder.stop_requested():
                self._stop.stop(STOPPED_BY)
            while not self._stop.reason and len(self._running) < self._workers.count:
                trial = self._next()
                if trial is None:
                    break
                self._begin(trial)
            if not self._running:
                break
            if self._stop.reason:
                self._workers.stop()
            done, _ = wait(self._running, timeout=SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=self._running.__getitem__):
                number = self._running.pop(future)
                with component_errors(f"the worker of trial {number} failed"):
                    end = future.result()
                check_returned(f"the worker of trial {number}", "the function", end, TrainingEnd, "a TrainingEnd")
                self._take_end(number, end)
            self._note_time(SECONDS_BETWEEN_NOTES)
        self._note_time(0.001)

    def _tell(self, kind: str, *data: Any) -> None:
        self._observer(Event(0, kind, data))

    def _next(self) -> Trial | None:
        """Return the trial to train next; None at the end.

        Those that were interrupted come first, then those that were pruned and are no longer weak, then new ones, and
        then those that failed: they may fail again.
        """
        if self._interrupted:
            return self.trials[self._interrupted.popleft()]
        failed = self._again
        return self._pruned_trial() or self._new_trial() or (self.trials[failed.popleft()] if failed else None)

    def _pruned_trial(self) -> Trial | None:
        """Return a pruned trial that continues after all; called whenever a trial is over."""
        if not (self._may_be_strong and self._in_time()):
            return None
        found = self._strong_again([trial for trial in self._in_order() if trial.number not in self._busy])
        if found is None:
            self._may_be_strong = False
            return None
        try:
            return self._folder.reopen(found)
        except RunFolderError as error:  # it is resumed by hand
            self._busy.add(found.number)
            self._tell("noticed", f"trial {found.number} is skipped: {error}")
            return None

    def _in_order(self) -> list[Trial]:
        return [trial for _, trial in sorted(self.trials.items())]

    def _in_time(self) -> bool:
        return self._seconds is None or self._spent() < self._seconds

    def _new_trial(self) -> Trial | None:
        """Return a trial with the lowest free number; None if no other is planned."""
        if not self._may_begin_trial():
            return None
        number, spent = self._free_number(), self._spent()
        values = self._sampler(number, self._in_order())
        return None if values is None else self._folder.begin(number, values, round(spent, 3))

    def _may_begin_trial(self) -> bool:
        number = self._free_number()
        if self._progress.trials is None:
            if self._in_time() and (self._planned is None or number < self._planned):
                return True
            if not self._progress.added:
                return False
            self._progress = replace(self._progress, added=0, trials=number + self._progress.added)
            self._folder.write_progress(self._progress)
        assert self._progress.trials is not None
        return number < self._progress.trials

    def _free_number(self) -> int:
        while self._free in self.trials:
            self._free += 1
        return self._free

    def _spent(self) -> float:
        """Return for how many seconds the sweep has been at work, without breaks."""
        return self._clock() - self._began

    def _note_time(self, least: float) -> None:
        """Write down how long the sweep has been at work, if that is so much longer than was written before."""
        spent = round(self._spent(), 3)
        if spent - self._progress.seconds >= least:
            self._progress = replace(self._progress, seconds=spent)
            with suppress(StorageError):  # the sweep is at most a little longer
                self._folder.write_progress(self._progress)

    def _begin(self, trial: Trial) -> None:
        self.trials[trial.number] = trial
        self._tell("trial_begun", trial)
        self._running[self._workers.submit(train_trial, trial.directory, **self._arguments)] = trial.number

    def _take_end(self, number: int, end: TrainingEnd) -> None:
        """Read the result of a trial from its folder, and decide what to do if it isn't over."""
        trial = self._folder.trial(number)
        death = end.death or (f"by {end.stopped}" if end.stopped else "")
        if end.cause == OTHER_WRITER:
            self._tell("noticed", f"trial {number} waits: {end.failure}")
            self._again.append(number)
            return
        if death and not self._stop.reason and is_resumable(trial):
            got_on = bool(end.stopped) and end.steps > self._saved[number]
            self._saved[number] = max(end.steps, self._saved[number])
            trial = self._after_death(trial, death, counts=not got_on)
        elif end.failure and not trial.over:  # its folder couldn't be written
            trial = replace(trial, state=FAILED, problem=end.failure)
        self.trials[number] = trial
        if trial.over:
            self._may_be_strong = True
            self._tell("trial_over", trial, best_of(self.trials.values(), self._objectives))

    def _after_death(self, trial: Trial, death: str, counts: bool) -> Trial:
        """Continue a trial whose process died, or set it aside after ``MOST_DEATHS`` that count."""
        self._deaths[trial.number] += counts
        deaths = self._deaths[trial.number]
        if deaths >= MOST_DEATHS:
            return self._folder.set_aside(trial, f"{deaths} processes died training it, the last {death}")
        runs = [RunFolder(run) for run in members_of(trial.directory).values()]
        saved = any(run.checkpoints.exist or run.finished for run in runs)
        how = "it continues from its last checkpoint" if saved else "it starts over"
        self._tell("noticed", f"trial {trial.number}: its process ended {death}; {how}")
        self._interrupted.append(trial.number)
        return replace(trial, state=STOPPED, problem="")  # a trial that failed before, as its folder may say still


def planned_in_all(planned: int | None, progress: SweepProgress, begun: int) -> int | None:
    """Return how many trials are planned, with added ones, after some have begun; None if a time ends the sweep."""
    found = planned + progress.added if progress.trials is None and planned else progress.trials
    return None if found is None else max(found, begun)


def ranked(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the finished trials, the best by the first objective first, and the earlier of equals."""
    first = objectives[0]
    finished = [trial for trial in trials if trial.state == FINISHED and first.key in trial.results]
    return sorted(finished, key=lambda trial: (first.cost(trial.results[first.key]), trial.number))


def best_of(trials: Iterable[Trial], objectives: Sequence[Objective]) -> Trial | None:
    """Return the best of the finished trials; None without any."""
    return next(iter(ranked(trials, objectives)), None)


def pareto_front(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the Pareto front: no finished trial is as good as one of them by all objectives, and better by one."""
    costs = {
        trial.number: [each.cost(trial.results[each.key]) for each in objectives]
        for trial in trials
        if trial.state == FINISHED and all(each.key in trial.results for each in objectives)
    }

    def is_beaten(own: list[float]) -> bool:
        return any(own != each and all(map(le, each, own)) for each in costs.values())

    return [trial for trial in trials if trial.number in costs and not is_beaten(costs[trial.number])]
