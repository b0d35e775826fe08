"""A training that goes forward and back, to the same bits, and can be changed between two steps."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from mlpkit.components.dataset import Split
from mlpkit.components.schedule import START, rate_at
from mlpkit.errors import ModelFileError, UsageError
from mlpkit.jobs.folds import Rows
from mlpkit.jobs.open_training import OpenTraining, open_training
from mlpkit.jobs.prove import SpecProof
from mlpkit.jobs.spec_data import evenly_spaced
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.evaluation import Evaluator, Record, evaluation_record
from mlpkit.training.events import StopRequest
from mlpkit.training.loop import Trainer
from mlpkit.verbs.play.text import SpecText

MOST_MOMENTS: Final = 48
"""Moments that are remembered, changes left out; between them, steps are done again on the way back."""
MOST_BYTES: Final = 256 * 1024**2
"""What all moments may take together; the first ones are forgotten."""
MOST_RECORDS: Final = 600
FEWEST_ROWS: Final = 100
WORK: Final = 1e10
"""Operations that an evaluation, or a picture of predictions, may take, so that a page stays alive."""


class Setup(NamedTuple):
    """A spec at work: its text, its open data, what takes the steps, and what evaluates."""

    text: SpecText
    opened: OpenTraining
    trainer: Trainer
    evaluate: Evaluator


class Moment(NamedTuple):
    """A training between two steps; ``changed`` if a person has changed something there."""

    setup: Setup
    snapshot: Snapshot
    changed: bool


class PlayedTraining:
    """The training of a spec, step by step.

    The steps are those of ``mlpkit run``, to the bit. A change, of the training's options or of a weight, is undone by
    ``back``, too: before it, the training has its former options.

    Args:
        text: the spec's text.
        proved: the spec.
        splits: its data, if it is open.
    """

    def __init__(self, text: SpecText, proved: SpecProof, splits: Mapping[str, Split] | None = None) -> None:
        self._stack = ExitStack()
        self._until = _Until()
        opened = self._stack.enter_context(open_training(proved, splits=splits))
        self.network = opened.network()
        self.records: list[Record] = []
        self._gap = 1
        setup = self._setup(text, opened)
        self._moments = [Moment(setup, setup.trainer.snapshot(), changed=True)]
        self._record()

    def close(self) -> None:
        """Let matrix products have their own threads again."""
        self._stack.close()

    @property
    def setup(self) -> Setup:
        """What takes the next step, and how."""
        return self._moments[-1].setup

    @property
    def trainer(self) -> Trainer:
        """What takes the next step."""
        return self.setup.trainer

    @property
    def step(self) -> int:
        """Steps done."""
        return self.trainer.progress.step

    @property
    def first_step(self) -> int:
        """How far ``back`` can go."""
        return self._moments[0].snapshot.step

    @property
    def total(self) -> int | None:
        """Steps of the whole training; None if it has no end."""
        total = self.trainer.total_steps
        return None if total == sys.maxsize else total

    def forward(self, steps: int, seconds: float = float("inf")) -> None:
        """Do some steps, or fewer if the time is over, and evaluate, or raise ``DivergenceError``."""
        if self.total is not None and self.step >= self.total:
            raise UsageError(f"all {self.total:,} steps of the spec are done; give it more, or start again")
        if self.step >= self._moments[-1].snapshot.step + self._gap:
            self._remember(changed=False)
        self._run(self.step + steps, time.monotonic() + seconds)
        self._record()

    def back(self, steps: int) -> None:
        """Undo some steps, and the changes since then."""
        target = max(self.first_step, self.step - steps)
        while len(self._moments) > 1 and self._moments[-1].snapshot.step > target:
            self._moments.pop()
        self.trainer.restore(self._moments[-1].snapshot)
        self._run(target)
        self.records = [record for record in self.records if record["iteration"] < target]
        self._record()

    def set_weight(self, parameter: str, index: Sequence[int], value: float) -> None:
        """Change an element of a parameter."""
        array = self.network.parameters.get(parameter)
        inside = array is not None and all(
            isinstance(place, int) and 0 <= place < length for place, length in zip(index, array.shape, strict=False)
        )
        if array is None or len(index) != array.ndim or not inside:
            raise UsageError(f"the network has no weight {parameter}[{', '.join(map(str, index))}]")
        if not math.isfinite(value):
            raise UsageError(f"{value} is not a finite number")
        array[tuple(index)] = value
        self._remember(changed=True)
        self._record()

    def change(self, text: SpecText, proved: SpecProof) -> None:
        """Continue as another spec tells, whose network and data are the same.

        An optimizer that keeps other slots begins with fresh ones.
        """
        before = self.trainer.snapshot()
        opened = self._stack.enter_context(open_training(proved, splits=self.setup.opened.splits))
        setup = self._setup(text, opened)
        fresh = setup.trainer.snapshot()
        metadata = {**fresh.metadata, "step": before.step}
        try:
            setup.trainer.restore(Snapshot(before.arrays, metadata))
        except ModelFileError:
            setup.trainer.restore(Snapshot(fresh.arrays, metadata))
        self._moments.append(Moment(setup, setup.trainer.snapshot(), changed=True))
        self._record()

    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        return rate_at(self.trainer.optimizer.learning_rate, self.trainer.progress)

    def _setup(self, text: SpecText, opened: OpenTraining) -> Setup:
        description, metrics = opened.proved.description, opened.proved.spec.training.metrics
        numbers = {metric.name: metric for metric in metrics if metric.component.table is None}
        rows = affordable_rows(self.network)
        splits = {
            name: Rows({name: split}, evenly_spaced(len(split), rows))
            for name, split in opened.splits.items()
            if name in ("train", "validation")
        }
        evaluate = Evaluator(self.network, splits, description, numbers)
        return Setup(text, opened, opened.bare_trainer(self.network, stop=self._until), evaluate)

    def _run(self, target: int, deadline: float = float("inf")) -> None:
        """Do the steps up to that one, or until the time is over."""
        self._until.progress, self._until.target, self._until.deadline = self.trainer.progress, target, deadline
        if self.step < target:
            self.trainer.train()

    def _record(self) -> None:
        """Evaluate, in place of the last evaluation if it was of the same step."""
        progress = self.trainer.progress
        results = self.setup.evaluate(("train", "validation"))
        record = evaluation_record(progress.step, progress.epoch, self.learning_rate(), results)
        before = [each for each in self.records if each["iteration"] < progress.step]
        self.records = [*before[-MOST_RECORDS:], record]

    def _remember(self, *, changed: bool) -> None:
        """Remember this moment; if there are many, forget every second one that no person has changed."""
        self._moments.append(Moment(self.setup, self.trainer.snapshot(), changed))
        steady = [moment for moment in self._moments if not moment.changed]
        if len(steady) > MOST_MOMENTS:
            self._gap *= 2
            forgotten = {id(moment) for moment in steady[:-1:2]}
            self._moments = [moment for moment in self._moments if id(moment) not in forgotten]
        sizes = [sum(array.nbytes for array in moment.snapshot.arrays.values()) for moment in self._moments]
        while len(self._moments) > 1 and sum(sizes[-len(self._moments) :]) > MOST_BYTES:
            del self._moments[0]


class _Until(StopRequest):
    """Ends a training at a step, or when the time is over."""

    def __init__(self) -> None:
        self.progress = START
        self.target, self.deadline = 0, 0.0

    @property
    def reason(self) -> str:
        """Why training must end; empty if it continues."""
        over = self.progress.step >= self.target or time.monotonic() >= self.deadline
        return "the steps are done" if over else ""

    @reason.setter
    def reason(self, reason: str) -> None:
        self.target = 0


def affordable_rows(network: Sequential) -> int:
    """Return how many rows a network predicts in an unnoticeable time."""
    return int(min(EVALUATION_ROWS, max(FEWEST_ROWS, WORK // max(1, network.flops))))
