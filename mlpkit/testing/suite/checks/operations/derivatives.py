"""Gradients: what ``backward`` returns is the derivative of what ``forward`` computes."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from mlpkit.testing.gradients import gradient_mismatches
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.examples.operation import gradients
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.components.operation import Operation
    from mlpkit.testing.gradients import GradientMismatch
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.operation import OperationExample


@checks_examples("layer", "loss")
def input_gradient_is_the_derivative(example: OperationExample) -> None:
    """Is what ``backward`` returns the derivative by the inputs, compared with differences in float64?

    All layers before this one learn from it.
    """
    wrong = [mismatch for mismatch in _mismatches(example) if mismatch.parameter == "x"]
    _expect_none(wrong, "look at the dx of backward")


@checks_examples("layer", "loss")
def parameter_gradients_are_the_derivatives(example: OperationExample) -> None:
    """Is the gradient of every parameter the derivative by it, compared with differences in float64?

    The parameters are moved off their first values for it, and their gradients are not a number beforehand.
    """
    wrong = [mismatch for mismatch in _mismatches(example) if mismatch.parameter != "x"]
    remedy = "look at the formula of that gradient in backward"
    if wrong and isnan(wrong[0].relative_error):
        remedy = f"overwrite that gradient, as in self.{wrong[0].parameter}.grad[...] = ..."
    _expect_none(wrong, remedy)


@checks_examples("layer")
def gradients_are_overwritten(example: OperationExample) -> None:
    """Does ``backward`` overwrite the gradients, and not add to them?

    Nobody sets them to zero between two steps.
    """
    operation, batch = example.ready(), example.batch()
    first = _gradients_of_pass(example, operation)
    for parameter in operation.declared_parameters():
        parameter.grad[...] = 1000.0
    example.run(operation, batch)
    expect_same_bits(
        gradients(operation),
        first,
        "with other numbers in its place beforehand",
        "assign with self.W.grad[...] = ..., or write with out=self.W.grad",
    )


@checks_examples("layer")
def works_where_no_input_gradient_is_needed(example: OperationExample) -> None:
    """Are the gradients of the parameters the same where nobody needs that of the inputs?

    The first layer with parameters is told so, by ``needs_input_gradient``.
    """
    operation = example.ready()
    first = _gradients_of_pass(example, operation)
    operation.needs_input_gradient = False
    for parameter in operation.declared_parameters():
        parameter.grad[...] = 1000.0
    found = _gradients_of_pass(example, operation)
    expect_same_bits(
        found, first, "with needs_input_gradient = False", "set the gradients first, and only then look at the flag"
    )


def _gradients_of_pass(example: OperationExample, operation: Operation) -> Arrays:
    """Go there and back once, and return the gradients of the parameters."""
    batch = example.batch()
    example.forward(operation, batch)
    example.backward(operation, batch)
    return gradients(operation)


def _mismatches(example: OperationExample) -> list[GradientMismatch]:
    batch = example.batch(3)
    return gradient_mismatches(
        example.make(),
        example.shape,
        target=example.target,
        x=batch.x,
        t=batch.t if example.target is not None else None,
        resolver=example.registry.create,
    )


def _expect_none(mismatches: list[GradientMismatch], remedy: str) -> None:
    if mismatches:
        raise Nonconformity(str(mismatches[0]), expected="the derivative of what forward computes", remedy=remedy)
