"""mlpkit: ``mlpkit.run`` on a spec, as a user would call it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mlpkit
from contestants.task import LEARNING_RATES, PATCH, SIDE
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.minibatches import WithReplacement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contestants.task import Task
    from mlpkit import Progress, Spec

SPEC = Path(__file__).parents[2] / "specs" / "mnist_3layer.yaml"
TRAINING_IMAGES = 60_000
WITHOUT_END = 1_000_000_000


class MlpkitTrainer:
    """Trains with the whole loop of mlpkit, but for evaluation; examples that don't train are kept for validation."""

    def __init__(self, task: Task, *, examples: int) -> None:
        self.task, self.examples = task, examples

    def spec(self, steps: int) -> Spec:
        """Return the spec that trains for a number of steps."""
        task = self.task
        layers: list[Any] = [{"Reshape": {"shape": [1, SIDE, SIDE]}}] if task.filters else []
        for each in task.convolutions:
            convolution = {"filters": each.filters, "size": PATCH, "padding": each.padding}
            layers += [{"Conv2d": convolution}, "Relu", "MaxPool2d"]
        layers += ["Flatten"] if task.filters else []
        for units in task.hidden:
            layers += [{"Affine": {"units": units}}, *task.after]
        layers += [{"Affine": {"units": task.widths[-1]}}, "SoftmaxWithLoss"]
        overrides = {
            "data": {"mnist": {"validation": TRAINING_IMAGES - self.examples}},
            "layers": layers,
            "training.optimizer": {task.optimizer: {"learning_rate": LEARNING_RATES[task.optimizer]}},
            "training.batch_size": task.batch_size,
            "training.sampling": "with_replacement",
            "training.iterations": steps,
            "training.evaluate_every": steps,
        }
        return mlpkit.load_spec(SPEC, overrides=overrides)

    def step_times(self, *, warm_up: float, seconds: float) -> list[float]:
        """Return the mean seconds of a step between each two reports, a tenth of a second apart or more."""
        stop = StopRequest()
        clock = StepClock(stop, warm_up, seconds)
        mlpkit.run(self.spec(WITHOUT_END), observer=clock, stop=stop)
        return clock.step_times()

    def trained(self, steps: int) -> tuple[list[NDArray[Any]], NDArray[np.int64], mlpkit.Sequential]:
        """Return the initial parameters, the minibatches of each step, and the network after the last."""
        spec = self.spec(steps)
        first = [array.copy() for array in mlpkit.build(spec).parameters.values()]
        sampler = WithReplacement(self.examples, self.task.batch_size, spec.seed)
        minibatches = np.array([sampler.indices(step) for step in range(steps)])
        return first, minibatches, mlpkit.run(spec).network

    def predictor(self) -> mlpkit.Sequential:
        """Return the network before any step, which has ``predict``."""
        return mlpkit.build(self.spec(1))


class StepClock(Observer):
    """Notes when how many steps were done after the warm-up, and ends training some seconds later."""

    def __init__(self, stop: StopRequest, warm_up: float, seconds: float) -> None:
        self.stop, self.warm_up, self.seconds = stop, warm_up, seconds
        self.began: float | None = None
        self.reports: list[tuple[float, int]] = []

    def stepped(self, progress: Progress, loss: float) -> None:
        """Note time and steps, once warm; ask for the end once there is enough."""
        now = time.perf_counter()
        if self.began is None:
            self.began = now
        if now - self.began < self.warm_up:
            return
        self.reports.append((now, progress.step))
        if len(self.reports) > 1 and now - self.reports[0][0] >= self.seconds:
            self.stop.stop("enough steps were timed")

    def step_times(self) -> list[float]:
        """Return the mean seconds of a step between each two reports."""
        pairs = zip(self.reports, self.reports[1:], strict=False)
        return [(later - earlier) / (last - first) for (earlier, first), (later, last) in pairs]
