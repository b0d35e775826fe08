"""A copy of the network's operations that computes one slice, and the sum of the slices' gradients in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.array import Array
from mlpkit.components.layer import Layer, checked_backward, checked_forward, order_of_backward
from mlpkit.components.loss import Loss
from mlpkit.components.operation import Operation, belongs_to, check_gradient, plan_of
from mlpkit.components.randomness import RunPosition
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import check_returned, operation_errors, operation_failure
from mlpkit.network.contexts import Context, call_inside
from mlpkit.network.flat_layout import FlatLayout
from mlpkit.network.scaled_values import ScaledValues
from mlpkit.network.shape_proof import NO_ADJUSTMENTS, Adjustments

PLANNED_ROWS: Final = 32
"""Most rows whose prediction is planned: with more, computing takes so long that the rest doesn't count."""


class Plan(NamedTuple):
    """How a few rows are predicted: the array that takes them; what computes each member, and the array it returns."""

    inputs: Array
    steps: list[tuple[Callable[[], Array], Array]]


def add_along_tree(arrays: Sequence[Array]) -> None:
    """Add all arrays into the first, along a fixed binary tree, overwriting the rest.

    Floating-point sums depend on their order; this order depends on the number of arrays alone, and not on
    which of them was ready first:

        ((a₀ + a₁) + (a₂ + a₃)) + ...
    """
    stride = 1
    while stride < len(arrays):
        for i in range(0, len(arrays) - stride, 2 * stride):
            np.add(arrays[i], arrays[i + stride], out=arrays[i])
        stride *= 2


class Replica:
    """Computes loss and gradient of a slice of a minibatch.

    Layers and loss are declared, but not yet bound to arrays. ``position`` keys random numbers. ``step_contexts`` are
    what loss and gradient of a step are computed in, in the thread that computes them.
    """

    step_contexts: tuple[Context, ...] = ()
    _plan: Plan | None = None
    _last_shape: tuple[int, ...] = ()

    def __init__(
        self,
        layers: list[Layer],
        loss: Loss,
        position: RunPosition,
        scaled: ScaledValues | None = None,
        adjustments: Adjustments = NO_ADJUSTMENTS,
    ) -> None:
        self._scaled = scaled
        self.adjustments = adjustments
        self._calibration = adjustments.calibration
        self.layers = layers
        self.loss = loss
        self.position = position
        self._loss_title = f"loss {loss.path} ({loss.type_name})"
        self._outputs_checked = False
        self._gradients_checked = False
        self._can_plan = scaled is None
        self._operations = [operation for member in (*layers, loss) for operation in member.operations()]
        for operation in self._operations:
            operation._position = position
        self._backward_order = order_of_backward(layers, needed=False)

    def bind(
        self,
        parameters: FlatLayout,
        values: Array,
        gradient: Array,
        states: FlatLayout,
        state: Array,
    ) -> None:
        """Give every parameter and state its view of the flat arrays."""
        self.gradient = gradient
        self.state = state
        for member in (*self.layers, self.loss, *self.adjustments.present):
            for parameter in member.declared_parameters():
                parameter.value = parameters.view(values, parameter.path)
                parameter.grad = parameters.view(gradient, parameter.path)
            for kept in member.declared_states():
                kept.value = states.view(state, kept.path)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle takes over: all but the plan, and the gradient, which ``bind`` gives."""
        return {**{name: value for name, value in vars(self).items() if name != "gradient"}, "_plan": None}

    def share_scratch(self, other: Replica) -> None:
        """Compute in the memory of another replica's buffers, while that one isn't within a pass."""
        for own, of_other in zip(self._operations, other._operations, strict=True):
            own._storage, own._views = of_other._storage, {}

    def operations(self) -> list[Operation]:
        """Return all layers, those inside others too, and the loss."""
        return self._operations

    def set_training(self, training: bool) -> None:
        """Tell every operation that isn't frozen whether what follows is training or evaluation."""
        for operation in self._operations:
            operation.training = training and not operation._frozen

    def freeze(self, layers: Collection[str]) -> None:
        """Freeze the operations of these paths, and those inside them, and no others."""
        for operation in self.operations():
            operation._frozen = belongs_to(operation.path, layers)
        self._backward_order = order_of_backward(self.layers, needed=False)
        for operation in self.operations():
            for follow in operation._on_freeze:
                follow()

    def forward(self, x: Array) -> Array:
        """Return the loss's inputs, such as logits, for a minibatch."""
        self.position.forwards += 1
        if not self._outputs_checked:
            for layer in self.layers:
                with operation_errors(layer, "forward"):
                    x = checked_forward(layer, x)
            self._outputs_checked = True
            return x
        member: Operation = self.loss
        try:
            for member in self.layers:
                x = member.forward(x)
        except MlpkitError:
            raise
        except Exception as error:
            raise operation_failure(member, "forward", error) from error
        return x

    def outputs(self, x: Array) -> Iterator[tuple[str, Array]]:
        """Go through what each layer returns for a minibatch, with its name; valid until the next pass."""
        self.position.forwards += 1
        for layer in self.layers:
            with operation_errors(layer, "forward"):
                x = checked_forward(layer, x)
            yield layer.path, x

    def compare(self, logits: Array, t: Array, weights: Array | None = None, *, clipped: bool = True) -> float:
        """Return the mean loss for the loss's inputs, in the targets' own unit.

        Values are clipped to their bounds, as predictions are, if ``clipped``; a step doesn't clip them.
        """
        if self._calibration is not None and self._calibration.is_fitted:
            return self.compare_predictions(self.predict(logits), t, weights)
        with operation_errors(self.loss, "forward"):
            if self._scaled is not None:
                logits = self._scaled.predictions(logits) if clipped else self._scaled.values(logits)
            return float(self._loss_of(logits, t, weights))

    def compare_predictions(self, prediction: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean loss of predictions that aren't the loss's own, but calibrated, or a mean of several."""
        with operation_errors(self.loss, "prediction_loss"):
            return float(self.loss.prediction_loss(prediction, t, *(() if weights is None else (weights,))))

    def _loss_of(self, x: Array, t: Array, weights: Array | None) -> float:
        """Return what the loss's ``forward`` returns, which has a last parameter only if it takes weights."""
        return self.loss.forward(x, t) if weights is None else self.loss.forward(x, t, weights)  # type: ignore[call-arg]

    def predict(self, logits: Array) -> Array:
        """Return the predictions that the loss's inputs stand for."""
        try:
            prediction = self.loss.predict(logits if self._scaled is None else self._scaled.predictions(logits))
        except MlpkitError:
            raise
        except Exception as error:
            raise operation_failure(self.loss, "predict", error) from error
        check_returned(self._loss_title, "predict", prediction, np.ndarray, "an array with a row for each example")
        return prediction if self._calibration is None else self.calibrated(prediction)

    def calibrated(self, prediction: Array) -> Array:
        """Return what the calibration makes of the loss's predictions: once it is fitted, others than before."""
        calibration = self._calibration
        if calibration is None or not calibration.is_fitted:
            return prediction
        with operation_errors(calibration, "predict"):
            return calibration.predict(prediction)

    def predictions(self, x: Array) -> Array:
        """Return predictions for inputs, valid until the next pass; sooner if the last calls had as few rows."""
        plan = self._plan
        if not plan or x.shape != self._last_shape or not x.flags.c_contiguous:
            prediction = self.predict(self.forward(x))
            self._plan = self._planned(x)
            self._last_shape = x.shape
            return prediction
        plan.inputs[...] = x
        try:
            for step, y in plan.steps:
                if step() is not y:
                    break
            else:
                return y if self._calibration is None else self.calibrated(y)
        except Exception:
            pass  # forward or predict, which are called then, name what failed
        self._plan, self._can_plan = None, False
        return self.predict(self.forward(x))

    def _planned(self, x: Array) -> Plan | None:
        """Return a plan for as many rows as last time, too; None if they are many, or a member of the stack has none.

        Its inputs are contiguous, as x is: computed by NumPy, rows of another layout may have other bits.
        """
        if not self._can_plan or x.shape != self._last_shape or len(x) > PLANNED_ROWS or not x.flags.c_contiguous:
            return None
        inputs = y = x.copy()
        steps = []
        for member in (*self.layers, self.loss):
            with operation_errors(member, "prediction_plan"):
                step = plan_of(member, y)
                if step is None:
                    self._can_plan = False
                    return None
                y = step()
            steps.append((step, y))
        return Plan(inputs, steps)

    def point_prediction(self, prediction: Array) -> Array:
        """Return the part of predictions that metrics compare with targets; a ``ShapeError`` without one."""
        with operation_errors(self.loss, "point_prediction"):
            return self.loss.point_prediction(prediction)

    def interval_prediction(self, prediction: Array) -> Array:
        """Return the ends of predicted intervals, shape (rows, 2); a ``ShapeError`` if none are predicted."""
        with operation_errors(self.loss, "interval_prediction"):
            return self.loss.interval_prediction(prediction)

    def prediction_names(self, target_names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return a name for each number predicted: its target's, and what is predicted of it if that is several."""
        with operation_errors(self.loss, "prediction_names"):
            names = self.loss.prediction_names()
        if names is None:
            return target_names
        before = f"{target_names[0]}_" if target_names and len(target_names) == 1 else ""
        return tuple(f"{before}{name}" for name in names)

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return how much a minibatch or slice with these targets counts."""
        with operation_errors(self.loss, "weight"):
            return float(self.loss.weight(t) if weights is None else self.loss.weight(t, weights))

    def loss_and_gradient(self, x: Array, t: Array, dloss: float = 1.0, weights: Array | None = None) -> float:
        """Return a minibatch's mean loss, in the targets' unit, and fill the gradient, times ``dloss``."""
        if self.step_contexts:
            return call_inside(self.step_contexts, lambda x: self._loss_and_gradient(x, t, dloss, weights), x)
        return self._loss_and_gradient(x, t, dloss, weights)

    def _loss_and_gradient(self, x: Array, t: Array, dloss: float, weights: Array | None) -> float:
        if not self._gradients_checked:
            return self._checked_loss_and_gradient(x, t, dloss, weights)
        self.position.forwards += 1
        own, t = t, t if self._scaled is None else self._scaled.scaled(t)
        member: Operation = self.loss
        method = "forward"
        try:
            for member in self.layers:
                x = member.forward(x)
            member = self.loss
            loss = float(member.forward(x, t) if weights is None else member.forward(x, t, weights))  # type: ignore[call-arg]
            method = "backward"
            dy: Array | None = member.backward(dloss)
            for member in self._backward_order:
                dy = member.backward(dy)  # type: ignore[arg-type]
        except MlpkitError:
            raise
        except Exception as error:
            raise operation_failure(member, method, error) from error
        return loss if self._scaled is None else self.compare(x, own, weights, clipped=False)

    def _checked_loss_and_gradient(self, x: Array, t: Array, dloss: float, weights: Array | None) -> float:
        """Do a first pass there and back, and make sure that each layer returns what the layer before it can use."""
        logits = self.forward(x)
        own, t = t, t if self._scaled is None else self._scaled.scaled(t)
        with operation_errors(self.loss, "forward"):
            loss = float(self._loss_of(logits, t, weights))
        with operation_errors(self.loss, "backward"):
            dy: Array | None = self.loss.backward(dloss)
        check_gradient(self.loss, dy, logits.shape)
        for layer in self._backward_order:
            with operation_errors(layer, "backward"):
                dy = checked_backward(layer, dy, len(x))
        self._gradients_checked = True
        return loss if self._scaled is None else self.compare(logits, own, weights, clipped=False)
