"""Calls the callbacks of a run, and defines the callbacks behind keys of ``training``."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Lt

from mlpkit.array import Array
from mlpkit.components.callback import Callback, TrainingView, Weights
from mlpkit.components.schema.wording import shown_number
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import component_errors, failure
from mlpkit.network.flat_layout import blocks
from mlpkit.specfile.sections import Training
from mlpkit.training.checkpointing import Best, BestTracker, higher_is_better, pack, unpack


class CallbackGroup:
    """All callbacks of a run, told in their order."""

    def __init__(self, callbacks: Sequence[Callback], view: TrainingView) -> None:
        self._view = view
        self._callbacks = callbacks
        self._started: list[Callback] = []

    def start(self) -> None:
        """Call ``on_start``."""
        for callback in self._callbacks:
            with component_errors(f"callback {callback.registered_name} failed"):
                callback.on_start(self._view)
            self._started.append(callback)

    def tell(self, event: str, *data: object) -> None:
        """Call a method of all callbacks that were started, such as ``on_step``."""
        for callback in self._started:
            try:
                getattr(callback, event)(self._view, *data)
            except MlpkitError:
                raise
            except Exception as error:
                raise failure(f"callback {callback.registered_name} failed", error) from error

    def state(self, arrays: dict[str, Array]) -> list[Any]:
        """Return what each callback must remember, as plain data; ``arrays`` takes the arrays among it, by name."""
        states = []
        for i, callback in enumerate(self._callbacks):
            with component_errors(f"callback {callback.registered_name} failed in state"):
                states.append(pack(callback.state(), arrays, f"callbacks/{i}"))
        return states

    def load_state(self, states: Sequence[Any], arrays: Mapping[str, Array]) -> None:
        """Give each callback back what ``state`` returned."""
        for callback, packed in zip(self._callbacks, states, strict=True):
            with component_errors(f"callback {callback.registered_name} failed in load_state"):
                callback.load_state(unpack(packed, arrays))


class EarlyStopping(Callback):
    """Ends training when the loss or a metric has not got better for some evaluations in a row.

    A value that is not finite never counts as better.

    Args:
        metric: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
        patience: evaluations in a row that may be no better before the training ends.
        minimum_change: by how much a value must be better to count.
        after_epochs: epochs before the first evaluation that counts.

    Source: Prechelt, Early Stopping - But When? (1998).
    """

    def __init__(
        self, metric: str, *, higher_is_better: bool, patience: int, minimum_change: float, after_epochs: int = 0
    ) -> None:
        self._tracker = BestTracker(metric, higher_is_better, minimum_change)
        self._patience = patience
        self._after_epochs = after_epochs
        self._waited = 0

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Compare the value with the best so far."""
        if record["epoch"] < self._after_epochs:
            return
        self._waited = 0 if self._tracker.improved(record) else self._waited + 1
        if self._waited >= self._patience:
            training.stop(f"{self._tracker.monitor} has not improved on {self._best()} in {self._waited} evaluations")

    def state(self) -> dict[str, Any]:
        """Return the best value, and for how long there was no better one."""
        return {"best": self._tracker.best, "waited": self._waited}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._tracker.best = state["best"] and Best(*state["best"])
        self._waited = state["waited"]

    def _best(self) -> str:
        best = self._tracker.best
        return "any value before" if best is None else f"{shown_number(best.value)} of step {best.step}"


class TimeBudget(Callback):
    """Ends training after a time, evaluations included; what was done before a resume counts, the break doesn't."""

    def __init__(self, seconds: Annotated[float, Gt(0)]) -> None:
        self.seconds = seconds
        self._spent_before = 0.0
        self._began: float | None = None

    def on_start(self, training: TrainingView) -> None:
        """Look at the clock."""
        self._began = time.monotonic()

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Ask to stop if the time is over."""
        if self._spent() >= self.seconds:
            training.stop(f"the time of {self.seconds:g} s is over")

    def state(self) -> dict[str, Any]:
        """Return the time that was spent."""
        return {"seconds": self._spent()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back the time that was spent."""
        self._spent_before = state["seconds"]

    def _spent(self) -> float:
        return self._spent_before + (0.0 if self._began is None else time.monotonic() - self._began)


class BestWeights(Callback):
    """Ends training with the weights of the first, or last, evaluation at which the loss or a metric was best."""

    def __init__(self, monitor: str, *, higher_is_better: bool, last_of_equals: bool = False) -> None:
        self._tracker = BestTracker(monitor, higher_is_better, last_of_equals=last_of_equals)
        self._best: Weights | None = None

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Keep the weights that were evaluated, if they are the best so far."""
        if self._tracker.improved(record):
            self._best = training.weights.copy()

    def on_end(self, training: TrainingView) -> None:
        """Put the best weights in place."""
        if self._best is not None:
            training.stand_in = self._best

    def state(self) -> dict[str, Any]:
        """Return the best value and its weights."""
        return {"best": self._tracker.best, "weights": self._best}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._tracker.best = state["best"] and Best(*state["best"])
        self._best = state["weights"] and Weights(*state["weights"])


class MovingAverage(Callback):
    """Averages the weights over the steps, the latest counting most; layers' state is left as it is.

        a_t = (1 - decay) Σ decay^(t - s) w_s / (1 - decay^t)   over the steps s from 1 to t

    The divisor makes it a mean from the first step on, in which the weights that training began with have no part.

    Args:
        decay: the weight of a step relative to that of the next step.

    Source: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging (1992); with the correction of
        Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), section 3.
    """

    def __init__(self, decay: Annotated[float, Gt(0), Lt(1)]) -> None:
        self._decay = decay
        self._average: Array | None = None

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


def callbacks_of(section: Training, steps: int | None = None) -> list[Callback]:
    """Return the callbacks that a spec names, and those behind other keys; ``steps`` stand in for the clock."""
    average, stopping, best = section.moving_average, section.early_stopping, section.best_weights
    higher, last = partial(higher_is_better, section), section.ties == "last"
    return [
        *([MovingAverage(average.decay)] if average else []),
        *(callback() for callback in section.callbacks),
        *([TimeBudget(section.seconds)] if section.seconds and steps is None else []),
        *([EarlyStopping(**vars(stopping), higher_is_better=higher(stopping.metric))] if stopping else []),
        *([BestWeights(best, higher_is_better=higher(best), last_of_equals=last)] if best else []),
    ]
