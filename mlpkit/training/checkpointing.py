"""When a training run is saved, and at which evaluation it was best."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.training.snapshot import Snapshot


class CheckpointStore(Protocol):
    """Keeps snapshots of a run, perhaps while the run goes on."""

    @property
    def failed(self) -> bool:
        """Whether something went wrong with an earlier snapshot; to keep the next one raises it."""

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, so that a run can go on from it."""

    def save_best(self, snapshot: Snapshot) -> None:
        """Keep a snapshot as the best so far."""


@dataclass(frozen=True)
class CheckpointTriggers:
    """When to save a run.

    Args:
        every: steps between checkpoints, or None.
        every_epochs: passes over the training data between checkpoints, or None.
        every_seconds: seconds between checkpoints, or None.
    """

    every: int | None = None
    every_epochs: int | None = None
    every_seconds: float | None = None


class CheckpointSchedule:
    """Says after which steps a run is to be saved.

    Args:
        occasions: when to save it.
        steps_per_epoch: steps of a pass over the training data.
    """

    def __init__(self, occasions: CheckpointTriggers, steps_per_epoch: int) -> None:
        periods = (occasions.every, occasions.every_epochs and occasions.every_epochs * steps_per_epoch)
        self._periods = [period for period in periods if period]
        self._seconds = occasions.every_seconds
        self._deadline = time.monotonic() + (self._seconds or math.inf)

    def due(self, step: int) -> bool:
        """Whether the run is to be saved now, after that many steps."""
        if any(step % period == 0 for period in self._periods) and step > 0:
            return True
        if time.monotonic() < self._deadline:
            return False
        self._deadline = time.monotonic() + (self._seconds or math.inf)
        return True


class Best(NamedTuple):
    """The best evaluation of a run so far.

    Args:
        step: when it was.
        value: the figure.
    """

    step: int
    value: float


@dataclass
class BestTracker:
    """Compares evaluations by one figure; one that is not finite is never the best.

    Args:
        figure: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
        minimum_change: by how much a figure must be better to count.
        best: the best evaluation so far.
    """

    figure: str
    higher_is_better: bool = False
    minimum_change: float = 0.0
    best: Best | None = field(default=None, init=False)

    def improved(self, record: Mapping[str, float]) -> bool:
        """Take in an evaluation, and say whether it is better than all before it.

        The figure is that of the validation data, or of the training data where there are no others.
        """
        value = record.get(f"validation_{self.figure}", record[f"train_{self.figure}"])
        if not math.isfinite(value):
            return False
        gain = math.inf if self.best is None else (value - self.best.value) * (1 if self.higher_is_better else -1)
        if gain <= self.minimum_change:
            return False
        self.best = Best(int(record["iteration"]), value)
        return True
