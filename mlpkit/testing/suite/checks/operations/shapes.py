"""Shapes: what comes out is what ``build`` declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.examples.layer import LayerExample
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer")
def outputs_have_the_declared_shape(example: LayerExample) -> None:
    """Is what ``forward`` returns of the shape that ``build`` declared, for minibatches of 1 and of 7 rows?

    The layers that follow were built for that shape, and the last minibatch of an epoch may be of any size.
    """
    for rows in (1, 7):
        y = example.forward(example.ready(), example.batch(rows))
        expected = (rows, *example.output_shape)
        if not isinstance(y, np.ndarray) or y.shape != expected:
            found = f"an array of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
            raise Nonconformity(
                f"forward returned {found} for {rows} rows",
                expected=f"shape {expected}, as build declared",
                remedy="return from build the shape of one example's outputs, without the batch axis",
            )


@checks_examples("layer")
def takes_an_empty_minibatch(example: LayerExample) -> None:
    """Can a minibatch without rows go through, there and back?

    A slice may be empty, and so may the rows that a filter leaves.
    """
    layer, batch = example.ready(), example.batch(0)
    y = np.asarray(example.forward(layer, batch))
    dx = np.asarray(example.backward(layer, batch))
    for what, shape, expected in (("forward", y.shape, example.output_shape), ("backward", dx.shape, example.shape)):
        if shape != (0, *expected):
            raise Nonconformity(
                f"{what} returned shape {shape} for a minibatch without rows", expected=f"shape {(0, *expected)}"
            )


@checks_examples("layer", "loss")
def input_gradient_has_the_inputs_shape(example: OperationExample) -> None:
    """Is what ``backward`` returns a writable array of the inputs' shape, for minibatches of 1 and of 7 rows?

    It is the dy of the layer before, which may overwrite it.
    """
    for rows in (1, 7):
        operation, batch = example.ready(), example.batch(rows)
        example.forward(operation, batch)
        dx = example.backward(operation, batch)
        if not isinstance(dx, np.ndarray) or dx.shape != batch.x.shape:
            found = f"an array of shape {dx.shape}" if isinstance(dx, np.ndarray) else type(dx).__name__
            raise Nonconformity(f"backward returned {found}", expected=f"shape {batch.x.shape}, as the inputs have")
        if not dx.flags.writeable:
            raise Nonconformity(
                "backward returned a read-only array", expected="one that can be written", remedy="return a copy"
            )
