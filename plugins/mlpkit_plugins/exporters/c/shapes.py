"""Operators that look up or rearrange elements."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mlpkit_plugins.exporters.c.elementwise import assigned
from mlpkit_plugins.exporters.c.step import Operand, Step, loops, row_major
from mlpkit_plugins.exporters.c.syntax import literal


def gather(step: Step) -> list[str]:
    """Return the elements at some indices along an axis."""
    table, numbers, y = step.input(0), step.input(1), step.output
    if table.constant is not None:
        return _looked_up(step, table, numbers)
    axis = step.axis(0)
    indices = step.fixed(1).reshape(-1) % table.shape[axis]
    number = str(indices[0]) if indices.size == 1 else f"{step.array('chosen', indices)}[{{1}}]"
    before, after = prod(table.shape[:axis]), prod(table.shape[axis + 1 :])
    index = f"{after} * {number} + {{2}}" if after > 1 else f"{number} + {{2}}"
    shape = before, indices.size, after
    strides = [row_major(shape), (0, 1, 0), (table.shape[axis] * after, 0, 1)]
    return loops(shape, strides, f"{y.at('{0}')} = {table.at(index)};")


def _looked_up(step: Step, table: Operand, numbers: Operand) -> list[str]:
    """Return rows of a constant table."""
    step.check(axis=0)
    if numbers.constant is not None:
        raise step.refused("on arrays that don't change")
    each, y = prod(table.shape[1:]), step.output
    row = numbers.at("{1}")
    index = f"{each} * {row} + {{2}}" if each > 1 else row
    shape = (numbers.size, each)
    return loops(shape, [row_major(shape), (1, 0), (0, 1)], f"{y.at('{0}')} = {table.name}[{index}];")


def concat(step: Step) -> list[str]:
    """Return arrays concatenated along an axis."""
    y, axis, lines, begin = step.output, step.axis(), [], 0
    width = prod(y.shape[axis:])
    for operand in filter(None, step.inputs):
        shape = operand.shape[1:] if operand.constant is not None else operand.shape
        before, part = prod(shape[:axis]), prod(shape[axis:])
        lines += loops((before, part), [(width, 1), (part, 1)], f"{y.at('{0}')} = {operand.at('{1}')};", [begin])
        begin += part
    return lines


def transpose(step: Step) -> list[str]:
    """Return an array with its axes in another order."""
    x, y = step.varying(0), step.output
    order = step.node.attributes.get("perm", list(range(len(x.shape) + 1))[::-1])
    if order[0] != 0:
        raise step.refused("on the batch axis")
    strides = row_major(x.shape)
    return loops(
        y.shape, [row_major(y.shape), tuple(strides[axis - 1] for axis in order[1:])], f"{y.at('{0}')} = {x.at('{1}')};"
    )


def tile(step: Step) -> list[str]:
    """Return x repeated along each axis."""
    x, y, (of_rows, *repeats) = step.varying(0), step.output, step.fixed(1).ravel().tolist()
    if of_rows != 1:
        raise step.refused("along the batch axis")
    shape = tuple(length for pair in zip(repeats, x.shape, strict=True) for length in pair)
    strides = tuple(stride for each in row_major(x.shape) for stride in (0, each))
    return loops(shape, [row_major(shape), strides], f"{y.at('{0}')} = {x.at('{1}')};")


def expand(step: Step) -> list[str]:
    """Return x repeated along axes of length 1."""
    return assigned(step, [step.varying(0)], lambda x: x[0])


def slice_(step: Step) -> list[str]:
    """Return a slice of an array along some axes."""
    x, y = step.varying(0), step.output
    starts, ends = (step.fixed(number).ravel() for number in (1, 2))
    axes = step.fixed(3).ravel() if step.has(3) else np.arange(starts.size)
    steps = step.fixed(4).ravel() if step.has(4) else np.ones_like(starts)
    first, strides = 0, list(row_major(x.shape))
    for start, end, each, by in zip(starts, ends, axes, steps, strict=True):
        axis = step.own_axis(int(each))
        begin, _, stride = slice(int(start), int(end), int(by)).indices(x.shape[axis])
        first += begin * strides[axis]
        strides[axis] *= stride
    if min(strides, default=0) < 0:
        raise step.refused("backwards")
    return loops(y.shape, [row_major(y.shape), tuple(strides)], f"{y.at('{0}')} = {x.at('{1}')};", [0, first])


def pad(step: Step) -> list[str]:
    """Return x padded with a constant."""
    if step.node.attributes.get("mode") in {"edge", "reflect"}:
        raise step.refused("with elements of x around it")
    x, y, pads = step.varying(0), step.output, step.fixed(1).ravel()
    rank = len(x.shape)
    if pads.size != 2 * rank + 2 or pads[0] or pads[rank + 1] or pads.min() < 0:
        raise step.refused("on the batch axis, or with negative padding")
    value = literal(step.fixed(2).ravel()[0] if step.has(2) else x.dtype.type(0))
    strides = row_major(y.shape)
    first = sum(int(before) * stride for before, stride in zip(pads[1:], strides, strict=False))
    lines = loops(y.shape, [strides], f"{y.at('{0}')} = {value};")
    return lines + loops(x.shape, [strides, row_major(x.shape)], f"{y.at('{0}')} = {x.at('{1}')};", [first])


def label_encoder(step: Step) -> list[str]:
    """Return the value of a key, or the default."""
    x, y, attributes = step.varying(0), step.output, step.node.attributes
    keys, kind = _listed(attributes, "keys_")
    values, value_kind = _listed(attributes, "values_")
    default = attributes.get(f"default_{value_kind}", {"string": "_Unused", "int64": -1, "float": -0.0}[value_kind])
    if kind == "float":
        raise step.refused("on floating-point numbers")
    at = {"string": "text_at", "int64": "integer_at"}[kind]
    key_names = step.array("keys", np.array(keys))
    table = np.array([*values, default], y.dtype if y.dtype.kind != "U" else None)
    value_names = step.array("values", table)
    return loops(
        x.shape,
        [row_major(x.shape)] * 2,
        f"{y.at('{0}')} = {value_names}[{at}({x.at('{1}')}, {key_names}, {len(keys)})];",
    )


def _listed(attributes: dict[str, Any], prefix: str) -> tuple[Any, str]:
    """Return the keys or values of a LabelEncoder, and the name of their type."""
    name = next(name for name in attributes if name.startswith(prefix))
    return attributes[name], name.removeprefix(prefix).rstrip("s")
