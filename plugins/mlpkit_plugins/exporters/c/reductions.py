"""Operators that reduce several elements to one, and those that normalize with what that gives."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from mlpkit_plugins.exporters.c.step import Operand, Operator, Step, loops, row_major
from mlpkit_plugins.exporters.c.syntax import literal


def reduce(first: str, combined: str, finished: str = "{0}") -> Operator:
    """Return an operator that reduces the elements along some axes to one, in their order.

    Args:
        first: the initial value.
        combined: the combination of the result so far, ``{0}``, and the next element, ``{1}``.
        finished: the final result; ``{count}`` stands for the number of elements.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.varying(0), step.output
        axes = step.fixed(1).ravel() if step.has(1) else step.node.attributes.get("axes")
        if axes is None:
            raise step.refused("along all axes, the batch axis too")
        reduced = sorted(step.own_axis(int(axis)) for axis in axes)
        kept = [axis for axis in range(len(x.shape)) if axis not in reduced]
        strides = row_major(x.shape)
        kept_shape, reduced_shape = (tuple(x.shape[axis] for axis in part) for part in (kept, reduced))
        to = row_major(kept_shape)
        begin = first.format(zero=literal(x.dtype.type(0)))
        lines = loops(kept_shape, [to], f"{y.at('{0}')} = {begin};")
        shape = (*kept_shape, *reduced_shape)
        y_strides = (*to, *[0] * len(reduced))
        x_strides = tuple(strides[axis] for axis in (*kept, *reduced))
        element = combined.format(y.at("{0}"), x.at("{1}"))
        lines += loops(shape, [y_strides, x_strides], f"{y.at('{0}')} = {element};")
        if finished != "{0}":
            count = literal(x.dtype.type(prod(reduced_shape)))
            lines += loops(kept_shape, [to], f"{y.at('{0}')} = {finished.format(y.at('{0}'), count=count)};")
        return lines

    return statements


reduce_mean = reduce("{zero}", "{0} + {1}", "{0} / {count}")


def global_average_pool(step: Step) -> list[str]:
    """Return the mean of all pixels of a channel."""
    axes = list(range(2, 1 + len(step.floats().shape)))
    return reduce_mean(replace(step, node=step.node._replace(attributes={"axes": axes})))


def arg_max(step: Step) -> list[str]:
    """Return the number of the first largest element along the last axis."""
    step.check(select_last_index=0)
    x, y = step.floats(), step.output
    if step.axis(0) != len(x.shape) - 1 or x.size != x.shape[-1]:
        raise step.refused("on more than one row")
    return [f"{y.at('0')} = (int64_t)largest_at({x.pointer}, {x.size});"]


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
