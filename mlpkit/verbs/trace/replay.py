"""Doing the steps of a run again, up to one of them, to the same bits, and copying what goes through the network."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpkit.array import Array
from mlpkit.components.schedule import rate_at
from mlpkit.errors import DivergenceError, UsageError
from mlpkit.jobs.resume_network import Reopened, reopened
from mlpkit.jobs.run_inputs import GivenExamples
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.network.watching import WatchedMinibatch, watched
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.spec import Spec
from mlpkit.training.events import Event, Observer, ObserverGroup, StopRequest, Watch
from mlpkit.training.loop import Trainer


@dataclass(frozen=True)
class Replay:
    """A repeated step, and the network after it, whose trainer must not train further.

    The first ``began_after`` steps weren't repeated, since a checkpoint has their result. There are several minibatches
    if their gradients were accumulated. ``before`` has all parameters before the step; the gradient, also as clipped
    for the optimizer, is None if the training diverged, which ``divergence`` describes.
    """

    trainer: Trainer
    run: Reopened
    began_after: int
    learning_rate: float
    loss: float
    minibatches: list[WatchedMinibatch]
    before: Array
    gradient: Array | None
    clipped: Array | None
    divergence: str


@contextmanager
def replayed(
    directory: Path,
    step: int,
    *,
    example: int | None,
    registry: Registry,
    examples: GivenExamples | None,
    observer: Observer,
) -> Iterator[Replay]:
    """Do a step of a run again, and give what it was made of; in the block, products run on the run's threads.

    The trainer is the run's, without evaluations and callbacks, which change nothing in what is trained. The observer
    also learns which steps a checkpoint has done. Arguments and errors are as of ``mlpkit.trace``.
    """
    folder = RunFolder.open(directory)
    _require_done(folder, step)
    with reopened(folder, step, "traced", registry, examples, observer) as run:
        watch = _StepWatch(run.network)
        reports = ObserverGroup([watch.take_loss])
        trainer = run.training.bare_trainer(run.network, observer=reports, stop=watch.stop, watches=[watch])
        _require_not_later(folder, step, trainer, run.proved.spec)
        if example is not None:
            check_example(example, step, len(trainer.rows_of_step(step)))
        if run.snapshot is not None:
            trainer.restore(run.snapshot._replace(metadata={**run.snapshot.metadata, "callbacks": []}))
        began_after = trainer.progress.step
        observer.resumed(began_after)
        _go_to(step - 1, trainer, watch, directory)
        yield _watched_step(trainer, watch, run, began_after)


class _StepWatch(Watch):
    """Stops a training after some steps, and keeps the gradient of a step, before and after it is clipped.

    ``loss`` is that of the step that was reported last; the first one is always reported.
    """

    each_step = True

    def __init__(self, network: Sequential) -> None:
        self._network = network
        self._steps_left = 0
        self.stop = StopRequest()
        self.keeps = False
        self.kept: list[Array] = []
        self.loss = math.nan

    def train(self, trainer: Trainer, steps: int) -> None:
        """Do some steps."""
        if steps:
            self.stop.reason, self._steps_left = "", steps
            trainer.train()

    def take_loss(self, event: Event) -> None:
        """Remember the loss of a reported step."""
        if event.kind == "stepped":
            _, self.loss = event.data

    def gradient(self) -> None:
        """Keep the gradient that is not clipped."""
        self._keep()

    def clipped(self) -> None:
        """Keep the clipped gradient, and stop if this is the last step."""
        self._keep()
        self._steps_left -= 1
        if not self._steps_left:
            self.stop.stop("the step is done")

    def _keep(self) -> None:
        if self.keeps:
            self.kept.append(self._network.gradient_values.copy())


def _go_to(step: int, trainer: Trainer, watch: _StepWatch, directory: Path) -> None:
    """Do all steps up to that one, or raise ``UsageError`` if the training ended before."""
    ended = ""
    try:
        watch.train(trainer, step - trainer.progress.step)
    except DivergenceError as error:
        ended = f": {error}"
    done = trainer.progress.step
    if done < step:
        last = done + 1 if ended else done  # the step that diverged can be looked at
        raise _no_such_step(directory, step + 1, f"from 1 to {last:,}, its last{ended}")


def _watched_step(trainer: Trainer, watch: _StepWatch, run: Reopened, began_after: int) -> Replay:
    with component_errors("the schedule of the learning rate failed"):
        learning_rate = rate_at(trainer.optimizer.learning_rate, trainer.progress)
    before, divergence = trainer.network.values.copy(), ""
    watch.keeps = True
    with watched(trainer.network) as minibatches:
        try:
            watch.train(trainer, 1)
        except DivergenceError as error:
            divergence, watch.loss = str(error), minibatches[-1].loss
    gradient, clipped = watch.kept or (None, None)
    loss = watch.loss
    return Replay(trainer, run, began_after, learning_rate, loss, minibatches, before, gradient, clipped, divergence)


def _require_done(folder: RunFolder, step: int) -> None:
    """Check that a step has a number, and that a run that is finished came so far."""
    if _index(step) < 1:
        raise UsageError(f"{step!r} is not a step; steps are numbered from 1")
    if folder.finished:
        last = max((int(record["iteration"]) for record in folder.read_history()), default=0)
        if step > last:
            raise _no_such_step(folder.directory, step, f"from 1 to {last:,}, its last")


def _require_not_later(folder: RunFolder, step: int, trainer: Trainer, spec: Spec) -> None:
    """Check that a run that is not finished may have come so far: it didn't reach the next evaluation."""
    if folder.finished:
        return
    every = spec.training.evaluate_every or trainer.steps_per_epoch
    evaluated = max((int(record["iteration"]) for record in folder.read_history()), default=0)
    known = max(evaluated, *folder.checkpoints.steps(), 0)
    last = min(known - known % every + every, trainer.total_steps)
    if step > last:
        why = f"the run is not finished, and its folder has records of {known:,} steps"
        raise _no_such_step(folder.directory, step, f"from 1 to {last:,}: {why}")


def check_example(number: int, step: int, count: int) -> None:
    """Raise ``UsageError`` if the minibatch of a step doesn't have an example of that number, from 1."""
    if _index(number) not in range(1, count + 1):
        raise UsageError(f"step {step:,} has no example {number}; its minibatch has examples 1 to {count}")


def _index(number: Any) -> int:
    """Return a whole number as Python has it; -1 for what isn't one."""
    try:
        return operator.index(number)
    except TypeError:
        return -1


def _no_such_step(directory: Path, step: int, expected: str) -> UsageError:
    return UsageError(f"{directory}: has no step {step:,}; expected one {expected}")
