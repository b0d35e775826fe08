"""Normalizations and softmax."""

from __future__ import annotations

from math import prod

import numpy as np

from mlpkit_plugins.exporters.c.step import Operand, Operator, Step
from mlpkit_plugins.exporters.c.syntax import literal


def batch_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, feature by feature."""
    step.check(training_mode=0)
    x, y = step.floats(), step.output
    gamma, beta, mean = (step.input(number).name for number in (1, 2, 3))
    epsilon = x.dtype.type(step.node.attributes.get("epsilon", 1e-5))
    scale = step.array("scale", 1 / np.sqrt(step.fixed(4) + epsilon))
    sizes = f"{x.shape[0]}, {prod(x.shape[1:])}"
    return [f"batch_norm({x.pointer}, {mean}, {scale}, {gamma}, {beta}, {y.pointer}, {sizes});"]


def layer_norm(step: Step) -> list[str]:
    """Return (x - mean) / √(variance + epsilon) gamma + beta, with mean and variance of all elements."""
    step.check(axis=1, stash_type=1)
    x, y, beta = step.floats(), step.output, step.input(2) if step.has(2) else None
    gamma, epsilon = step.input(1).name, literal(np.float32(step.node.attributes.get("epsilon", 1e-5)))
    shift = step.array("beta", np.zeros(x.size, x.dtype)) if beta is None else beta.name
    return [f"layer_norm({x.pointer}, {gamma}, {shift}, {y.pointer}, {x.size}, {epsilon});"]


def normalized(function: str) -> Operator:
    """Return an operator that applies a function to the elements along the last axis.

    Args:
        function: its name in C.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.floats(), step.output
        if step.axis() != len(x.shape) - 1:
            raise step.refused("along an axis that isn't the last")
        return _row_by_row(x, y, function)

    return statements


def _row_by_row(x: Operand, y: Operand, function: str) -> list[str]:
    """Return the calls of a function for each row along the last axis."""
    length = x.shape[-1]
    if x.size == length:
        return [f"{function}({x.pointer}, {y.pointer}, {length});"]
    rows = x.size // length
    call = f"{function}({x.pointer} + {length} * i, {y.pointer} + {length} * i, {length});"
    return [f"for (size_t i = 0; i < {rows}; i++) {{", f"    {call}", "}"]
