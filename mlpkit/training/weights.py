"""Weights that take the place of those of the last step: the best, or a moving average."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt, Lt

from mlpkit.components.callback import Callback, Weights
from mlpkit.network.component_errors import component_errors
from mlpkit.network.flat_layout import blocks
from mlpkit.training.checkpointing import Best, BestTracker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mlpkit.components.callback import TrainingView
    from mlpkit.network.sequential import Sequential


def weights_of(network: Sequential) -> Weights:
    """Return a network's parameters and layers' state; to write into them changes the network."""
    return Weights(network.values, network.replicas[0].state)


def replace_weights(live: Weights, stand_in: Weights) -> None:
    """Write weights into those of a network.

    Args:
        live: what ``weights_of`` returned.
        stand_in: what takes their place.

    Raises:
        ComponentFailure: the arrays are not of the same size.
    """
    with component_errors("a callback's stand_in can't take the place of the weights"):
        for array, other in zip(live, stand_in, strict=True):
            np.copyto(array, np.reshape(other, array.shape))


@contextmanager
def swapped_weights(live: Weights, stand_in: Weights | None) -> Iterator[None]:
    """Put weights in the place of a network's for the time of a block.

    Args:
        live: what ``weights_of`` returned.
        stand_in: what takes their place; None for nothing.
    """
    if stand_in is None:
        yield
        return
    trained = live.copy()
    replace_weights(live, stand_in)
    try:
        yield
    finally:
        replace_weights(live, trained)


class BestWeights(Callback):
    """Keeps the weights of the evaluation at which a figure was best, and puts them in place when training ends.

    Args:
        figure: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
    """

    def __init__(self, figure: str, *, higher_is_better: bool) -> None:
        self._ranking = BestTracker(figure, higher_is_better)
        self._best: Weights | None = None

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Keep the weights that were evaluated, if they are the best so far."""
        if self._ranking.improved(record):
            self._best = training.weights.copy()

    def on_end(self, training: TrainingView) -> None:
        """Put the best weights in place."""
        if self._best is not None:
            training.stand_in = self._best

    def state(self) -> dict[str, Any]:
        """Return the best figure and its weights."""
        return {"best": self._ranking.best, "weights": self._best}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._ranking.best = state["best"] and Best(*state["best"])
        self._best = state["weights"] and Weights(*state["weights"])


class MovingAverage(Callback):
    """Averages the weights over the steps, the latest counting most; layers' state is left as it is.

        a_t = (1 - decay) Σ decay^(t - s) w_s / (1 - decay^t)   over the steps s from 1 to t

    The divisor makes it a mean from the first step on, in which the weights that training began with have no part.

    Args:
        decay: what the weights of a step count for, compared with those of the next.

    Source: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging (1992); with the correction of
        Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), section 3.
    """

    def __init__(self, decay: Annotated[float, Gt(0), Lt(1)]) -> None:
        self._decay = decay
        self._average: NDArray[Any] | None = None

    def on_start(self, training: TrainingView) -> None:
        """Put the average in the place of the weights."""
        if self._average is None:
            self._average = training.weights.values.copy()
        training.stand_in = Weights(self._average, training.weights.state)

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Take in the weights after a step."""
        assert self._average is not None
        kept = self._kept(training.progress.step)
        for begin, end in blocks(0, self._average.size):
            average, values = self._average[begin:end], training.weights.values[begin:end]
            np.subtract(average, values, out=average)
            np.multiply(average, kept, out=average)
            np.add(average, values, out=average)

    def state(self) -> dict[str, Any]:
        """Return the average."""
        return {"average": self._average}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        self._average = state["average"]

    def _kept(self, step: int) -> float:
        """Return what is kept of the average: decay (1 - decay^(step - 1)) / (1 - decay^step)."""
        logarithm = math.log(self._decay)
        return self._decay * math.expm1((step - 1) * logarithm) / math.expm1(step * logarithm)
