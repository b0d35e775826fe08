"""The training loop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlpkit.components.callback import TrainingView
from mlpkit.components.schedule import Progress, Schedule, rate_at
from mlpkit.network.blame import Blame
from mlpkit.training.batches import Augmenter
from mlpkit.training.callbacks import CallbackGroup
from mlpkit.training.divergence import expect_finite_losses, refuse_loss, without_warnings
from mlpkit.training.evaluation import Evaluator
from mlpkit.training.history import Record, evaluation_record
from mlpkit.training.minibatches import MinibatchReader
from mlpkit.training.observer import Observer
from mlpkit.training.sampling import SAMPLERS
from mlpkit.training.stopping import StopRequest
from mlpkit.training.update import Updater
from mlpkit.training.workers import Workers, useful_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlpkit.components.augmentation import Augmentation
    from mlpkit.components.callback import Callback
    from mlpkit.components.dataset import Description, Split
    from mlpkit.components.metric import Metric
    from mlpkit.components.optimizer import Optimizer
    from mlpkit.network.sequential import Sequential

SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class Settings:
    """How to train.

    Args:
        optimizer: how gradients change the parameters.
        batch_size: examples of a minibatch.
        sampling: ``shuffle`` or ``with_replacement``.
        iterations: steps to train for; None to count in epochs.
        epochs: passes over the training data to train for; None to count in steps.
        evaluate_every: steps between evaluations; None for once an epoch.
        metrics: makers of metric objects, by name.
        augmentations: changes to training inputs.
        callbacks: what follows training and may end it.
    """

    optimizer: Optimizer
    batch_size: int
    sampling: str = "shuffle"
    iterations: int | None = None
    epochs: int | None = None
    evaluate_every: int | None = None
    metrics: Mapping[str, Callable[[], Metric]] = field(default_factory=dict)
    augmentations: Sequence[Augmentation] = ()
    callbacks: Sequence[Callback] = ()


class Trainer:
    """Trains a network on a data set.

    Args:
        network: the network.
        splits: the data, by split; ``train`` must be there.
        description: shapes of the data.
        settings: how to train.
        observer: is told how it goes.
        stop: asked after each step whether to end.
        workers: how many threads share the work of a step; by default as many as there are cores and work for.
        folder: the run folder, for callbacks to know.
    """

    def __init__(
        self,
        network: Sequential,
        splits: Mapping[str, Split],
        description: Description,
        settings: Settings,
        *,
        observer: Observer | None = None,
        stop: StopRequest | None = None,
        workers: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self.network = network
        self.settings = settings
        self.history: list[Record] = []
        self.stopped = ""
        self._observer = observer or Observer()
        self._stop = stop or StopRequest()
        self._workers = Workers(useful_workers(network) if workers is None else workers)
        examples = len(splits["train"])
        self._sampler = SAMPLERS[settings.sampling](examples, settings.batch_size, network.seed)
        self._evaluate = Evaluator(network, splits, description, settings.metrics)
        self._augment = Augmenter(settings.augmentations, network.seed) if settings.augmentations else None
        self._update = Updater(settings.optimizer, network)
        self._steps_per_epoch = steps_per_epoch = self._sampler.steps_per_epoch
        total = settings.iterations if settings.iterations is not None else (settings.epochs or 0) * steps_per_epoch
        self.progress = Progress(step=0, epoch=0.0, total_steps=total)
        self._minibatch = MinibatchReader(
            self._sampler,
            splits["train"],
            description,
            network.dtype,
            batch_size=settings.batch_size,
            steps=total,
        )
        self._evaluate_every = settings.evaluate_every or steps_per_epoch
        self._view = TrainingView(self.progress, network.parameters, folder)
        self._callbacks = CallbackGroup(settings.callbacks, self._view)

    def train(self) -> list[Record]:
        """Train to the end, or until something asks to stop, and return the history.

        Raises:
            DivergenceError: a loss was not finite. If it was that of a step, the parameters are those before it.
        """
        self._observer.started(self.progress.total_steps)
        self._callbacks.start()
        try:
            with without_warnings(), self._workers:
                self.network.map = self._workers.map
                self._loop()
        finally:
            self._observer.ended()
            self._callbacks.end()
        return self.history

    def _loop(self) -> None:
        network, progress, settings = self.network, self.progress, self.settings
        minibatch, update, augment = self._minibatch, self._update, self._augment
        callbacks = self._callbacks if settings.callbacks else None
        stop, view, total = self._stop, self._view, progress.total_steps
        clock = time.perf_counter
        began = clock()
        next_report = began
        next_evaluation = min(self._evaluate_every, total)
        learning_rate = self._learning_rate()
        changing = isinstance(settings.optimizer.learning_rate, Schedule)
        network.set_training(True)
        step = progress.step
        while step < total:
            x, t = minibatch(step)
            if augment is not None:
                x = augment(x, step)
            loss = network.loss_and_gradient(x, t, step)
            if not math.isfinite(loss):
                refuse_loss(loss, step + 1, learning_rate)
            if changing:
                learning_rate = self._learning_rate()
            step += 1
            update(learning_rate, step)
            progress.step = step
            progress.epoch = step / self._steps_per_epoch
            if callbacks is not None:
                callbacks.step(loss)
            if clock() >= next_report:
                self._observer.stepped(progress, loss)
                next_report = clock() + SECONDS_BETWEEN_REPORTS
            if stop.reason:
                break
            if step == next_evaluation or view.stop_reason:
                self._record(learning_rate, clock() - began)
                if view.stop_reason:
                    break
                next_evaluation = min(step + self._evaluate_every, total)
                network.set_training(True)
        self.stopped = stop.reason or view.stop_reason

    def _learning_rate(self) -> float:
        with Blame("the schedule of the learning rate failed"):
            return rate_at(self.settings.optimizer.learning_rate, self.progress)

    def _record(self, learning_rate: float, seconds: float) -> None:
        figures = self._evaluate(("train", "validation"))
        record = evaluation_record(self.progress.step, self.progress.epoch, learning_rate, figures)
        self.history.append(record)
        self._observer.evaluated(record, seconds)
        self._callbacks.evaluation(record)
        expect_finite_losses(figures, self.progress.step, learning_rate)
