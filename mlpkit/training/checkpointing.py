"""When a training run is saved, and at which evaluation it was best."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mlpkit.runs.json_files import decisive_split
from mlpkit.specfile.sections import CheckpointSection, Training
from mlpkit.training.snapshot import Snapshot


class CheckpointStore(Protocol):
    """Keeps snapshots of a run, perhaps in the background."""

    def raise_failure(self) -> None:
        """Raise what went wrong with an earlier snapshot, if that is known and was not raised before."""

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Keep a snapshot to resume from, or as the best so far."""


class CheckpointSchedule:
    """Decides after which steps a run is saved; without a section, after none."""

    def __init__(self, section: CheckpointSection | None, steps_per_epoch: int) -> None:
        periods = (section.every, (section.every_epochs or 0) * steps_per_epoch) if section else ()
        self._periods = [period for period in periods if period]
        self._seconds = (section and section.every_seconds) or math.inf
        self.deadline = time.perf_counter() + self._seconds
        """When a step is done at this time or later, the run is due, however many steps that were."""

    def next_step(self, step: int) -> int:
        """Return the step after which the run is due next, regardless of the clock."""
        return min((step - step % period + period for period in self._periods), default=sys.maxsize)

    def restart_clock(self) -> None:
        """Move the deadline, once the run was saved because of it."""
        self.deadline = time.perf_counter() + self._seconds


class Best(NamedTuple):
    """The best evaluation of a run so far."""

    step: int
    value: float


@dataclass
class BestTracker:
    """Compares evaluations by the loss or a metric; one that is not finite is never the best.

    A value counts as better by more than ``minimum_change``, or if it equals the best and ``last_of_equals`` is set.
    """

    monitor: str
    higher_is_better: bool = False
    minimum_change: float = 0.0
    last_of_equals: bool = False
    best: Best | None = field(default=None, init=False)

    def key(self, record: Mapping[str, float]) -> str:
        """Return the key of the value: of the validation data, or without any of the training data."""
        return f"{decisive_split(record)}_{self.monitor}"

    def improved(self, record: Mapping[str, float]) -> bool:
        """Take in an evaluation, and return whether it is the best so far."""
        value = record[self.key(record)]
        if not math.isfinite(value):
            return False
        gain = math.inf if self.best is None else (value - self.best.value) * (1 if self.higher_is_better else -1)
        if not (gain > self.minimum_change or (self.last_of_equals and gain == 0)):
            return False
        self.best = Best(int(record["iteration"]), value)
        return True


def tracker_of(section: Training, history: Sequence[Mapping[str, float]]) -> BestTracker:
    """Return the tracker of a run's best evaluation, which has seen the evaluations so far."""
    saving, stopping = section.checkpoint, section.early_stopping
    monitor = section.best_weights or (saving and saving.best) or (stopping and stopping.metric) or "loss"
    tracker = _tracker(section, monitor)
    for record in history:
        if tracker.key(record) in record:  # history.jsonl leaves out what is not finite
            tracker.improved(record)
    return tracker


def tracker_of_checkpoint(section: Training) -> BestTracker | None:
    """Return what tracks the evaluation at which a run is saved as the best so far; None if it isn't."""
    monitor = section.checkpoint and section.checkpoint.best
    return _tracker(section, monitor) if monitor else None


def _tracker(section: Training, monitor: str) -> BestTracker:
    return BestTracker(monitor, higher_is_better(section, monitor), last_of_equals=section.ties == "last")


def higher_is_better(section: Training, monitor: str) -> bool:
    """Whether larger values of the loss, or of one of the metrics, are better."""
    return any(metric.name == monitor and metric.component.higher_is_better for metric in section.metrics)
