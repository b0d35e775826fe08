"""Looking into a network while it is trained: when, and at which activations, gradients and updates, layer by layer."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.callback import TrainingView
from mlpkit.components.dataset import Description, Split
from mlpkit.components.layer import Elementwise
from mlpkit.components.operation import Operation, own_parameters
from mlpkit.components.randomness import RunPosition, keyed_generator
from mlpkit.components.schedule import START
from mlpkit.components.target import Values
from mlpkit.jobs.open_training import OpenTraining
from mlpkit.network.component_errors import operation_errors
from mlpkit.network.contexts import replaced_methods
from mlpkit.network.replica import Replica
from mlpkit.network.sequential import Batch, Sequential
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import Observer, Watch
from mlpkit.training.gradient import sum_of_squares
from mlpkit.training.health import Health
from mlpkit.training.minibatches import BatchReader
from mlpkit.verbs.doctor.health_history import HealthHistory, facts_of
from mlpkit.verbs.doctor.symptoms import new_symptoms

ROWS: Final = 192
"""Training rows that are looked at, the same ones each time."""

SAMPLE: Final = 1024
"""Elements of an array that its distribution is computed from."""

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

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
        least_loss   the loss of perfect predictions of values; null if unknown
        inputs       distribution of the inputs; as ``largest`` the largest root mean square of one over the rows
        layers       one mapping for each layer, those inside others after these, in the order of the stack
        spread       largest standard deviation, over the rows, of a predicted probability, or of a predicted value as a
                     share of the targets' own
        symptoms     what is noticed for the first time

    A layer:

        layer        its name, such as ``Affine1`` or ``Residual1.Affine1``
        type         its type, such as ``Affine``
        units        how many units it has; a unit is an element of the first axis of an example: a feature or a channel
        outputs      distribution of what it returns: its activations
        gradients    distribution of the derivatives of a row's loss by what it returns; null if none goes back so far
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

    def __init__(self, network: Sequential, split: Split, description: Description) -> None:
        self._network = network
        self._target = description.target
        self._x, self._t, self._weights = _some_rows(network, split, description)
        squares = np.square(self._x, dtype=np.float64).mean(axis=0)
        self._inputs = {"largest": _rounded(math.sqrt(squares.max(initial=0.0)))}
        self._samples: dict[tuple[int, ...], tuple[Array, ...]] = {}
        self._steepest: dict[str, float | None] = {}
        self._logits = self._x
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
        chance, least_loss, spread = self._chance(), self._least_loss(), self._spread()
        prediction_loss = None
        if chance is not None and not loss < chance:
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
            "least_loss": _rounded(least_loss),
            "inputs": self._distribution(self._x) | self._inputs,
            "layers": list(self._found.values()),
            "spread": _rounded(spread),
        }

    def _follow(self, operation: Operation) -> AbstractContextManager[None]:
        """Have a layer of the copy leave figures behind when it goes forward and backward in a block."""
        forward, backward = operation.forward, operation.backward  # type: ignore[attr-defined]

        def followed_forward(x: Array) -> Array:
            y: Array = forward(x)
            found = self._found[operation.path]
            found["outputs"] = self._distribution(y)
            found["units"] = _units(y).shape[-1]
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

    def _some(self, path: str) -> Array:
        """Return about as many elements of a parameter as a distribution is computed from, evenly spaced."""
        begin, end = self._network.layout.extent(path)
        return self._network.values[begin : end : 1 + (end - begin) // SAMPLE]

    def _chance(self) -> float | None:
        """Return the loss of the best constant, in the targets' own unit."""
        loss, given = self._replica.loss, () if self._weights is None else (self._weights,)
        with operation_errors(loss, "best_constant"):
            constant = loss.best_constant(self._t, *given)
            return None if constant is None else self._loss(constant)

    def _loss(self, x: Any) -> float:
        """Return the loss at inputs of the loss, which may be the same for all rows."""
        inputs = np.empty((len(self._t), *self._logits.shape[1:]), self._logits.dtype)
        inputs[...] = x
        return float(self._replica.loss.forward(inputs, self._t, *(() if self._weights is None else (self._weights,))))

    def _least_loss(self) -> float | None:
        """Return the loss of outputs that predict each real target; None if the loss doesn't say what these are."""
        loss = self._replica.loss
        if not isinstance(self._target, Values) or self._t.shape != self._logits.shape:
            return None
        if not loss.can_be_averaged or loss.prediction_names() is not None:
            return None
        with operation_errors(loss, "forward"):
            right = loss.inputs_for(self._t.astype(self._logits.dtype))
            return self._loss(right) if right.shape == self._logits.shape else None

    def _spread(self) -> float:
        """Return how much predictions differ from row to row."""
        prediction, t = self._replica.predict(self._logits), self._t
        spread = prediction.std(axis=0, dtype=np.float64)
        several = self._replica.prediction_names(None) is not None
        if isinstance(self._target, Values) and (several or prediction.shape == t.shape):
            of_targets = t.std(axis=0, dtype=np.float64)
            spread = np.divide(spread, of_targets, out=np.zeros_like(spread), where=of_targets > 0)
        return float(spread.max())

    def _flatness(self, layer: Elementwise, x: Array, y: Array) -> dict[str, Any]:
        """Return the share of units of an elementwise function that are dead or saturated."""
        slopes = _units(np.abs(layer.derivative(x, y, np.empty_like(x))))
        if layer.path not in self._steepest:  # only now: the layer may keep what it computes for its derivative
            self._steepest[layer.path] = _steepest_slope(layer, x)
        steepest = self._steepest[layer.path]
        if steepest is None:
            return {"dead": _rounded((_largest(slopes) == 0).mean())}
        return {
            "saturated": _rounded((slopes.mean(axis=tuple(range(slopes.ndim - 1))) < NEARLY_FLAT * steepest).mean())
        }

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
    keys = ("units", "outputs", "gradients", "identical", "dead", "saturated")
    of_parameters = ("norm", "gradient_norm", "update_ratio")
    return {"layer": operation.path, "type": operation.type_name, **dict.fromkeys((*keys, *of_parameters))}


def _units(values: Array) -> Array:
    """Return an array with an axis of rows, or of rows and places in an example, and then one of units."""
    if values.ndim == 2:
        return values
    return np.moveaxis(values.reshape(len(values), values.shape[1] if values.ndim > 1 else 1, -1), 1, 2)


def _largest(units: Array) -> Array:
    """Return the largest value of each unit."""
    return np.asarray(units.max(axis=tuple(range(units.ndim - 1))))


def _identical_units(values: Array) -> bool:
    units = _units(values)
    if units.shape[-1] == 1 or (units[0] != units[0, ..., :1]).any():  # one row mostly tells
        return False
    return bool((units == units[..., :1]).all())


def _steepest_slope(layer: Elementwise, like: Array) -> float | None:
    """Return the largest slope of an elementwise function from -3 to 3; None if it is flat at one end."""
    x = _in_each_unit(np.linspace(-3, 3, 13), like)
    slopes = np.abs(layer.derivative(x, layer.function(x, np.empty_like(x)), np.empty_like(x)))
    slopes = slopes.reshape(len(x), -1).max(axis=1)
    return None if slopes[0] == 0 or slopes[-1] == 0 else float(slopes.max())


def _in_each_unit(numbers: Array, like: Array) -> Array:
    """Return a row for each number, filled with it."""
    x = np.empty((len(numbers), *like.shape[1:]), like.dtype)
    x[...] = numbers.reshape(-1, *(1 for _ in like.shape[1:]))
    return x


def _norm(arrays: Iterable[Array]) -> float:
    return math.sqrt(math.fsum(map(sum_of_squares, arrays)))


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


STEPS_APART: Final = 8
"""Steps between two probes of a network, at least: a probe takes as long as one or two."""


def is_probed(evaluation: int) -> bool:
    """Whether the network is probed after an evaluation; evaluations are counted from 1.

    It's probed after each of the first 15, every second up to 31, every fourth up to 63, and so on: eight per doubling.
    """
    return evaluation % (1 << max(0, evaluation.bit_length() - 4)) == 0


class HealthMonitor(Watch):
    """Probes a network before the first step and after evaluations, and reports new symptoms."""

    def __init__(self, training: OpenTraining, network: Sequential, observer: Observer, steps: int | None) -> None:
        proved = training.proved
        self._probe = Probe(network, training.splits["train"], proved.description)
        self._healths: list[Health] = []
        self._history = HealthHistory(facts_of(proved, network, steps), [], self._healths)
        self._observer = observer

    def began(self, view: TrainingView, learning_rate: float) -> None:
        """Probe the network before the first step; after a resume, read the earlier probes."""
        self._progress, self._history.evaluations = view.progress, view.history
        if view.progress.step == 0:
            self._probe_now(learning_rate)
        elif view.folder is not None:
            self._healths += RunFolder(view.folder).read_health()
            self._history.known = {symptom["name"] for health in self._healths for symptom in health["symptoms"]}

    def before_evaluated_step(self) -> None:
        """Remember the parameters, to see how far the step moves them."""
        self._probe.remember(self._progress.step)

    def evaluated(self, learning_rate: float, *, last: bool) -> None:
        """Probe the network, if it is time to."""
        due = is_probed(len(self._history.evaluations)) and self._progress.step >= self._last_step + STEPS_APART
        if last or due:
            self._probe_now(learning_rate)

    def diverged(self, learning_rate: float) -> None:
        """Probe the diverged network."""
        with suppress(Exception):  # whatever a layer makes of such numbers, the divergence is the error to report
            self._probe_now(learning_rate)

    @property
    def _last_step(self) -> int:
        """Steps done at the last probe."""
        return int(self._healths[-1]["iteration"]) if self._healths else -STEPS_APART

    def _probe_now(self, learning_rate: float) -> None:
        progress = self._progress
        if self._last_step >= progress.step:
            return
        health = self._probe(progress.step, progress.epoch, learning_rate)
        self._healths.append(health)
        symptoms = new_symptoms(self._history)
        health["symptoms"] = [symptom.to_plain() for symptom in symptoms]
        self._observer.probed(health)
        for symptom in symptoms:
            self._observer.diagnosed(symptom)
