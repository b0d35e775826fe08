"""Elementwise operators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlpkit_plugins.exporters.c.step import Operand, Operator, Step, broadcast, loops, row_major
from mlpkit_plugins.exporters.c.syntax import literal, type_of


def elementwise(expression: str, **defaults: float) -> Operator:
    """Return an operator that computes each element from the elements of its inputs, with broadcasting.

    In the expression in C, ``{0}``, ``{1}``, ... are the inputs' elements, ``{zero}`` is 0, and names in braces are
    attributes, with their default values.
    """

    def one_to_one(step: Step) -> list[str]:
        values = [operand for operand in step.inputs if operand is not None]
        if step.input(0).dtype.kind in "UO":
            raise step.refused("on texts")
        number = step.input(0).dtype.type
        attributes = {"zero": 0, **defaults, **step.node.attributes}
        words = {name: literal(number(value)) for name, value in attributes.items() if f"{{{name}}}" in expression}
        return assigned(step, values, lambda elements: expression.format(*elements, **words))

    return one_to_one


def mathematical(name: str) -> Operator:
    """Return an operator that applies a mathematical function, by its name in C for ``double``, to each element."""

    def one_to_one(step: Step) -> list[str]:
        function = step.function(name)
        values = [operand for operand in step.inputs if operand is not None]
        return assigned(step, values, lambda elements: f"{function}({', '.join(elements)})")

    return one_to_one


def called(function: str, **defaults: float) -> Operator:
    """Return an operator that applies a function of mlpkit's in C to each element, and to attributes with defaults."""

    def one_to_one(step: Step) -> list[str]:
        attributes = step.node.attributes
        arguments = [literal(np.float32(attributes.get(name, value))) for name, value in defaults.items()]
        return assigned(step, [step.floats()], lambda x: f"{function}({', '.join([*x, *arguments])})")

    return one_to_one


def assigned(step: Step, values: list[Operand], element: Callable[[list[str]], str]) -> list[str]:
    """Return the loops that set the output's elements to expressions of those of values, which are broadcast."""
    y = step.output
    strides = [row_major(y.shape), *(_strides(step, operand) for operand in values)]
    elements = [operand.at(f"{{{number}}}") for number, operand in enumerate(values, 1)]
    return loops(y.shape, strides, f"{y.at('{0}')} = {element(elements)};")


def _strides(step: Step, operand: Operand) -> tuple[int, ...]:
    """Return the strides of an operand along the axes of one example's output."""
    shape, to = operand.shape, step.output.shape
    if operand.constant is None:
        if len(shape) != len(to):
            raise step.refused("on arrays with different numbers of axes")
        return broadcast(shape, to)
    if len(shape) == len(to) + 1:
        if shape[0] != 1:
            raise step.refused("with an array that has an element per example")
        shape = shape[1:]
    return broadcast(shape, to)


def folded(expression: str) -> Operator:
    """Return an operator that combines inputs pairwise, with ``{0}`` and ``{1}`` in the expression for two elements."""

    def statements(step: Step) -> list[str]:
        first, *others = (operand for operand in step.inputs if operand is not None)
        lines = [] if others else assigned(step, [first], lambda x: x[0])
        for number, operand in enumerate(others):
            so_far = step.output if number else first
            lines += assigned(step, [so_far, operand], lambda x: expression.format(*x))
        return lines

    return statements


def clip(step: Step) -> list[str]:
    """Return x clipped to the second and the third input; NaN stays NaN."""
    bounds = [(sign, step.fixed(number)) for number, sign in ((1, "<"), (2, ">")) if step.has(number)]
    lines, source = [], step.varying(0)
    for sign, bound in bounds:
        lines += assigned(step, [source], _bounded(sign, literal(bound.reshape(-1)[0])))
        source = step.output
    return lines or assigned(step, [source], lambda x: x[0])


def _bounded(sign: str, bound: str) -> Callable[[list[str]], str]:
    return lambda x: f"{x[0]} {sign} {bound} ? {bound} : {x[0]}"


def cast(step: Step) -> list[str]:
    """Return x as another type; any number but zero is true."""
    x, y = step.varying(0), step.output
    if x.dtype.kind in "UO" or y.dtype.kind in "UO":
        raise step.refused("on texts")
    if y.dtype == np.bool_:
        return assigned(step, [x], lambda elements: f"{elements[0]} != 0")
    return assigned(step, [x], lambda elements: f"({type_of(y.dtype)}){elements[0]}")
