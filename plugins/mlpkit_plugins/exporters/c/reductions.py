"""Operators that reduce several elements to one."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from mlpkit_plugins.exporters.c.step import Operator, Step, loops, row_major
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
