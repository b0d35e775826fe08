"""Engines that break what engines promise."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from kill_matrix import caught_by
from sound import Processes

from mlpkit import LocalWorkers, StopRequest, TrainingEnd


@caught_by("trains_every_trial")
class ForgetsTheEnd(Processes):
    """says that trials ended before they did a step"""

    def start(self, most):
        class Workers(LocalWorkers):
            def submit(self, function, directory, **arguments):
                super().submit(function, directory, **arguments).result()
                end = Future()
                end.set_result(TrainingEnd())
                return end

        return Workers(most)


@caught_by("says_how_many_train_at_once")
class TakesAllTheCores(Processes):
    """starts two workers, however many may train at once"""

    def start(self, most):
        return LocalWorkers(2)


@caught_by("stops_a_trial")
class GoesOn(Processes):
    """doesn't hand the stop on to trials"""

    def start(self, most):
        return Deaf(most)


class Deaf:
    threads = 1

    def __init__(self, most):
        self.count = most or 1
        self.threads_of_trials = ThreadPoolExecutor(self.count)

    def submit(self, function, directory, *, timeout=None, **arguments):
        return self.threads_of_trials.submit(function, directory, **arguments, stop=StopRequest())

    def stop(self):
        pass

    def shutdown(self):
        self.threads_of_trials.shutdown()


@caught_by("says_how_many_train_at_once")
class HasNoPlaces(Processes):
    """says that no trial trains at a time"""

    def start(self, most):
        workers = Deaf(most)
        workers.count = 0
        return workers


@caught_by("can_be_used")
class HasNoCores(Processes):
    """says that a trial has no cores"""

    def start(self, most):
        workers = Deaf(most)
        workers.threads = 0
        return workers


@caught_by("can_be_used")
class LosesTheFolder(Processes):
    """has trials fail, as it makes their folder itself"""

    def start(self, most):
        return Hasty(most)


class Hasty(Deaf):
    def submit(self, function, directory, **arguments):
        directory.mkdir()
        return super().submit(function, directory, **arguments)
