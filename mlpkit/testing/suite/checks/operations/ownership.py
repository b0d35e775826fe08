"""Ownership: what was handed over may be overwritten by whoever has it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.operation import gradients

if TYPE_CHECKING:
    from mlpkit.components.operation import Operation
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer", "loss")
def returned_gradient_is_the_callers(example: OperationExample) -> None:
    """May what ``backward`` returned be overwritten, with no harm to parameters, gradients, inputs and the next step?

    The layer before overwrites it: it is that layer's dy.
    """
    operation, batch = example.ready(), example.batch()
    first = example.run(operation, batch)
    kept = {"the inputs": batch.x.copy(), **_parameters(operation), **gradients(operation)}
    example.forward(operation, batch)
    dx = np.asarray(example.backward(operation, batch))
    dx[...] = 1000.0
    when, remedy = "when the array that backward returned was overwritten", "return an array of its own from backward"
    now = {"the inputs": batch.x, **_parameters(operation), **gradients(operation)}
    expect_same_bits(now, kept, when, remedy)
    expect_same_bits(example.run(operation, batch), first, when, remedy)


def _parameters(operation: Operation) -> Arrays:
    return {f"the parameter {p.path}": p.value.copy() for p in operation.declared_parameters()}
