"""Examples and checks of losses: means, weights, predictions and targets."""

from __future__ import annotations

from math import isfinite, prod
from typing import Any, Final, NamedTuple, Self

import numpy as np

from mlpkit.array import Array
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Labels, Target, Values, is_length
from mlpkit.errors import ShapeError
from mlpkit.network.shape_proof import StackError
from mlpkit.registry.registry import RegisteredComponent, Registry
from mlpkit.testing.outside_network import random_targets
from mlpkit.testing.suite.check import CheckFailure, checks_examples, failing_with, unchanged
from mlpkit.testing.suite.checks.operation import INPUT_GRADIENT, Batch, OperationExample, built_or_refused
from mlpkit.testing.suite.comparison import Arrays, check_close
from mlpkit.testing.suite.example import ROWS

DLOSS: Final = 0.75
"""The dloss of a slice, other than 1, so that a loss that ignores it fails."""


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
    if not isinstance(weight, int | float | np.number):
        raise CheckFailure(f"weight returned {weight!r}", expected="a number", remedy="return what forward divides by")
    return float(weight)


def possible_targets(shape: tuple[int, ...]) -> list[Target]:
    """Return the targets that a loss may take with inputs of a shape, or with several such inputs per target."""
    last = shape[-1] if shape else 1
    count = last if last > 1 else 2
    values = [Values(shape), Values(shape[1:])] if len(shape) > 1 else [Values(shape)]
    of_a_score = [Classes(4), Classes(4, one_hot=True)] if last == 1 else []
    return [Classes(count), Classes(count, one_hot=True), *of_a_score, Labels(last), *values]


MANY_ROWS = 20_000


@checks_examples("loss")
def expected_inputs_are_accepted(example: LossExample) -> None:
    """If ``expected_inputs`` returns a shape for the target, does ``build`` take such inputs?

    With ``units: auto``, the last layer gets that many units.
    """
    assert example.target is not None
    shape = example.make().expected_inputs(example.target)
    if shape is None:
        return
    if not isinstance(shape, tuple) or not all(map(is_length, shape)):
        raise CheckFailure(f"expected_inputs returned {shape!r}", expected="a tuple of lengths, or None")
    with failing_with(f"expected_inputs returned {shape}, which build refuses:", expected="a shape that build accepts"):
        example.proved(shape)


@checks_examples("loss")
def loss_is_a_finite_number(example: LossExample) -> None:
    """Does ``forward`` return one finite number, for minibatches of 1 and of 7 rows, in both dtypes?

    Training ends if a loss is not finite.
    """
    for dtype in ("float32", "float64"):
        for rows in (1, 7):
            loss = example.forward(example.ready(dtype), example.batch(rows, dtype))
            if not isinstance(loss, int | float | np.floating) or not isfinite(loss):
                raise CheckFailure(f"forward returned {loss!r} for {rows} rows", expected="one finite number")


@checks_examples("loss")
def loss_of_the_whole_is_the_mean_of_its_parts(example: LossExample) -> None:
    """Is the loss of a minibatch the mean of the losses of its parts, weighted by ``weight``?

    This lets a minibatch be cut into slices, and a split be evaluated in parts; a loss that couples examples has one
    slice.
    """
    operation, batch = example.ready(), example.batch()
    if operation.couples_examples:
        return
    whole = float(example.forward(operation, batch))
    parts = [batch.rows(slice(0, 3)), batch.rows(slice(3, None))]
    weights = [weight_of(operation, part.t) for part in parts]
    losses = [float(example.forward(operation, part)) for part in parts]
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / (sum(weights) or 1.0)
    what, remedy = "the loss", "divide the sum by the number of rows, and return from weight what you divide by"
    check_close(
        {what: np.array(mean)}, {what: np.array(whole)}, "when the minibatch was cut in two", remedy, tolerance=1e-9
    )


@checks_examples("loss")
def weight_of_the_whole_is_the_sum_of_its_parts(example: LossExample) -> None:
    """Is ``weight`` a finite number, at least 0, and the weight of a minibatch the sum of its parts' weights?

    The share of a slice in its minibatch is its weight divided by the sum of all weights.
    """
    operation, t = example.ready(), example.batch().t
    whole, *parts = (weight_of(operation, rows) for rows in (t, t[:3], t[3:]))
    if (
        not all(isfinite(weight) and weight >= 0 for weight in (whole, *parts))
        or abs(whole - sum(parts)) > 1e-9 * whole
    ):
        raise CheckFailure(
            f"the weights of 7 rows, of the first 3 and of the other 4 are {whole:g}, {parts[0]:g} and {parts[1]:g}",
            expected="numbers from 0 up, the first the sum of the others",
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

    A row with weight 0 contributes neither to the loss nor to its gradient.
    """
    if not example.ready().takes_weights:
        return
    batch, repeats = example.batch(), np.array([2, 0, 1, 3, 1, 0, 2])
    rows = np.repeat(np.arange(len(repeats)), repeats)
    repeated = _weighted(example, Batch(batch.x[rows], batch.t[rows]))
    dx = np.zeros(batch.x.shape)
    np.add.at(dx, rows, repeated.dx)
    found = _weighted(example, batch, repeats.astype(np.float64))
    remedy = "divide the sum of weight times loss by the sum of the weights, and return that from weight"
    check_close(found.arrays(), repeated._replace(dx=dx).arrays(), "when rows had weights", remedy, tolerance=1e-9)


@checks_examples("loss")
def loss_needs_no_unit_of_weights(example: LossExample) -> None:
    """If it takes weights, are loss and gradient the same for weights a thousand times as large?

    Only the ratios of weights matter.
    """
    if not example.ready().takes_weights:
        return
    batch, weights = example.batch(), np.array([2, 0, 1, 3, 1, 0.5, 2])
    expected = _weighted(example, batch, weights)
    found = _weighted(example, batch, 1000 * weights)
    remedy = "divide by the sum of the weights"
    check_close(
        found.arrays(),
        expected._replace(weight=1000 * expected.weight).arrays(),
        "when all weights were a thousand times as large",
        remedy,
        tolerance=1e-9,
    )


@checks_examples("loss")
def rows_without_weight_have_no_loss(example: LossExample) -> None:
    """If it takes weights, are loss and gradient 0 if all weights are 0?

    All rows of a slice may have weight 0.
    """
    if not example.ready().takes_weights:
        return
    zero = _weighted(example, example.batch(), np.zeros(ROWS))
    if zero.loss or zero.weight or zero.dx.any():
        raise CheckFailure(
            f"the loss of rows with weight 0 is {zero.loss:g}, their weight {zero.weight:g}, and the largest number "
            f"of their gradient {np.abs(zero.dx).max():g}",
            expected="0 for each",
            remedy="divide by the sum of the weights, or by 1 if that is 0",
        )


@checks_examples("loss")
def no_other_constant_is_better(example: LossExample) -> None:
    """If ``best_constant`` returns inputs, is the loss of all constant inputs near them at least as large?

    ``mlpkit doctor`` compares the loss of a training with their loss.
    """
    operation, batch = example.ready(), example.batch()
    targets = [batch.t, *([np.array([2, 0, 1, 3, 1, 0.5, 2])] if operation.takes_weights else [])]
    constant = operation.best_constant(*targets)
    if constant is None:
        return
    if np.shape(constant) != example.shape:
        raise CheckFailure(f"best_constant returned shape {np.shape(constant)}", expected=str(example.shape))

    def loss_of(offset: Array) -> float:
        x = np.empty_like(batch.x)
        x[...] = constant + offset
        return float(operation.forward(x, *targets))

    least = loss_of(np.zeros(example.shape))
    for place in np.ndindex(example.shape):
        for distance in (-0.05, 0.05):
            offset = np.zeros(example.shape)
            offset[place] = distance
            if loss_of(offset) < least - 1e-6 * (1 + abs(least)):
                raise CheckFailure(
                    f"the loss of best_constant is {least:.6g}, but {loss_of(offset):.6g} if {distance:+g} is added to "
                    f"element {place}",
                    expected="the smallest loss",
                    remedy="solve Σ dx = 0 over the rows, or return None",
                )


@checks_examples("loss")
def many_rows_cost_no_digits(example: LossExample) -> None:
    """Is the loss of many float32 rows as precise as that of the same rows in float64?

    Adding many float32 numbers one by one loses digits; add them in float64.
    """
    double = example.batch(MANY_ROWS)
    single = example.batch(MANY_ROWS, "float32")
    exact = float(example.forward(example.ready(), type(double)(single.x.astype(np.float64), double.t)))
    found = float(example.forward(example.ready("float32"), single))
    if not abs(found - exact) <= 1e-5 * max(1.0, abs(exact)):
        raise CheckFailure(
            f"the loss of {MANY_ROWS:,} float32 rows is {found:.9g}, and in float64 {exact:.9g}",
            expected="six equal digits",
            remedy="sum in float64, as in losses.sum(dtype=np.float64)",
        )


@checks_examples("loss")
def dloss_is_a_factor(example: LossExample) -> None:
    """Is the result of ``backward`` proportional to ``dloss``?

    ``dloss`` is the share of a slice in its minibatch.
    """
    operation, batch = example.ready(), example.batch()
    example.forward(operation, batch)
    once = np.array(operation.backward(1.0))
    example.forward(operation, batch)
    found = np.array(operation.backward(0.25))
    what = "what backward returns"
    check_close({what: found}, {what: 0.25 * once}, "for dloss = 0.25", "multiply by dloss", tolerance=1e-12)


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
    if prediction is None:
        raise CheckFailure("predict returned None", expected=f"an array of shape ({len(x)}, ...)")
    whole = np.array(prediction)
    if whole.shape[:1] != (len(x),):
        raise CheckFailure(f"predict returned shape {whole.shape} for {len(x)} rows", expected=f"({len(x)}, ...)")
    alone = np.array(operation.predict(x[2:4].copy()))
    if not np.allclose(alone, whole[2:4], rtol=1e-6, atol=1e-9):
        raise CheckFailure(
            "predict gave different predictions for fewer rows", expected="the same predictions as among other rows"
        )


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
    if again.shape != prediction.shape or not np.allclose(again, prediction, rtol=1e-5, atol=1e-7):
        raise CheckFailure(
            "predict returned another prediction for the inputs from inputs_for", expected="the original prediction"
        )


@checks_examples("loss")
def prediction_loss_is_a_mean_over_rows(example: LossExample) -> None:
    """If ``prediction_loss`` is overridden, is it a mean over parts of the rows, and does it not change predictions?

    It computes the loss of an ensemble, whose prediction is the mean of several.
    """
    operation, batch = example.ready(training=False), example.batch()
    if type(operation).prediction_loss is Loss.prediction_loss or not operation.can_be_averaged:
        return
    prediction = np.array(operation.predict(batch.x))
    with unchanged("prediction_loss", {"the prediction": prediction}):
        whole = float(operation.prediction_loss(prediction, batch.t))
    half = len(prediction) // 2 + 1
    parts = [(prediction[rows], batch.t[rows]) for rows in (slice(half), slice(half, None))]
    weights = [weight_of(operation, t) for _, t in parts]
    mean = np.average([operation.prediction_loss(*part) for part in parts], weights=weights)
    if not np.isclose(whole, mean, rtol=1e-6):
        raise CheckFailure(
            f"prediction_loss returned {whole:.9g} for all rows, but a mean of {mean:.9g} for two parts of them",
            expected="the same mean over rows, weighted by weight",
        )


@checks_examples("loss")
def numbers_predicted_have_names(example: LossExample) -> None:
    """If ``prediction_names`` names several numbers for a target value, does ``predict`` return one per name?

    And does ``point_prediction`` return one number per row, or raise ``ShapeError``? Files and exports show the numbers
    under these names, and metrics compare the point prediction with the target.
    """
    operation, x = example.ready(training=False), example.batch().x
    names: object = operation.prediction_names()
    if names is None:
        return
    if not isinstance(names, tuple) or not all(isinstance(name, str) and name for name in names):
        raise CheckFailure(f"prediction_names returned {names!r}", expected="a tuple of names, or None")
    if len(set(names)) < len(names):
        raise CheckFailure(f"prediction_names returned {names!r}", expected="each name once")
    of_several = isinstance(example.target, Values) and prod(example.target.shape) != 1
    if of_several or isinstance(example.target, Classes | Labels):
        raise CheckFailure(
            f"prediction_names returned {names!r} for {example.target}",
            expected="None unless the target is one real value",
            remedy="refuse other targets in build",
        )
    prediction = np.array(operation.predict(x))
    if prediction.shape != (len(x), len(names)):
        raise CheckFailure(
            f"predict returned shape {prediction.shape} for {len(x)} rows, and prediction_names {names!r}",
            expected=str((len(x), len(names))),
        )
    try:
        point = operation.point_prediction(prediction)
    except ShapeError:
        return
    if np.shape(point) != (len(x), 1):
        raise CheckFailure(
            f"point_prediction returned shape {np.shape(point)} for {len(x)} rows",
            expected=str((len(x), 1)),
            remedy="return the column to compare with the target, or raise ShapeError",
        )


@checks_examples("loss")
def an_interval_has_two_ends(example: LossExample) -> None:
    """Does ``interval_prediction`` return a lower and an upper end per row, or raise ``ShapeError``?

    Metrics compare them with the target, and reports show them.
    """
    operation, x = example.ready(training=False), example.batch().x
    prediction = np.array(operation.predict(x))
    try:
        with unchanged("interval_prediction", {"the prediction": prediction}):
            ends = np.array(operation.interval_prediction(prediction))
    except ShapeError:
        return
    if ends.shape != (len(x), 2):
        raise CheckFailure(
            f"interval_prediction returned shape {ends.shape} for {len(x)} rows", expected=str((len(x), 2))
        )
    if (ends[:, 0] > ends[:, 1]).any():
        raise CheckFailure(
            "interval_prediction returned an upper end below the lower end", expected="the lower end first"
        )


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
