"""Examples and checks of losses: means, weights, predictions and targets."""

from __future__ import annotations

from itertools import product
from math import isclose, isfinite
from typing import Any, NamedTuple, Self

import numpy as np

from mlpkit.array import Array
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.network.shape_proof import StackError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.outside_network import DLOSS, random_targets
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    check_close,
    checks_examples,
    failing_with,
    require,
    unchanged,
)
from mlpkit.testing.suite.checks.operation import INPUT_GRADIENT, Batch, OperationExample, built_or_refused
from mlpkit.testing.suite.plugin_under_test import ROWS


class LossExample(OperationExample):
    """A loss on inputs of some shape, with a kind of target that its ``build`` accepts."""

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return a variant for each kind of target that ``build`` accepts."""
        shape = cls(entry, registry, index).shape
        targets = [*possible_targets(shape), *entry.component.example_targets]  # type: ignore[attr-defined]
        if entry.component.prediction_names is not Loss.prediction_names:  # type: ignore[attr-defined]
            targets.append(Values((1,)))
        candidates = [cls(entry, registry, index, target) for target in dict.fromkeys(targets)]
        accepted = [candidate for candidate in candidates if candidate.is_accepted()]
        if not accepted:
            tried = "; ".join(str(candidate.target) for candidate in candidates)
            raise CheckFailure(
                f"build of {entry.name} refuses every target for inputs of shape {shape}: {tried}",
                expected="a target that it accepts",
                remedy="use another shape in examples()",
            )
        return accepted

    def is_accepted(self) -> bool:
        """Return whether ``build`` accepts the shape with the target."""
        try:
            self.proved()
        except StackError:
            return False
        return True

    def title(self) -> str:
        """Return a title that identifies the example."""
        one_hot = ", one-hot" if isinstance(self.target, Classes) and self.target.one_hot else ""
        return f"{super().title()} with {self.target}{one_hot}"

    def compute(self, operation: Loss, batch: Batch) -> Any:
        """Return the loss."""
        return operation.forward(batch.x, batch.t)

    def infer(self, operation: Loss, x: Array) -> Any:
        """Return the prediction."""
        return operation.predict(x)

    def backward(self, operation: Loss, batch: Batch) -> Any:
        """Return dx."""
        return operation.backward(DLOSS)

    def divided_by(self, operation: Loss, batch: Batch) -> float:
        """Return the minibatch's weight, which includes the other rows."""
        return weight_of(operation, batch.t)

    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> Array:
        assert self.target is not None
        return random_targets(self.target, rows, rng, dtype, negative=self.entry.component.takes_negative_values)  # type: ignore[attr-defined]

    def _stack(self) -> list[Any]:
        return [self.make()]


def weight_of(loss: Loss, t: Array) -> float:
    """Return the weight of targets."""
    weight = loss.weight(t)
    is_number, remedy = isinstance(weight, int | float | np.number), "return what forward divides by"
    require(is_number, f"weight returned {weight!r}", expected="a number", remedy=remedy)
    return float(weight)


def possible_targets(shape: tuple[int, ...]) -> list[Target]:
    """Return the targets that a loss may take with inputs of a shape, or with several such inputs per target."""
    last = shape[-1] if shape else 1
    count = last if last > 1 else 2
    values = [Values(shape), Values(shape[1:])] if len(shape) > 1 else [Values(shape)]
    of_a_score = [Classes(4), Classes(4, one_hot=True)] if last == 1 else []
    return [Classes(count), Classes(count, one_hot=True), *of_a_score, Labels(last), *values]


@checks_examples("loss")
def loss_is_a_finite_number(example: LossExample) -> None:
    """Does ``forward`` return one finite number, for minibatches of 1 and of 7 rows, in both dtypes?

    Training ends if a loss is not finite.
    """
    for dtype, rows in product(("float32", "float64"), (1, 7)):
        loss = example.forward(example.ready(dtype), example.batch(rows, dtype))
        is_number = isinstance(loss, int | float | np.floating) and isfinite(loss)
        require(is_number, f"forward returned {loss!r} for {rows} rows", expected="one finite number")


@checks_examples("loss")
def loss_of_the_whole_is_the_mean_of_its_parts(example: LossExample) -> None:
    """Is the loss of a minibatch the mean of the losses of its parts, weighted by ``weight``, and are weights added up?

    This lets a minibatch be cut into slices, and a split be evaluated in parts; a loss that couples examples has one
    slice.
    """
    operation, batch = example.ready(), example.batch()
    parts = [batch.rows(slice(0, 3)), batch.rows(slice(3, None))]
    all_rows, *weights = (weight_of(operation, part.t) for part in (batch, *parts))
    require(
        all(isfinite(weight) and weight >= 0 for weight in weights) and isclose(all_rows, sum(weights), abs_tol=1e-12),
        f"the weights of 7 rows, of the first 3 and of the other 4 are {all_rows:g}, {weights[0]:g} and {weights[1]:g}",
        expected="numbers from 0 up, the first the sum of the others",
    )
    if operation.couples_examples:
        return
    whole = float(example.forward(operation, batch))
    losses = [float(example.forward(operation, part)) for part in parts]
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / (sum(weights) or 1.0)
    what, remedy = "the loss", "divide the sum by the number of rows, and return from weight what you divide by"
    check_close(
        {what: np.array(mean)}, {what: np.array(whole)}, "when the minibatch was cut in two", remedy, tolerance=1e-9
    )


class _Weighted(NamedTuple):
    """The loss, weight and gradient of a minibatch whose rows have weights."""

    loss: float
    weight: float
    dx: Array

    def arrays(self) -> Arrays:
        """Return named arrays for comparison."""
        return {"the loss": np.array(self.loss), "what weight returns": np.array(self.weight), INPUT_GRADIENT: self.dx}


def _weighted(example: LossExample, batch: Batch, *weights: Array) -> _Weighted:
    operation = example.ready()
    loss = float(operation.forward(batch.x, batch.t, *weights))
    dx = np.array(operation.backward(DLOSS), np.float64)
    return _Weighted(loss, float(operation.weight(batch.t, *weights)), dx)


@checks_examples("loss")
def loss_counts_a_row_as_often_as_its_weight_says(example: LossExample) -> None:
    """If it takes weights, does a row with weight 2 count like two such rows, and a row with weight 0 not at all?

    A row with weight 0 contributes neither to the loss nor to its gradient. Only the ratios of weights matter.
    """
    if not example.ready().takes_weights:
        return
    batch, repeats = example.batch(), np.array([2, 0, 1, 3, 1, 0, 2])
    rows = np.repeat(np.arange(len(repeats)), repeats)
    repeated = _weighted(example, Batch(batch.x[rows], batch.t[rows]))
    dx = np.zeros(batch.x.shape)
    np.add.at(dx, rows, repeated.dx)
    remedy = "divide the sum of weight times loss by the sum of the weights, and return that from weight"
    for unit in (1.0, 0.001, 1000.0):
        found = _weighted(example, batch, unit * repeats)
        found = found._replace(weight=found.weight / unit)
        when = f"when rows had weights like {2 * unit:g}"
        check_close(found.arrays(), repeated._replace(dx=dx).arrays(), when, remedy, tolerance=1e-9)


@checks_examples("loss")
def rows_without_weight_have_no_loss(example: LossExample) -> None:
    """If it takes weights, are loss and gradient 0 if all weights are 0?

    All rows of a slice may have weight 0.
    """
    if not example.ready().takes_weights:
        return
    zero = _weighted(example, example.batch(), np.zeros(ROWS))
    require(
        not (zero.loss or zero.weight or zero.dx.any()),
        f"rows with weight 0 have loss {zero.loss:g}, weight {zero.weight:g}, and gradient {np.abs(zero.dx).max():g}",
        expected="0 for each",
        remedy="divide by the sum of the weights, or by 1 if that is 0",
    )


@checks_examples("loss", says_why_unusable=True)
def refuses_targets_it_can_not_compare(example: LossExample) -> None:
    """Does ``build`` refuse each shape and target that ``forward`` can't take with ``ShapeError``?

    If data and loss don't fit, the error shows the line of the spec, and what would fit.
    """
    for shape in ((), (1,), example.shape, (2, 3)):
        for target in (Classes(4), Classes(4, one_hot=True), Labels(4), Values((4,)), Values(()), None):
            _require_refused_or_taken(example, shape, target)


@checks_examples("loss")
def predictions_have_a_row_for_each_example(example: LossExample) -> None:
    """Does ``predict`` return a row per input row that depends only on this row, and leave its inputs unchanged?

    Metrics compare each row with its target.
    """
    operation, x = example.ready(training=False), example.batch().x
    with unchanged("predict", {"its inputs": x}):
        prediction = operation.predict(x)
    whole = np.array(prediction)
    happened = f"predict returned {'None' if prediction is None else f'shape {whole.shape}'} for {len(x)} rows"
    require(whole.shape[:1] == (len(x),), happened, expected=f"an array of shape ({len(x)}, ...)")
    alone = np.array(operation.predict(x[2:4].copy()))
    same, happened = np.allclose(alone, whole[2:4], rtol=1e-6, atol=1e-9), "predict gave others for fewer rows"
    require(same, happened, expected="the same predictions as among other rows")


@checks_examples("loss")
def inputs_for_a_prediction_predict_it(example: LossExample) -> None:
    """If ``inputs_for`` is overridden, does ``predict`` turn its result back into the same, unchanged prediction?

    The loss of predictions is computed at these inputs.
    """
    operation, x = example.ready(training=False), example.batch().x
    if type(operation).inputs_for is Loss.inputs_for:
        return
    prediction = np.array(operation.predict(x))
    with unchanged("inputs_for", {"the prediction": prediction}):
        again = np.array(operation.predict(operation.inputs_for(prediction)))
    same = again.shape == prediction.shape and np.allclose(again, prediction, rtol=1e-5, atol=1e-7)
    happened = "predict returned another prediction for the inputs from inputs_for"
    require(same, happened, expected="the original prediction")


def _require_refused_or_taken(example: LossExample, shape: tuple[int, ...], target: Target | None) -> None:
    loss = built_or_refused(example, shape, target, "let build raise ShapeError")
    if loss is None or target is None:
        return
    rng = example.random("targets")
    x, t = rng.normal(size=(2, *shape)), random_targets(target, 2, rng, negative=loss.takes_negative_values)
    happened = f"build took inputs of shape {shape} and {target}, but forward raised"
    expected, remedy = "forward to work for everything that build takes", "let build raise ShapeError"
    with failing_with(happened, expected=expected, remedy=remedy):
        loss.forward(x, t)
