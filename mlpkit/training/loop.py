"""The training loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.callback import Callback, Outcome, TrainingView, Weights
from mlpkit.components.dataset import Description, Split
from mlpkit.components.parameter import StepFactors
from mlpkit.components.schedule import START, OpenEndedProgress, Progress, Schedule, rate_at
from mlpkit.errors import DivergenceError
from mlpkit.network.component_errors import component_errors
from mlpkit.network.sequential import Sequential
from mlpkit.network.slices import NO_EXCHANGE
from mlpkit.specfile.sections import Training
from mlpkit.training.callbacks import CallbackGroup, callbacks_of
from mlpkit.training.checkpointing import (
    Best,
    CheckpointSchedule,
    CheckpointStore,
    Snapshot,
    check_metadata,
    copied_arrays,
    restore_arrays,
    tracker_of_checkpoint,
)
from mlpkit.training.divergence import require_finite, require_finite_losses, without_warnings
from mlpkit.training.evaluation import Evaluator, Record, evaluation_record, history_columns, history_of
from mlpkit.training.events import Observer, StopRequest, Watch
from mlpkit.training.gradient import StepGradient, clipper, watched
from mlpkit.training.minibatches import SAMPLERS, Augmenter, Examples, MicroBatches, MinibatchReader, RankRows
from mlpkit.training.ranks import ONE_RANK, Ranks
from mlpkit.training.update import OptimizerState, Updater, constrained
from mlpkit.training.workers import Workers, useful_workers

SECONDS_BETWEEN_REPORTS = 0.1


class Trainer:
    """Trains a network on a data set.

    Args:
        network: the network.
        splits: the data, by split; ``train`` must be there.
        description: shapes of the data.
        section: how to train.
        examples: what the steps learn from, if that isn't the training split as it is evaluated.
        steps: how many steps to do in place of the time or the epochs that the section sets; None for these.
        frozen: names of the layers that are left unchanged.
        factors: what weight decay and learning rate are multiplied by, by the parameter's path, where that is not what
            its layer declares.
        callbacks: callbacks in addition to the section's.
        evaluated: the splits that are evaluated as training goes, if the data set has them.
        observer: receives the events.
        stop: asked after each step whether to end.
        workers: how many threads share the work of a step; by default as many as the cores and the work allow.
        folder: the run folder, for callbacks to know.
        resolved: returns the values of the resolved spec by dotted key, for callbacks to know.
        store: where the run is saved, so that another trainer can resume it; None for nowhere.
        optimizer_state: where the optimizer continues from, and leaves its state; None for a fresh one.
        watches: what looks into the network as it is trained.
        ranks: the processes that train the network together; all but rank 0 call ``assist`` and not ``train``.

    Attributes:
        steps_per_epoch: steps of a pass over the training data.
        total_steps: steps of the whole training.
        weights_replaced: whether weights that the optimizer or a callback chose have taken the place of the last ones,
            at the end.
    """

    def __init__(
        self,
        network: Sequential,
        splits: Mapping[str, Split],
        description: Description,
        section: Training,
        *,
        examples: Examples | None = None,
        steps: int | None = None,
        frozen: Collection[str] = (),
        factors: Mapping[str, StepFactors] = MappingProxyType({}),
        callbacks: Sequence[Callback] = (),
        evaluated: Collection[str] = ("train", "validation"),
        observer: Observer | None = None,
        stop: StopRequest | None = None,
        workers: int | None = None,
        folder: Path | None = None,
        resolved: Callable[[], Mapping[str, Any]] = dict,
        store: CheckpointStore | None = None,
        optimizer_state: OptimizerState | None = None,
        watches: Sequence[Watch] = (),
        ranks: Ranks = ONE_RANK,
    ) -> None:
        network.freeze(frozen)  # what follows looks only at what is trained
        self.network = network
        self._trained = [path for path in network.parameters if path not in network.layout.frozen]
        self.section, self.frozen = section, frozen
        self.optimizer = section.optimizer()
        self.callbacks = [*callbacks_of(section, steps), *callbacks]
        self.history: list[Record] = []
        self.stopped = ""
        self.weights_replaced = False
        self._observer = observer or Observer()
        self._stop = stop or StopRequest()
        self._ranks = ranks
        self._workers = Workers(useful_workers(network, ranks.cores) if workers is None else workers)
        examples = examples or Examples(splits["train"], description)
        rows = section.batch_size * section.accumulate
        self._sampler = SAMPLERS[section.sampling](len(examples.split), rows, network.seed, drop_last=section.drop_last)
        self._micro_batches = MicroBatches(self._sampler, section.batch_size, section.accumulate)
        metrics = {metric.name: metric for metric in section.metrics if metric.component.table is None}
        self._evaluate = Evaluator(network, splits, description, metrics, ranks)
        self._evaluated = evaluated_splits(section, [split for split in splits if split in evaluated])
        clip = clipper(network, section.clip)
        self._watches = watches
        in_each_step = [watch for watch in watches if watch.each_step]
        self._clip = watched(clip, in_each_step) if in_each_step else clip
        self.steps_per_epoch = steps_per_epoch = self._sampler.steps_per_epoch
        self.total_steps = section.iterations or steps or (section.epochs or 0) * steps_per_epoch or sys.maxsize
        self._open_ended = section.seconds is not None
        self.progress = OpenEndedProgress() if self._open_ended else Progress(0, 0.0, total_steps=self.total_steps)
        self._update = Updater(self.optimizer, network, optimizer_state, factors, self.progress)
        self._constrained_update = constrained(self._update, network, section.max_weight_norm or {})
        self._gradient = self._step_gradient(*examples)
        self._evaluate_every = section.evaluate_every or steps_per_epoch
        self._view = TrainingView(
            self.progress, network.parameters, folder, self.history, weights_of(network), resolved
        )
        self._callbacks = CallbackGroup(self.callbacks, self._view)
        self._store = store
        self._triggers = section.checkpoint if store is not None else None
        self._best = tracker_of_checkpoint(section)
        self._last_rate: float | None = None
        with component_errors(f"optimizer {self.optimizer.registered_name} has no learning rate"):
            self._rate_changes = isinstance(self.optimizer.learning_rate, Schedule)

    def train(self) -> list[Record]:
        """Train to the end, or until something asks to stop, and return the history, or raise ``DivergenceError``.

        If the loss of a step was not finite, the parameters are those before it.
        """
        with self._network_to_itself():
            return self._train()

    def assist(self) -> None:
        """Do this rank's part of the training that rank 0 leads, until rank 0 ends it."""
        tasks: dict[str, Callable[..., object]] = {
            "begin": self._begin,
            "step": self._step,
            "evaluate": self._assist_evaluation,
            "synchronize": self._synchronize,
        }
        with self._network_to_itself(), without_warnings(), self.network.computing(), self._workers:
            self.network.map = self._workers.map
            self._ranks.follow(tasks)

    @contextmanager
    def _network_to_itself(self) -> Iterator[None]:
        """Let the network be that of this training inside the block."""
        network = self.network
        network.freeze(self.frozen)
        network.set_precision(self.section.precision)
        network.follow(self.progress)
        network.exchange = self._ranks
        try:
            yield
        finally:
            network.exchange = NO_EXCHANGE
            network.follow(START)
            network.set_precision("float32")
            network.freeze(())

    def _train(self) -> list[Record]:
        self._observer.started(None if self._open_ended else self.total_steps)
        if self._update.stand_in is not None:
            self._view.stand_in = Weights(self._update.stand_in, self.network.replicas[0].state)
        self._callbacks.start()
        try:
            with without_warnings(), self.network.computing(), self._workers:
                self.network.map = self._workers.map
                self._ranks.on_all_ranks("begin", self._begin)(self.progress.step)
                for watch in self._watches:
                    watch.began(self._view, self._learning_rate())
                self._loop()
        except DivergenceError:
            with without_warnings(), self.network.computing():
                for watch in self._watches:
                    watch.diverged(self._learning_rate())
            raise
        finally:
            self._observer.ended()
            self._callbacks.tell("on_end")
        if self._view.stand_in is not None:
            self._update.remember_parameters()
            replace_weights(self.network, self._view.stand_in)
            self.weights_replaced = True
        return self.history

    def close(self, outcome: Outcome) -> None:
        """Tell the callbacks how the run ended, once its files are written."""
        self._callbacks.tell("on_close", outcome)

    def snapshot(self) -> Snapshot:
        """Return all that the rest of the training depends on; it shares nothing with the trainer."""
        arrays = copied_arrays(self.network, self._update.slots, self._trained) | history_columns(self.history)
        tracker = self._best
        metadata = {
            "step": self.progress.step,
            "learning_rate": self._last_rate,
            "stop_reason": self._view.stop_reason,
            "history": list(self.history[0]) if self.history else [],
            "best": tracker.best and list(tracker.best) if tracker else None,
            "callbacks": self._callbacks.state(arrays),
            "slots_version": self.optimizer.slots_version,
        }
        return Snapshot(arrays, metadata)

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot, to the same bits as without the break, or raise ``ModelFileError``."""
        arrays, metadata = snapshot
        keys = self._evaluate.keys(self._evaluated)
        callbacks = len(self.callbacks)
        check_metadata(metadata, total_steps=self.total_steps, history_keys=keys, callbacks=callbacks)
        history = history_of(arrays, metadata["history"])
        restore_arrays(self.network, self._update.slots, arrays, self._trained)
        self._upgrade_slots(metadata["slots_version"])
        self.history[:] = history
        self.progress.step = snapshot.step
        self.progress.epoch = snapshot.step / self.steps_per_epoch
        self._last_rate = metadata["learning_rate"]
        self._view.stop_reason = metadata["stop_reason"]
        if self._best and metadata["best"]:
            self._best.best = Best(*metadata["best"])
        self._callbacks.load_state(metadata["callbacks"], arrays)
        for replica in self.network.replicas:
            replica.position.step = self._micro_batches.of_step(snapshot.step - 1)[-1] if snapshot.step else 0

    def rows_of_step(self, step: int) -> Array:
        """Return the positions in the training split of the examples of a step, which is numbered from 1."""
        return self._sampler.indices(step - 1).copy()

    def _upgrade_slots(self, version: int) -> None:
        optimizer = self.optimizer
        if version != optimizer.slots_version:
            self._update.upgrade_slots(version)
            self._observer.noticed(
                f"the slots of optimizer {optimizer.registered_name} were saved by an earlier version of it, and are "
                "converted; the same bits as without the break are no longer guaranteed"
            )

    def _step_gradient(self, split: Split, description: Description) -> StepGradient:
        """Return what reads the rows of a step, this rank's or all, and computes their gradient."""
        network, section = self.network, self.section
        chosen = self._sampler if section.accumulate == 1 else self._micro_batches
        steps = self.total_steps * section.accumulate
        read = partial(MinibatchReader, split=split, description=description, dtype=network.dtype, steps=steps)
        read_whole = partial(read, chosen, batch_size=section.batch_size)
        augmentations = [augmentation() for augmentation in section.augment]
        augment = Augmenter(augmentations, network.seed) if augmentations else None
        if self._ranks.size == 1 or augment is not None:  # an augmentation draws numbers for the whole minibatch
            return StepGradient(network, self._micro_batches, read_whole(), augment)
        own = RankRows(chosen, network.slices, network.own_slices)
        read_own = read(own, batch_size=own.most_rows(section.batch_size))
        return StepGradient(network, self._micro_batches, read_own, own=own, read_whole=read_whole)

    def _begin(self, step: int) -> None:
        """Have all ranks start from what rank 0 has, after a number of steps."""
        network, progress = self.network, self.progress
        progress.step, progress.epoch = step, step / self.steps_per_epoch
        self._rate = self._learning_rate() if self._last_rate is None else self._last_rate
        self._synchronize()
        network.set_training(True)

    def _synchronize(self) -> None:
        """Have all ranks continue with what rank 0 has: processors that round differently would diverge."""
        slots = (slot.flat for slot in self._update.slots.values())
        for array in (self.network.values, self.network.replicas[0].state, *slots):
            self._ranks.broadcast(array)

    def _step(self) -> float:
        """Take a step, and return the loss of its examples."""
        progress, step = self.progress, self.progress.step
        loss = self._gradient(step, self._rate)
        if self._rate_changes:
            self._rate = self._learning_rate()
        if self._clip is not None:
            self._clip()
        self._constrained_update(self._rate, step + 1)
        progress.step = step + 1
        progress.epoch = progress.step / self.steps_per_epoch
        return loss

    def _assist_evaluation(self, splits: list[str], predicts: bool) -> None:
        """Evaluate the weights of rank 0, which may stand in for the trained ones until ``synchronize``."""
        self._evaluate.assist(splits, predicts)
        self.network.set_training(True)

    def _loop(self) -> None:
        network, progress = self.network, self.progress
        callbacks = self._callbacks if self.callbacks else None
        take_step = self._ranks.on_all_ranks("step", self._step)
        stop, view, total = self._stop, self._view, self.total_steps
        clock = time.perf_counter
        began = clock()
        next_report = began
        schedule = CheckpointSchedule(self._triggers, self.steps_per_epoch)
        step = progress.step
        next_save = schedule.next_step(step)
        if self._evaluation_is_due():  # a run that was stopped before it
            self._record(clock() - began)
        next_evaluation = min(step - step % self._evaluate_every + self._evaluate_every, total)
        network.set_training(True)
        while step < total and not (view.stop_reason and step):
            if step + 1 == next_evaluation:
                for watch in self._watches:
                    watch.before_evaluated_step()
            loss = take_step()
            step += 1
            if callbacks is not None:
                callbacks.tell("on_step", loss)
            now = clock()
            if now >= next_report:
                self._report(loss)
                next_report = clock() + SECONDS_BETWEEN_REPORTS
            if stop.reason:
                break
            if step == next_evaluation or view.stop_reason:
                self._record(clock() - began)
                if view.stop_reason or stop.reason:
                    break
                next_evaluation = min(step + self._evaluate_every, total)
                network.set_training(True)
            if step == next_save or now >= schedule.deadline:
                self._save()
                next_save = schedule.next_step(step)
                schedule.restart_clock()
        self.stopped = stop.reason or view.stop_reason
        if stop.reason:
            self._save()

    def _report(self, loss: float) -> None:
        self._observer.stepped(self.progress, loss)
        if self._store is not None:
            self._store.raise_failure()

    def _learning_rate(self) -> float:
        with component_errors("the schedule of the learning rate failed"):
            return rate_at(self.optimizer.learning_rate, self.progress)

    def _evaluation_is_due(self) -> bool:
        """Whether the evaluation after the step that was done last is still to come."""
        step = self.progress.step
        done = bool(self.history) and self.history[-1]["iteration"] == step
        due = step % self._evaluate_every == 0 or step == self.total_steps or self._view.stop_reason
        return step > 0 and not done and bool(due)

    def _record(self, seconds: float) -> None:
        step, learning_rate = self.progress.step, self._rate
        require_finite(self.network, self._update.slots, step, learning_rate)
        with swapped_weights(self.network, self._view.stand_in):
            results = self._evaluate(self._evaluated)
            require_finite_losses(results, step, learning_rate)
            record = evaluation_record(step, self.progress.epoch, learning_rate, results)
            self.history.append(record)
            self._observer.evaluated(record, seconds)
            self._callbacks.tell("on_evaluation", record)
        self._ranks.on_all_ranks("synchronize", self._synchronize)()
        for watch in self._watches:
            watch.evaluated(learning_rate, last=step == self.total_steps or bool(self._view.stop_reason))
        tracker = self._best
        if tracker is not None and tracker.improved(record) and self._store is not None:
            self._last_rate = learning_rate
            self._store.save(self.snapshot(), best=True)

    def _save(self) -> None:
        if self._store is not None:
            require_finite(self.network, self._update.slots, self.progress.step, self._rate)
            self._last_rate = self._rate
            self._store.save(self.snapshot())


def evaluated_splits(section: Training, splits: Collection[str]) -> list[str]:
    """Return the splits that are evaluated as training goes; something is, even without validation data."""
    found = [split for split in ("train", "validation") if split in splits]
    only_others = [split for split in found if split != "train"]
    return found if section.evaluate_train or not only_others else only_others


def weights_of(network: Sequential) -> Weights:
    """Return a network's parameters and layers' state; to write into them changes the network."""
    return Weights(network.values, network.replicas[0].state)


def replace_weights(network: Sequential, stand_in: Weights) -> None:
    """Write weights into a network; frozen parameters stay as they are."""
    with component_errors("a callback's stand_in can't take the place of the weights"):
        values, state = (
            np.reshape(other, array.shape) for array, other in zip(weights_of(network), stand_in, strict=True)
        )
        for begin, end in network.layout.trained():
            np.copyto(network.values[begin:end], values[begin:end])
        np.copyto(network.replicas[0].state, state)


@contextmanager
def swapped_weights(network: Sequential, stand_in: Weights | None) -> Iterator[None]:
    """Replace a network's weights for the duration of a block, if there are others."""
    if stand_in is None:
        yield
        return
    trained = weights_of(network).copy()
    replace_weights(network, stand_in)
    try:
        yield
    finally:
        replace_weights(network, trained)
