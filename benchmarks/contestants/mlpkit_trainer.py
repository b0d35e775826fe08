"""mlpkit: ``mlpkit.run`` on a spec, as a user would call it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import mlpkit
from contestants.task import LEARNING_RATES, PATCH, SIDE
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.minibatches import WithReplacement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contestants.contestant import Pass
    from contestants.task import Task
    from mlpkit import Layer, Progress, Spec

SPEC = Path(__file__).parents[2] / "specs" / "mnist_3layer.yaml"
TRAINING_IMAGES = 60_000
WITHOUT_END = 1_000_000_000


class MlpkitTrainer:
    """Trains with the whole loop of mlpkit: sampling, plan, checks and all; only evaluation is left out.

    Args:
        task: what to train.
        examples: training examples; the others are kept for validation.
    """

    def __init__(self, task: Task, *, examples: int) -> None:
        self.task, self.examples = task, examples

    def spec(self, steps: int) -> Spec:
        """Return the spec that trains for so many steps."""
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
        """Return the mean seconds of a step between each two reports, a tenth of a second apart or more.

        Args:
            warm_up: seconds to train before the first report that counts.
            seconds: seconds to train after it; there are two reports at least.
        """
        stop = StopRequest()
        clock = StepClock(stop, warm_up, seconds)
        mlpkit.run(self.spec(WITHOUT_END), observer=clock, stop=stop)
        return clock.step_times()

    def trained(self, steps: int) -> tuple[list[NDArray[Any]], NDArray[np.int64], mlpkit.Sequential]:
        """Return the first parameters, the minibatches of so many steps, and the network after them."""
        spec = self.spec(steps)
        first = [array.copy() for array in mlpkit.build(spec).parameters.values()]
        sampler = WithReplacement(self.examples, self.task.batch_size, spec.seed)
        minibatches = np.array([sampler.indices(step) for step in range(steps)])
        return first, minibatches, mlpkit.run(spec).network

    def convolutions(self) -> dict[str, Pass]:
        """Return forward and backward of each convolution, by its name, on inputs as it gets them in the network."""
        network = mlpkit.build(self.spec(1))
        network.set_training(True)
        draw = np.random.default_rng(1)
        x = draw.random((self.task.batch_size, *network.input_shape), np.float32)
        passes: dict[str, Pass] = {}
        for layer in network.replicas[0].layers:
            y = layer.forward(x)
            if layer.type_name == "Conv2d":
                dy = np.empty_like(y)  # in memory as y is, which is how the layers behind it hand it back
                dy[...] = draw.standard_normal(y.shape, np.float32)
                passes[layer.path] = partial(both_passes, network, layer, x, dy)
            x = y
        return passes

    def predictor(self) -> mlpkit.Sequential:
        """Return the network before any step, which has ``predict``."""
        return mlpkit.build(self.spec(1))


def both_passes(network: mlpkit.Sequential, layer: Layer, x: NDArray[Any], dy: NDArray[Any]) -> None:
    """Compute y, dW and db, and dx where it is needed, on the threads on which the network computes."""
    with network.computing():
        layer.forward(x)
        layer.backward(dy)


class StepClock(Observer):
    """Notes when how many steps were done, and ends training after a while.

    Args:
        stop: how to end it.
        warm_up: seconds whose reports don't count.
        seconds: seconds whose reports do.
    """

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
