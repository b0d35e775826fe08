"""A moving average of the weights, which is evaluated and saved in their place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt, Lt

from mlpkit.components.callback import Callback, Weights
from mlpkit.network.flat_layout import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.components.callback import TrainingView


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
