"""Examples and checks of engines: each trial is trained, the limit of concurrent trials is kept, and trials stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from mlpkit.components.engine import Workers
from mlpkit.errors import ComponentFailure, UsageError
from mlpkit.groups.engine_workers import WorkersOfEngine
from mlpkit.testing.suite.check import Arrays, CheckFailure, NotApplicable, checks_examples, described, require
from mlpkit.testing.suite.plugin_under_test import Example
from mlpkit.training.events import Observer, StopRequest, TrainingEnd

TRIALS: Final = 3
TIMEOUT: Final = 60
"""Seconds in which workers must start and train the trials."""

LONGEST_TRIAL: Final = 5
"""Seconds after which a trial ends if nothing stops it."""


class EngineExample(Example):
    """An engine that trains a few trials; each writes a file into its folder."""

    sample = "[{'queue': 'short'}]"

    @contextmanager
    def started(self, most: int | None = None) -> Iterator[Workers]:
        """Start workers, and end them at the end of the block."""
        try:
            started = self.make().start(most)
        except UsageError as error:
            raise NotApplicable(str(error)) from error
        try:
            workers = WorkersOfEngine(self.name, started)
            try:
                yield workers
            finally:
                workers.shutdown()
        except ComponentFailure as error:
            happened, _, expected = described(error).partition("; expected ")
            raise CheckFailure(happened, expected=expected or "no exception") from error

    def exercise(self) -> Arrays:
        """Return the steps of each trial, from its result and from its folder."""
        with TemporaryDirectory() as folder, self.started(1) as workers:
            directories = [Path(folder) / f"trial-{number}" for number in range(TRIALS)]
            ends = [workers.submit(trial, directory, steps=i) for i, directory in enumerate(directories)]
            results = [end.result(TIMEOUT) for end in ends]
            for result in results:
                expected = "the function to be called with its folder"
                require(not result.failure, f"a trial failed: {result.failure}", expected=expected)
            written = [int((directory / "steps").read_text()) for directory in directories]
        steps = np.array([result.steps for result in results])
        return {"the steps of trials": steps, "those in folders": np.array(written)}


def trial(directory: Path, *, steps: int, observer: Observer | None = None, stop: StopRequest) -> TrainingEnd:
    """Write the number of steps into a folder, instead of training; with -1 steps, wait to be stopped."""
    directory.mkdir()
    until = time.monotonic() + LONGEST_TRIAL
    while steps < 0 and not stop.reason and time.monotonic() < until:
        time.sleep(0.01)
    (directory / "steps").write_text(str(steps))
    return TrainingEnd(steps, stopped=stop.reason)


@checks_examples("engine")
def trains_every_trial(example: EngineExample) -> None:
    """Does the future of each trial have the result of the function?

    The driver of the sweep waits for it.
    """
    for what, steps in example.exercise().items():
        require(steps.tolist() == [*range(TRIALS)], f"{what} are {steps.tolist()}", expected=f"{[*range(TRIALS)]}")


@checks_examples("engine")
def says_how_many_train_at_once(example: EngineExample) -> None:
    """Are ``count`` and ``threads`` at least 1, and ``count`` at most the argument of ``start``?

    The driver starts ``count`` trials at once, each with ``threads`` cores.
    """
    for most in (1, 2, None):
        with example.started(most) as workers:
            count = workers.count  # raises an error unless it is an integer from 1 up
        require(most is None or count <= most, f"count is {count}", expected=f"at most {most}")


@checks_examples("engine")
def stops_a_trial(example: EngineExample) -> None:
    """After ``stop``, is a running trial asked to stop, and does its future get the result?

    Ctrl-C stops a sweep this way; the trial then saves a checkpoint.
    """
    with TemporaryDirectory() as folder, example.started(1) as workers:
        end = workers.submit(trial, Path(folder) / "trial-0", steps=-1)
        deadline = time.monotonic() + TIMEOUT
        while not (Path(folder) / "trial-0").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        workers.stop()
        result = end.result(TIMEOUT)
    expected, remedy = "its StopRequest to be stopped", "pass stop on to the function"
    require(result.stopped, "a trial continued after stop", expected=expected, remedy=remedy)
