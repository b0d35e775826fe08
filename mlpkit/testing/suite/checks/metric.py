"""Examples and checks of metrics: results, merging, weights and targets."""

from __future__ import annotations

import reprlib
from itertools import product
from math import isfinite
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.metric import Metric
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import WrongUseError
from mlpkit.testing.suite.check import (
    Arrays,
    CheckFailure,
    check_close,
    checks_examples,
    failing_with,
    require,
    unchanged,
)
from mlpkit.testing.suite.checks.operation import Batch
from mlpkit.testing.suite.plugin_under_test import ROWS, Example


class MetricExample(Example):
    """A metric of predictions for a kind of target."""

    form = "a list of pairs of parameters and a target"
    sample = "[({'k': 2}, Classes(5))]"
    place = Classes(5)

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Return whether the item is a pair of a dict and a target."""
        match item:
            case (dict(), Target()):
                return True
        return False

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} with {self.shown_with()}"

    @property
    def target(self) -> Target:
        """The kind of target."""
        target: Target = self.shown_with()
        return target

    def ready(self, target: Target | None = None) -> Metric:
        """Build the metric and call ``expect_target``, by default with the example's target."""
        metric: Metric = self.make()
        metric.expect_target(target or self.target)
        return metric

    def predictions(
        self, rows: int = ROWS, number: int = 0, dtype: str = "float64", target: Target | None = None
    ) -> Batch:
        """Return random predictions, by default of the example's target."""
        target = target or self.target
        rng = self.random("predictions", number)
        prediction, t = target.random_examples(rows, rng)
        if isinstance(target, Values) and self.entry.component.sees == "interval":  # type: ignore[attr-defined]
            prediction = np.sort(rng.normal(size=(rows, 2)))
        return Batch(prediction.astype(dtype), t.astype(target.array(dtype)[1]))

    def after(self, *parts: Batch) -> Metric:
        """Return a new metric with some minibatches added."""
        metric = self.ready()
        for part in parts:
            metric.update(*part)
        return metric

    def result(self, *parts: Batch) -> Array:
        """Return the result of a new metric for some minibatches."""
        return np.asarray(self.after(*parts).result(), np.float64)

    def exercise(self) -> Arrays:
        """Add two minibatches, merge with another metric, and compute the result."""
        metric = self.after(self.predictions(number=0))
        metric.merge(self.after(self.predictions(number=1)))
        return {"the result": np.array(metric.result())}


MANY_ROWS = 40


@checks_examples("metric")
def result_is_a_finite_number(example: MetricExample) -> None:
    """Is the result a finite number, or a table if ``table`` is set, for 1 example and for many, in either dtype?

    The history contains only numbers, and ``metrics.json`` numbers and tables. ``sees`` is ``point`` or ``interval``.
    """
    sees = example.ready().sees
    require(sees in ("point", "interval"), f"sees is {sees!r}", expected='"point" or "interval"')
    for dtype, rows in product(("float32", "float64"), (1, MANY_ROWS)):
        metric = example.ready()
        metric.update(*example.predictions(rows, dtype=dtype))
        result = metric.result()
        happened = f"the result for {rows} rows is {reprlib.repr(result)}"
        if metric.table is not None:
            require(_is_table(result), happened, expected="rows of whole numbers")
        else:
            is_number = isinstance(result, int | float | np.number) and isfinite(result)
            require(is_number, happened, expected="one finite number", remedy="set table if the result is a table")


@checks_examples("metric")
def parts_make_the_whole(example: MetricExample) -> None:
    """Is the result the same in parts of different sizes, even if it is also computed in between?

    Evaluation goes through a split in parts, and the last part is smaller. A display may show the result so far.
    """
    for number in range(3):  # results of different cuts may agree by chance
        whole = example.predictions(MANY_ROWS, number)
        expected, shown = example.result(whole), example.ready()
        _require_same("in parts of different sizes", example.result(*_parts(whole)), expected)
        for part in _parts(whole):
            shown.update(*part)
            shown.result()
        _require_same("when it was computed in between", shown.result(), expected)


@checks_examples("metric")
def merged_parts_make_the_whole(example: MetricExample) -> None:
    """Is the result the same if each part is added to a separate object, and these are merged with empty ones?

    Several workers may share an evaluation, and some of them may have nothing to do.
    """
    for number in range(3):
        whole = example.predictions(MANY_ROWS, number)
        first, *others = [example.ready(), *map(example.after, _parts(whole)), example.ready()]
        for other in others:
            first.merge(other)
        _require_same("merged from several objects", first.result(), example.result(whole))


@checks_examples("metric")
def result_counts_a_row_as_often_as_its_weight_says(example: MetricExample) -> None:
    """If it takes weights, does a row with weight 2 count like two such rows, and a row with weight 0 not at all?

    A row with weight 0 doesn't affect the result, even if it is the only one in a minibatch. Only the ratios of weights
    matter.
    """
    if not example.ready().takes_weights:
        return
    for number in range(3):
        whole = example.predictions(MANY_ROWS, number)
        repeats = example.random("weights", number).integers(0, 4, MANY_ROWS)
        repeats[:3] = 0
        expected = example.result(whole.rows(np.repeat(np.arange(MANY_ROWS), repeats)))
        for unit in (1.0, 0.001, 1000.0):
            found = _weighted(example, whole, unit * repeats)
            _require_same(f"when rows had weights like {2 * unit:g}", found, expected)


def _weighted(example: MetricExample, whole: Batch, weights: Array) -> Array:
    """Return the result for rows that have weights, added in three parts to two objects."""
    first, second = example.ready(), example.ready()
    for metric, rows in ((first, slice(3)), (first, slice(3, 20)), (second, slice(20, None))):
        metric.update(*whole.rows(rows), weights[rows])  # type: ignore[call-arg]  # takes_weights is true
    first.merge(second)
    return np.asarray(first.result(), np.float64)


@checks_examples("metric")
def leaves_predictions_alone(example: MetricExample) -> None:
    """Are predictions and targets unchanged after ``update``, and may they be read-only?

    Other metrics use them too.
    """
    whole = example.predictions(MANY_ROWS)
    with unchanged("update", {"the predictions": whole.x, "the targets": whole.t}):
        example.ready().update(*whole)
    for array in whole:
        array.flags.writeable = False
    example.ready().update(*whole)


@checks_examples("metric")
def keeps_no_array_that_is_not_its_own(example: MetricExample) -> None:
    """Is the result the same if the arrays are overwritten after ``update``?

    The next minibatch is written into them.
    """
    whole = example.predictions(MANY_ROWS)
    expected = example.result(whole)
    metric = example.after(whole)
    whole.x[...] = whole.x[::-1].copy()
    whole.t[...] = 0
    _require_same("when the arrays were overwritten after update", metric.result(), expected, "copy what you keep")


def _parts(whole: Batch) -> list[Batch]:
    return [whole.rows(slice(0, 1)), whole.rows(slice(1, 14)), whole.rows(slice(14, None))]


def _is_table(result: object) -> bool:
    rows = result if isinstance(result, list) else []
    return bool(rows) and all(
        isinstance(row, list) and len(row) == len(rows[0]) and all(type(count) is int for count in row) for row in rows
    )


def _require_same(
    when: str, found: object, expected: Array, remedy: str = "accumulate sums and counts, and divide only in result"
) -> None:
    what = "the result"
    check_close({what: np.asarray(found, np.float64)}, {what: expected}, when, remedy, tolerance=1e-9)


TARGETS: Final[tuple[Target, ...]] = (
    Classes(2),
    Classes(2, one_hot=True),
    Classes(4),
    Classes(3, one_hot=True),
    Labels(1),
    Labels(3),
    Values(()),
    Values((3,)),
    Values((2, 3)),
)
"""Targets that a metric is tried on, in addition to its examples."""


@checks_examples("metric", says_why_unusable=True)
def refuses_targets_it_can_not_judge(example: MetricExample) -> None:
    """Does ``expect_target`` accept the example's target, and other targets only if the metric works on them?

    It is called before data is read; the error shows the line of the spec, and what would fit.
    """
    for target in (example.target, *TARGETS):
        happened = f"expect_target, for {_described(target)}, raised"
        try:
            with failing_with(happened, expected="ShapeError, or nothing", except_for=WrongUseError):
                metric = example.ready(target)
        except WrongUseError as error:
            if target != example.target:
                continue
            raise CheckFailure(f"{happened} {error}", expected="the example's target to be accepted") from error
        expected = "ShapeError from expect_target for targets that the metric can't take"
        with failing_with(f"a target of {_described(target)} was not refused, and failed:", expected=expected):
            metric.update(*example.predictions(target=target))
            metric.result()


def _described(target: Target) -> str:
    return f"{target}, one-hot" if isinstance(target, Classes) and target.one_hot else str(target)
