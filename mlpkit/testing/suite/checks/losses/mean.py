"""The mean: a loss is a mean over rows, so that a minibatch may be cut anywhere."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_close
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.loss import LossExample

MANY_ROWS = 20_000


@checks_examples("loss")
def loss_is_a_finite_number(example: LossExample) -> None:
    """Does ``forward`` return one finite number, for minibatches of 1 and of 7 rows, in both dtypes?

    Training ends where a loss is not finite.
    """
    for dtype in ("float32", "float64"):
        for rows in (1, 7):
            loss = example.forward(example.ready(dtype), example.batch(rows, dtype))
            if not isinstance(loss, int | float | np.floating) or not isfinite(loss):
                raise Nonconformity(f"forward returned {loss!r} for {rows} rows", expected="one finite number")


@checks_examples("loss")
def loss_of_the_whole_is_the_mean_of_its_parts(example: LossExample) -> None:
    """Is the loss of a minibatch the mean of the losses of its parts, weighted by ``weight``?

    So a minibatch can be cut into slices, and a split evaluated in pieces.
    """
    operation, batch = example.ready(), example.batch()
    whole = float(example.forward(operation, batch))
    parts = [batch.rows(slice(0, 3)), batch.rows(slice(3, None))]
    weights = [float(operation.weight(part.t)) for part in parts]
    losses = [float(example.forward(operation, part)) for part in parts]
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / (sum(weights) or 1.0)
    what, remedy = "the loss", "divide the sum by the number of rows, and return from weight what you divide by"
    expect_close(
        {what: np.array(mean)}, {what: np.array(whole)}, "when the minibatch was cut in two", remedy, tolerance=1e-9
    )


@checks_examples("loss")
def weight_of_the_whole_is_the_sum_of_its_parts(example: LossExample) -> None:
    """Is ``weight`` a finite number from 0 up, and that of a minibatch the sum of those of its parts?

    The share of a slice in its minibatch is its weight in the sum of all.
    """
    operation, t = example.ready(), example.batch().t
    whole, parts = float(operation.weight(t)), [float(operation.weight(t[:3])), float(operation.weight(t[3:]))]
    if (
        not all(isfinite(weight) and weight >= 0 for weight in (whole, *parts))
        or abs(whole - sum(parts)) > 1e-9 * whole
    ):
        raise Nonconformity(
            f"the weights of 7 rows, of the first 3 and of the other 4 are {whole:g}, {parts[0]:g} and {parts[1]:g}",
            expected="numbers from 0 up, the first the sum of the others",
        )


@checks_examples("loss")
def many_rows_cost_no_digits(example: LossExample) -> None:
    """Is the loss of many float32 rows as precise as that of the same rows in float64?

    A sum of many float32 numbers, taken one after the other, loses digits; it is to be taken in float64.
    """
    double = example.batch(MANY_ROWS)
    single = example.batch(MANY_ROWS, "float32")
    exact = float(example.forward(example.ready(), type(double)(single.x.astype(np.float64), double.t)))
    found = float(example.forward(example.ready("float32"), single))
    if not abs(found - exact) <= 1e-5 * max(1.0, abs(exact)):
        raise Nonconformity(
            f"the loss of {MANY_ROWS:,} float32 rows is {found:.9g}, and in float64 {exact:.9g}",
            expected="six digits alike",
            remedy="sum in float64, as in losses.sum(dtype=np.float64)",
        )


@checks_examples("loss")
def dloss_is_a_factor(example: LossExample) -> None:
    """Is what ``backward`` returns proportional to ``dloss``?

    It is the share of a slice in its minibatch.
    """
    operation, batch = example.ready(), example.batch()
    example.forward(operation, batch)
    once = np.array(operation.backward(1.0))
    example.forward(operation, batch)
    found = np.array(operation.backward(0.25))
    what = "what backward returns"
    expect_close({what: found}, {what: 0.25 * once}, "for dloss = 0.25", "multiply by dloss", tolerance=1e-12)
