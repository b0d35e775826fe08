"""Operators that make one element of several."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from mlpkit.exports.c.step import loops, row_major
from mlpkit.exports.c.syntax import literal

if TYPE_CHECKING:
    from mlpkit.exports.c.step import Operator, Step


def reduce(first: str, combined: str, finished: str = "{0}", *, of_floats: bool = False) -> Operator:
    """Return an operator that makes one element of all along some axes, in their order.

    Args:
        first: what to begin with.
        combined: the result so far, ``{0}``, and the next element, ``{1}``.
        finished: the result in the end; ``{count}`` stands for the number of elements.
        of_floats: whether it uses functions that know float32 alone.
    """

    def statements(step: Step) -> list[str]:
        x, y = step.floats(0) if of_floats else step.varying(0), step.output
        given = step.fixed(1).ravel() if step.has(1) else step.node.attributes.get("axes")
        if given is None:
            raise step.refused("along all axes, the batch axis too")
        reduced = sorted(step.own_axis(int(axis)) for axis in given)
        kept = [axis for axis in range(len(x.shape)) if axis not in reduced]
        strides = row_major(x.shape)
        kept_shape, reduced_shape = (tuple(x.shape[axis] for axis in axes) for axes in (kept, reduced))
        to = row_major(kept_shape)
        begin = first.format(zero=literal(x.dtype.type(0)), one=literal(x.dtype.type(1)))
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


def global_pool(begin: str, combined: str, finished: str = "{0}") -> Operator:
    """Return an operator that makes one pixel of all pixels of a channel.

    Args:
        begin: as for ``reduce``.
        combined: the same.
        finished: the same.
    """
    along = reduce(begin, combined, finished)

    def statements(step: Step) -> list[str]:
        axes = list(range(2, 1 + len(step.floats(0).shape)))
        return along(replace(step, node=step.node._replace(attributes={"axes": axes})))

    return statements


def extreme(function: str) -> Operator:
    """Return an operator that finds the first largest or smallest element along the last axis.

    Args:
        function: the function in C that returns its number.
    """

    def statements(step: Step) -> list[str]:
        step.expect(select_last_index=0)
        x, y = step.floats(0), step.output
        if step.axis(0) != len(x.shape) - 1 or x.size != x.shape[-1]:
            raise step.refused("on more than one row")
        return [f"{y.at('0')} = (int64_t){function}({x.pointer}, {x.size});"]

    return statements


def log_sum_exp(step: Step) -> list[str]:
    """Return the logarithm of the sum of exponentials along the last axes."""
    x, y = step.floats(0), step.output
    given = step.node.attributes.get("axes") or [0]
    reduced = sorted(step.own_axis(int(axis)) for axis in given)
    if reduced != list(range(reduced[0], len(x.shape))):
        raise step.refused("along other axes than the last ones")
    count = prod(x.shape[reduced[0] :])
    row = x.pointer if y.size == 1 else f"{x.pointer} + {count} * i"
    return loops((y.size,), [(1,)], f"{y.at('{0}')} = log_sum_exp({row}, {count});")
