"""Independence: what comes out for an example doesn't depend on who else is in the minibatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_close
from mlpkit.testing.suite.examples.operation import INPUT_GRADIENT, OUTPUTS, Batch

if TYPE_CHECKING:
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.layer import LayerExample
    from mlpkit.testing.suite.examples.operation import OperationExample

KEPT = slice(2, 4)
"""The rows that stay as they are while the others change."""


@checks_examples("layer", "loss")
def examples_do_not_affect_each_other(example: OperationExample) -> None:
    """In training, does each row of what comes out depend on its own row of the inputs alone?

    Minibatches are cut into slices. If that changes what the layer computes, the class must say so with
    ``couples_examples = True``.
    """
    operation, batch = example.ready(), example.batch()
    if type(operation).couples_examples:
        return
    others = example.batch(number=1)
    for array, kept in zip(others, batch, strict=True):
        array[KEPT] = kept[KEPT]
    found, expected = _kept_rows(example.run(operation, others)), _kept_rows(example.run(operation, batch))
    remedy = "compute each row from its own inputs, or set couples_examples = True in the class"
    expect_close(found, expected, "in the rows that stayed, when the other rows changed", remedy, tolerance=1e-9)


@checks_examples("layer")
def in_evaluation_examples_stand_alone(example: LayerExample) -> None:
    """In evaluation, does a row come out the same alone and among others, up to rounding?

    A prediction must not depend on what else is predicted at the same time, whatever couples the rows in training.
    """
    layer, batch = example.ready(training=False), example.batch()
    together = np.array(example.forward(layer, batch))[KEPT]
    alone = np.array(example.forward(layer, Batch(batch.x[KEPT].copy(), batch.t[KEPT].copy())))
    remedy = "where self.training is false, use running figures declared with self.state"
    expect_close({OUTPUTS: alone}, {OUTPUTS: together}, "for rows by themselves", remedy, tolerance=1e-6)


def _kept_rows(arrays: Arrays) -> Arrays:
    rows: dict[str, Any] = {what: arrays[what] for what in (OUTPUTS, INPUT_GRADIENT)}
    return {what: array[KEPT] for what, array in rows.items() if array.ndim}
