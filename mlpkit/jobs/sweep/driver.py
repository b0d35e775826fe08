"""The driver of a sweep: it chooses trials, hands them to workers, and reads from their folders what came of them."""

from __future__ import annotations

import time
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mlpkit.jobs.sweep.trial import train_trial
from mlpkit.runs.overview import FAILED, FINISHED
from mlpkit.runs.sweep_folder import may_go_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from mlpkit.jobs.sweep.local_workers import Workers
    from mlpkit.jobs.sweep.samplers import Sampler
    from mlpkit.jobs.training_process import TrainingEnd
    from mlpkit.runs.sweep_folder import SweepFolder, Trial
    from mlpkit.specfile.sweep_section import Objective
    from mlpkit.training.events import StopRequest

SECONDS_BETWEEN_LOOKS: Final = 0.1
"""At whether a signal asks for an end."""

MOST_DEATHS: Final = 2
"""Processes that may die of a trial before it is set aside, until the sweep is resumed."""

MOST_FAILURES: Final = 5
"""Trials in a row that may fail for the same reason, such as data that is gone, before no other is begun."""


class SweepObserver:
    """Receives what happens in a sweep; every method is a no-op by default."""

    def began(
        self, objectives: Sequence[Objective], trials: Sequence[Trial], planned: int | None, workers: int
    ) -> None:
        """The sweep begins, or goes on.

        Args:
            objectives: what trials are chosen by.
            trials: the trials that there are already.
            planned: how many there are to be; None if a time ends the sweep.
            workers: how many train at once.
        """

    def trial_begun(self, trial: Trial) -> None:
        """A trial is trained from now on."""

    def trial_over(self, trial: Trial, best: Trial | None) -> None:
        """A trial is over.

        Args:
            trial: the trial.
            best: the best so far, this one included.
        """

    def noticed(self, message: str) -> None:
        """Something is not as it should be, but the sweep goes on."""


class Driver:
    """Trains the trials of a sweep, as many at once as there are workers.

    Args:
        folder: the folder of the sweep, as its writer.
        objectives: what trials are chosen by.
        sampler: chooses their values.
        planned: how many trials there are to be; None for as many as the time or the sampler allows.
        seconds: after how long no new trial is begun; None for no limit.
        workers: what trains them.
        arguments: arguments of ``train_trial`` beside the folder, as plain data.
        observer: receives the events.
        stop: may ask that training end after the steps that it is in.
        clock: returns a time in seconds.
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
        arguments: Mapping[str, Any],
        observer: SweepObserver,
        stop: StopRequest,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._objectives, self._sampler = folder, objectives, sampler
        self._planned, self._seconds = planned, seconds
        self._workers, self._arguments = workers, arguments
        self._observer, self._stop, self._clock = observer, stop, clock
        self.trials = {trial.number: trial for trial in folder.trials()}
        self._waiting = deque(trial.number for trial in self.trials.values() if may_go_on(trial))
        self._running: dict[Future[TrainingEnd], int] = {}
        self._failures: list[str] = []
        self._deaths: Counter[int] = Counter()
        self._began = clock() - max((trial.ended_at for trial in self.trials.values()), default=0.0)

    def run(self) -> None:
        """Train until nothing is left to do, or a stop is asked for.

        Raises:
            MlpkitError: a folder can't be read or written.
        """
        self._observer.began(self._objectives, list(self.trials.values()), self._planned, self._workers.count)
        while True:
            while not self._stop.reason and len(self._running) < self._workers.count:
                trial = self._next()
                if trial is None:
                    break
                self._begin(trial)
            if not self._running:
                return
            if self._stop.reason:
                self._workers.stop()
            done, _ = wait(self._running, timeout=SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=self._running.__getitem__):
                self._over(self._running.pop(future), future.result())

    def _next(self) -> Trial | None:
        """Return the trial to train next: one that was interrupted, or else a new one; None at the end."""
        if len(self._failures) >= MOST_FAILURES:
            return None
        if self._waiting:
            return self.trials[self._waiting.popleft()]
        number = max(self.trials, default=-1) + 1
        spent = self._clock() - self._began
        if self._planned is not None and number >= self._planned:
            return None
        if self._seconds is not None and spent >= self._seconds:
            return None
        values = self._sampler.values(number, [trial for _, trial in sorted(self.trials.items())])
        return None if values is None else self._folder.begin(number, values, round(spent, 3))

    def _begin(self, trial: Trial) -> None:
        self.trials[trial.number] = trial
        self._observer.trial_begun(trial)
        self._running[self._workers.submit(train_trial, trial.directory, **self._arguments)] = trial.number

    def _over(self, number: int, end: TrainingEnd) -> None:
        """Read from a trial's folder what came of it, and decide what to do with one that isn't over."""
        trial = self._folder.trial(number)
        death = end.death or (f"by {end.stopped}" if end.stopped else "")
        if death and not self._stop.reason and not trial.over:
            trial = self._after_death(trial, death)
        elif end.failure and not trial.over:  # its folder couldn't be written
            trial = replace(trial, state=FAILED, problem=end.failure)
        self.trials[number] = trial
        if trial.over:
            self._observer.trial_over(trial, best_of(self.trials.values(), self._objectives))
            self._count_failures(trial)

    def _after_death(self, trial: Trial, death: str) -> Trial:
        """Let a trial go on whose process died, or set it aside if it is the second one.

        Args:
            trial: the trial.
            death: what ended the process.
        """
        self._deaths[trial.number] += 1
        deaths = self._deaths[trial.number]
        if deaths >= MOST_DEATHS:
            return self._folder.set_aside(trial, f"{deaths} processes died of it, the last {death}")
        self._observer.noticed(f"trial {trial.number}: its process ended {death}; it goes on from its last checkpoint")
        self._waiting.append(trial.number)
        return trial

    def _count_failures(self, trial: Trial) -> None:
        """Count the trials in a row that failed for the same reason; those to come would most likely, too."""
        if trial.state != FAILED or self._deaths[trial.number] >= MOST_DEATHS:
            self._failures = []
            return
        self._failures = [each for each in self._failures if each == trial.problem] + [trial.problem]
        if len(self._failures) == MOST_FAILURES:
            self._observer.noticed(f"{MOST_FAILURES} trials in a row failed for the same reason, so no other is begun")


def ranked(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the finished trials, the best by the first objective first, and the earlier of equals."""
    first = objectives[0]
    finished = [trial for trial in trials if trial.state == FINISHED and first.key in trial.results]
    return sorted(finished, key=lambda trial: (first.cost(trial.results[first.key]), trial.number))


def best_of(trials: Iterable[Trial], objectives: Sequence[Objective]) -> Trial | None:
    """Return the best of the finished trials; None without any."""
    return next(iter(ranked(trials, objectives)), None)


def front_of(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the finished trials of which none is better by one objective and as good by the others.

    Args:
        trials: the trials.
        objectives: what they are chosen by.
    """
    costs = {
        trial.number: [each.cost(trial.results[each.key]) for each in objectives]
        for trial in trials
        if trial.state == FINISHED and all(each.key in trial.results for each in objectives)
    }
    return [
        trial
        for trial in trials
        if trial.number in costs and not any(_dominates(other, costs[trial.number]) for other in costs.values())
    ]


def _dominates(costs: Sequence[float], others: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(costs, others, strict=True)) and list(costs) != list(others)
