"""Looking into a network while it is trained: activations, gradients and updates, layer by layer."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.layer import Elementwise
from mlpkit.components.operation import Operation, own_parameters
from mlpkit.components.randomness import RunPosition, keyed_generator
from mlpkit.components.schedule import START
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.network.component_errors import operation_errors
from mlpkit.network.contexts import replaced_methods
from mlpkit.network.replica import Replica
from mlpkit.network.sequential import Batch, Sequential
from mlpkit.training.gradient import sum_of_squares
from mlpkit.training.health import Health
from mlpkit.training.minibatches import BatchReader

ROWS: Final = 192
"""Training rows that are looked at, the same ones each time."""

SAMPLE: Final = 1024
"""Elements of an array that its distribution is computed from."""

FEW: Final = 5
"""Rows of a class that are needed to say that it is never predicted."""

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

SIZES: Final = 1.5 ** np.arange(-12, 11)
"""Of outputs, 1 among them: the loss is least at about one of them."""

FAR: Final = np.array([-1000.0, -100.0, *np.linspace(-10, 10, 21), 100.0, 1000.0])
"""Where bounds of a function show."""

LEVEL: Final = 0.05
"""Of its range, less of a change from 100 to 1,000: the function is level there."""

NEARLY_FLAT: Final = 0.05
"""A unit is saturated if its mean slope is below this share of the steepest: that much of a gradient gets through."""


class Probe:
    """Looks at a few training rows as they go through the network and their gradients come back.

    A copy of the layers computes them, as in training, with the network's parameters and separate states, scratch
    arrays and random numbers; it changes nothing in the network but the gradient, which each step overwrites.

    Each probe returns plain data, a line of ``health.jsonl`` in a run folder:

        iteration    steps done; 0 before the first
        epoch        passes over the training data done
        learning_rate    the learning rate of the last step
        rows         how many training rows were looked at
        loss         their mean loss, as in training
        prediction_loss  the same as in prediction; null if the loss is better than ``chance``
        chance       the loss of the best constant prediction for them; null if unknown
        validation_chance  the loss of that prediction for as many validation rows; null without any
        level_loss   the loss if all outputs are 0; null unless classes or labels are predicted
        least_loss   the least loss that any outputs have, as perfect predictions do; null if unknown
        bounded_loss the least loss of outputs within the bounds of the last layer's function; null if it has none
        outwards     cosine of the angle between the parameters and the negative gradient: how far it lengthens them
        inputs       distribution of the inputs; as ``largest`` the largest root mean square of one over the rows; as
                     ``all_equal`` whether all rows have the same
        layers       one mapping for each layer, those inside others after these, in the order of the stack
        spread       largest standard deviation, over the rows, of a predicted probability, or of a predicted value as a
                     share of the targets' own
        missed       classes with five rows or more that are never predicted; null if the target isn't classes
        symptoms     what is noticed for the first time

    A layer:

        layer        its name, such as ``Affine1`` or ``Residual1.Affine1``
        type         its type, such as ``Affine``
        units        how many units it has; a unit is an element of the first axis of an example: a feature or a channel
        outputs      distribution of what it returns: its activations
        gradients    distribution of the derivatives of a row's loss by what it returns; null if none goes back so far
        unvarying    share of its units whose output is the same in all rows
        identical    whether all its units return the same, and get the same gradient, in each row
        dead         share of its units whose slope is zero in all rows; null unless it is an elementwise function
                     with a flat side, such as a rectifier
        saturated    share of its units whose mean slope is below 5 % of the function's steepest; null unless it is
                     another elementwise function
        norm         of all its trained parameters, as the next two; null without any
        gradient_norm
        update_ratio    ‖change in the last step‖ / ‖parameters‖; null before the first step, or if that isn't known

    A distribution has ``mean``, ``std``, ``min``, ``max`` and ``quantiles``, at 5, 25, 50, 75 and 95 %, of up to 1,024
    elements, drawn once. Figures have six digits; one that isn't finite is null.
    """

    def __init__(
        self, network: Sequential, split: Split, description: Description, validation: Split | None = None
    ) -> None:
        self._network = network
        self._target = description.target
        self._x, self._t, self._weights = _some_rows(network, split, description)
        self._validation = None if validation is None else _some_rows(network, validation, description)
        squares = np.square(self._x, dtype=np.float64).mean(axis=0)
        all_equal = bool((self._x == self._x[0]).all())
        self._inputs = {"largest": _rounded(math.sqrt(squares.max(initial=0.0))), "all_equal": all_equal}
        self._samples: dict[tuple[int, ...], tuple[Array, ...]] = {}
        self._steepest: dict[str, float | None] = {}
        self._logits = self._x
        self._reach: dict[str, float | None] = {}
        original = network.replicas[0]
        layers, loss = copy.deepcopy((original.layers, original.loss))
        self._replica = Replica(layers, loss, RunPosition(START, network.seed), network.scaled)
        state = network.state_layout.zeros(network.dtype)
        self._replica.bind(network.layout, network.values, original.gradient, network.state_layout, state)
        self._replica.freeze(network.frozen)
        self._own = {
            operation.path: [parameter.path for parameter in own_parameters(operation)]
            for operation in self._replica.operations()
            if operation.needs_parameter_gradients
        }
        self._followed = [operation for layer in layers for operation in layer.operations()]
        self._last = self._replica.layers[-1:]
        self._found: dict[str, dict[str, Any]] = {}
        self._before: tuple[int, dict[str, Array]] = (-1, {})

    def remember(self, step: int) -> None:
        """Keep some of the parameters, to know how far the next step moves them."""
        self._before = step, {path: self._some(path).copy() for path in self._network.parameters}

    def __call__(self, iteration: int, epoch: float, learning_rate: float) -> Health:
        """Return what the network looks like now, after a number of steps."""
        replica, original = self._replica, self._network.replicas[0]
        np.copyto(replica.state, original.state)
        replica.share_scratch(original)
        replica.step_contexts = original.step_contexts
        replica.set_training(True)
        replica.position.step = iteration
        self._found = {operation.path: _nothing_found(operation) for operation in self._followed}
        with ExitStack() as stack:
            for operation in self._followed:
                stack.enter_context(self._follow(operation))
            loss = replica.loss_and_gradient(self._x, self._t, 1.0, self._weights)
        moved = self._before[1] if self._before[0] == iteration - 1 else {}
        for operation in self._followed:
            self._found[operation.path] |= self._figures_of_parameters(operation.path, moved)
        outwards = self._outwards()
        (chance, validation_chance), predicted = self._chances(), self._predicted()
        self._reach = self._reach or self._losses_in_reach()
        prediction_loss = None
        if chance is not None and not loss < chance:
            np.copyto(replica.state, original.state)  # the pass above moved the running statistics
            replica.set_training(False)
            prediction_loss = replica.compare(replica.forward(self._x), self._t, self._weights)
        return {
            "iteration": iteration,
            "epoch": _rounded(epoch),
            "learning_rate": _rounded(learning_rate),
            "rows": len(self._x),
            "loss": _rounded(loss),
            "prediction_loss": _rounded(prediction_loss),
            "chance": _rounded(chance),
            "validation_chance": _rounded(validation_chance),
            **self._reach,
            "outwards": _rounded(outwards),
            "inputs": self._distribution(self._x) | self._inputs,
            "layers": list(self._found.values()),
            **predicted,
        }

    def _follow(self, operation: Operation) -> AbstractContextManager[None]:
        """Have a layer of the copy leave figures behind when it goes forward and backward in a block."""
        forward, backward = operation.forward, operation.backward  # type: ignore[attr-defined]

        def followed_forward(x: Array) -> Array:
            y: Array = forward(x)
            found = self._found[operation.path]
            found["outputs"] = self._distribution(y)
            found["units"] = _units(y).shape[-1]
            found["unvarying"] = _rounded(_unvarying_units(y).mean())
            found["identical"] = _identical_units(y)
            if isinstance(operation, Elementwise):
                found |= self._flatness(operation, x, y)
                y = forward(x)  # what it keeps for backward is fresh again
            if operation in self._last:
                self._logits = y
            return y

        def followed_backward(dy: Array) -> Array | None:
            found = self._found[operation.path]
            found["gradients"] = self._distribution(dy, len(dy))
            found["identical"] = found["identical"] and _identical_units(dy)
            dx: Array | None = backward(dy)
            return dx

        return replaced_methods(operation, forward=followed_forward, backward=followed_backward)

    def _figures_of_parameters(self, layer: str, before: dict[str, Array]) -> dict[str, Any]:
        """Return the norms of a layer's own parameters and gradients, and how far the last step moved them."""
        paths = self._own.get(layer, ())
        if not paths:
            return {}
        layout, gradient = self._network.layout, self._replica.gradient
        values = [self._network.values[slice(*layout.extent(path))] for path in paths]
        gradients = [gradient[slice(*layout.extent(path))] for path in paths]
        ratio = None
        if before:
            some = [self._some(path) for path in paths]
            moved, length = _norm(now - before[path] for now, path in zip(some, paths, strict=True)), _norm(some)
            ratio = moved / length if length else None
        return {
            "norm": _rounded(_norm(values)),
            "gradient_norm": _rounded(_norm(gradients)),
            "update_ratio": _rounded(ratio),
        }

    def _outwards(self) -> float | None:
        """Return the cosine of the angle between the trained parameters and the negative gradient."""
        extents = [slice(*self._network.layout.extent(path)) for paths in self._own.values() for path in paths]
        values, gradients = (
            [array[each] for each in extents] for array in (self._network.values, self._replica.gradient)
        )
        along = math.fsum(float(np.dot(*pair)) for pair in zip(values, gradients, strict=True))
        found = self._found.values()
        lengths = math.prod(math.hypot(*(each[key] or 0.0 for each in found)) for key in ("norm", "gradient_norm"))
        return -along / lengths if lengths else None

    def _some(self, path: str) -> Array:
        """Return about as many elements of a parameter as a distribution is computed from, evenly spaced."""
        begin, end = self._network.layout.extent(path)
        return self._network.values[begin : end : 1 + (end - begin) // SAMPLE]

    def _chances(self) -> list[float | None]:
        """Return the loss of the best constant, for the rows and for validation rows, in the targets' own unit."""
        loss, given = self._replica.loss, () if self._weights is None else (self._weights,)
        with operation_errors(loss, "best_constant"):
            constant = loss.best_constant(self._t, *given)
            return [
                None if constant is None or rows is None else self._loss(constant, *rows[1:])
                for rows in ((self._x, self._t, self._weights), self._validation)
            ]

    def _loss(self, x: Any, t: Array, weights: Array | None) -> float:
        """Return the loss at inputs of the loss, which may be the same for all rows."""
        inputs = np.empty((len(t), *self._logits.shape[1:]), self._logits.dtype)
        inputs[...] = x
        return float(self._replica.loss.forward(inputs, t, *(() if weights is None else (weights,))))

    def _losses_in_reach(self) -> dict[str, float | None]:
        """Return the loss of zero outputs, the least loss of any outputs, and the least in the last layer's reach."""
        found: dict[str, float | None] = dict.fromkeys(("level_loss", "least_loss", "bounded_loss"))

        loss_of = partial(self._loss, t=self._t, weights=self._weights)
        with operation_errors(self._replica.loss, "forward"):
            bounds = _bounds(self._last[0], self._logits) if self._last else None
            right = _right_outputs(self._t, self._target)
            if right is not None and right.shape == self._logits.shape:
                least = min(loss_of(size * right) for size in SIZES)
                found |= {"level_loss": loss_of(0 * right), "least_loss": least}
                if bounds:
                    found["bounded_loss"] = loss_of(np.where(right > 0, *bounds))
                return found
            right = self._outputs_for_targets() if isinstance(self._target, Values) else None
            if right is not None:
                found["least_loss"] = loss_of(right)
                if bounds:
                    most, least = bounds
                    found["bounded_loss"] = loss_of(right.clip(least, most))
        return found

    def _outputs_for_targets(self) -> Array | None:
        """Return outputs that predict each real target; None if the loss doesn't say what these are."""
        loss = self._replica.loss
        if self._t.shape != self._logits.shape or not loss.can_be_averaged or loss.prediction_names() is not None:
            return None
        right = loss.inputs_for(self._t.astype(self._logits.dtype))
        return right if right.shape == self._logits.shape else None

    def _predicted(self) -> dict[str, Any]:
        """Return how much predictions differ from row to row, and which classes are never among them."""
        prediction, t = self._replica.predict(self._logits), self._t
        spread = prediction.std(axis=0, dtype=np.float64)
        several = self._replica.prediction_names(None) is not None
        if isinstance(self._target, Values) and (several or prediction.shape == t.shape):
            of_targets = t.std(axis=0, dtype=np.float64)
            spread = np.divide(spread, of_targets, out=np.zeros_like(spread), where=of_targets > 0)
        missed = None
        if isinstance(self._target, Classes) and prediction.shape == (len(t), self._target.count):
            numbers = t.argmax(axis=1) if self._target.one_hot else t
            counts = np.bincount(numbers, minlength=self._target.count)
            predicted = np.bincount(prediction.argmax(axis=1), minlength=self._target.count)
            missed = np.flatnonzero((counts >= FEW) & (predicted == 0)).tolist()
        return {"spread": _rounded(float(spread.max())), "missed": missed}

    def _flatness(self, layer: Elementwise, x: Array, y: Array) -> dict[str, Any]:
        """Return the share of units of an elementwise function that are dead or saturated."""
        slopes = _units(np.abs(layer.derivative(x, y, np.empty_like(x))))
        if layer.path not in self._steepest:  # only now: the layer may keep what it computes for its derivative
            self._steepest[layer.path] = _steepest_slope(layer, x)
        steepest = self._steepest[layer.path]
        if steepest is None:
            return {"dead": _rounded((slopes.max(axis=(0, 1)) == 0).mean())}
        return {"saturated": _rounded((slopes.mean(axis=(0, 1)) < NEARLY_FLAT * steepest).mean())}

    def _distribution(self, values: Array, factor: float = 1.0) -> dict[str, Any]:
        if values.size > SAMPLE:
            if values.shape not in self._samples:
                drawn = keyed_generator(0, "probe", values.size).integers(values.size, size=SAMPLE)
                self._samples[values.shape] = np.unravel_index(drawn, values.shape)
            values = values[self._samples[values.shape]]
        ordered = np.sort(values.reshape(-1)).astype(np.float64)
        ordered *= factor
        size = len(ordered)
        mean = float(ordered.sum()) / size
        least, greatest = float(ordered[0]), float(ordered[-1])
        quantiles = ordered[[round(share * (size - 1)) for share in QUANTILES]].tolist()
        ordered -= mean
        return {
            "mean": _rounded(mean),
            "std": _rounded(math.sqrt(float(np.dot(ordered, ordered)) / size)),
            "min": _rounded(least),
            "max": _rounded(greatest),
            "quantiles": [_rounded(value) for value in quantiles],
        }


def _some_rows(network: Sequential, split: Split, description: Description) -> Batch:
    rows = min(ROWS, len(split))
    chosen = keyed_generator(network.seed, "probe").choice(len(split), rows, replace=False)
    return BatchReader(split, description, network.dtype, rows).take(np.sort(chosen))


def _nothing_found(operation: Operation) -> dict[str, Any]:
    keys = ("units", "outputs", "gradients", "unvarying", "identical", "dead", "saturated")
    of_parameters = ("norm", "gradient_norm", "update_ratio")
    return {"layer": operation.path, "type": operation.type_name, **dict.fromkeys((*keys, *of_parameters))}


def _units(values: Array) -> Array:
    """Return an array with an axis of rows, one of places in an example, and one of units."""
    return np.moveaxis(values.reshape(len(values), values.shape[1] if values.ndim > 1 else 1, -1), 1, 2)


def _unvarying_units(y: Array) -> NDArray[np.bool_]:
    units = _units(y)
    return np.asarray((units == units[0, 0]).all(axis=(0, 1)))


def _identical_units(values: Array) -> bool:
    units = _units(values)
    if units.shape[-1] == 1 or (units[0] != units[0, :, :1]).any():  # one row mostly tells
        return False
    return bool((units == units[..., :1]).all())


def _steepest_slope(layer: Elementwise, like: Array) -> float | None:
    """Return the largest slope of an elementwise function from -3 to 3; None if it is flat at one end."""
    x = _in_each_unit(np.linspace(-3, 3, 13), like)
    slopes = np.abs(layer.derivative(x, layer.function(x, np.empty_like(x)), np.empty_like(x)))
    slopes = slopes.reshape(len(x), -1).max(axis=1)
    return None if slopes[0] == 0 or slopes[-1] == 0 else float(slopes.max())


def _right_outputs(t: Array, target: Target) -> Array | None:
    """Return outputs that are 1 for the class or labels of each row and 0 or -1 for others; None for other targets."""
    if isinstance(target, Classes):
        numbers = t.argmax(axis=1) if target.one_hot else t
        return np.asarray(np.eye(target.count)[numbers])
    return np.where(t > 0.5, 1.0, -1.0) if isinstance(target, Labels) else None


def _bounds(layer: Operation, like: Array) -> tuple[float, float] | None:
    """Return the largest and the least value of an elementwise function; None if it has no such bounds."""
    if not isinstance(layer, Elementwise):
        return None
    x = _in_each_unit(FAR, like)
    with np.errstate(all="ignore"):
        y = layer.function(x, np.empty_like(x)).reshape(len(FAR), -1)
        most, least = float(y[1:-1].max()), float(y[1:-1].min())
        is_level = np.abs(y[[0, -1]] - y[[1, -2]]).max() < LEVEL * (most - least)
    return (most, least) if is_level else None


def _in_each_unit(numbers: Array, like: Array) -> Array:
    """Return a row for each number, filled with it."""
    x = np.empty((len(numbers), *like.shape[1:]), like.dtype)
    x[...] = numbers.reshape(-1, *(1 for _ in like.shape[1:]))
    return x


def _norm(arrays: Iterable[Array]) -> float:
    return math.sqrt(math.fsum(map(sum_of_squares, arrays)))


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
