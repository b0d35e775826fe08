"""A step of a program in C: an operator with its operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from mlpkit import Array, NotExportableError
from mlpkit.graph import Node
from mlpkit_plugins.exporters.c.syntax import INDENT, Names, literal, pieces

MATH: Final = frozenset({"ceil", "cos", "erf", "exp", "fabs", "floor", "log", "pow", "rint", "sin", "sqrt", "tanh"})
"""Functions of C's ``math.h``, by their names for ``double``."""


class Operand(NamedTuple):
    """A value in C: one example's part of it, or the whole of a constant.

    Args:
        name: a pointer to its first element; for a scalar, the variable.
        shape: its shape, without the batch axis unless it is a constant.
        dtype: its dtype.
        constant: the elements of a constant.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    constant: Array | None = None

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def pointer(self) -> str:
        """A pointer to its first element."""
        return f"&{self.name}" if self.size == 1 and self.constant is None else self.name

    def at(self, index: str) -> str:
        """Return the expression for the element at an index."""
        if self.size == 1:
            return self.name if self.constant is None else literal(self.constant.ravel()[0])
        return f"{self.name}[{index}]"


@dataclass
class Step:
    """An operator in a program in C; an input is None if it is optional and omitted.

    Its methods raise a ``NotExportableError`` if an input or an attribute isn't what they are for. It may add to the
    constant arrays and the names of the file, and sets its multiplications by weights and the bytes of its local
    variables.
    """

    node: Node
    inputs: list[Operand | None]
    output: Operand
    arrays: dict[str, Array]
    names: Names
    quantized: bool = False
    multiplications: int = 0
    stack: int = 0

    def function(self, name: str) -> str:
        """Return mlpkit's or ``math.h``'s function for the first input's dtype, by its name for ``double``."""
        dtype, own = self.input(0).dtype, f"mlpkit_{name}f"
        if dtype == np.float32 and own in pieces():
            return own
        if dtype.kind != "f" or name not in MATH:
            raise self.refused(f"on {dtype.name}")
        return name if dtype == np.float64 else f"{name}f"

    def input(self, number: int) -> Operand:
        """Return an input."""
        operand = self.inputs[number] if number < len(self.inputs) else None
        if operand is None:
            raise self.refused(f"without its input {number + 1}")
        return operand

    def varying(self, number: int) -> Operand:
        """Return an input that is computed for each example."""
        operand = self.input(number)
        if operand.constant is not None:
            raise self.refused(f"with an input {number + 1} that doesn't change")
        return operand

    def floats(self) -> Operand:
        """Return the first input, which is computed for each example in float32."""
        operand = self.varying(0)
        if operand.dtype != np.float32:
            raise self.refused(f"on {operand.dtype.name}")
        return operand

    def fixed(self, number: int) -> Array:
        """Return the elements of a constant input."""
        constant = self.input(number).constant
        if constant is None:
            raise self.refused(f"with an input {number + 1} that is computed for each example")
        return constant

    def has(self, number: int) -> bool:
        """Whether an input is present."""
        return number < len(self.inputs) and self.inputs[number] is not None

    def check(self, **values: Any) -> None:
        """Check that attributes, if present, have the only supported values."""
        for name, supported in values.items():
            value = self.node.attributes.get(name, supported)
            if not np.array_equal(value, supported):
                raise self.refused(f"with {name} = {value}")

    def axis(self, default: int = -1) -> int:
        """Return the attribute ``axis`` as an axis of one example."""
        return self.own_axis(int(self.node.attributes.get("axis", default)))

    def own_axis(self, axis: int) -> int:
        """Convert an axis of the first input that isn't constant to an axis of one example."""
        rank = 1 + next(len(each.shape) for each in self.inputs if each is not None and each.constant is None)
        if axis % rank == 0:
            raise self.refused("along the batch axis")
        return axis % rank - 1

    def array(self, what: str, array: Array) -> str:
        """Add a constant array to the file, and return its name, which ends in a word."""
        name = self.names.new(f"{self.node.made_by}_{what}")
        self.arrays[name] = np.ascontiguousarray(array)
        return name

    def refused(self, what: str) -> NotExportableError:
        """Return the error for an operator that isn't supported in a form, such as "with group = 2"."""
        who = self.node.made_by or "the graph"
        return NotExportableError(
            f"{who} uses the operator {self.node.operator} {what}, which can't be written in C; "
            "export the model to .onnx, or write the layer in other operators",
            self.node.made_by,
        )


Operator: TypeAlias = "Callable[[Step], list[str]]"
"""Returns the statements that compute an operator."""


def loops(
    shape: tuple[int, ...], strides: Sequence[tuple[int, ...]], statement: str, begins: Sequence[int] = ()
) -> list[str]:
    """Return loops over the elements of an array, the last axis innermost, around a statement.

    Axes that are contiguous in all operands are merged into one loop. In the statement, ``{0}``, ``{1}``, ... are the
    indices of the operands, of which each has a stride along each axis, and begins at an element, by default 0.
    """
    axes = _merged([(size, *(each[axis] for each in strides)) for axis, size in enumerate(shape) if size != 1])
    variables = "ijkl" if len(axes) <= 4 else [f"i{axis}" for axis in range(len(axes))]
    lines = [
        f"{INDENT * depth}for (size_t {variable} = 0; {variable} < {size}; {variable}++) {{"
        for depth, (variable, (size, *_)) in enumerate(zip(variables, axes, strict=False))
    ]
    begins = [*begins, *[0] * (len(strides) - len(begins))]
    indices = [_index(begin, variables, [axis[1 + operand] for axis in axes]) for operand, begin in enumerate(begins)]
    lines.append(INDENT * len(axes) + statement.format(*indices))
    return lines + [INDENT * depth + "}" for depth in reversed(range(len(axes)))]


def _merged(axes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Merge neighbouring axes, each a size and a stride per operand, if that changes no index."""
    merged: list[tuple[int, ...]] = []
    for size, *strides in axes:
        if merged and list(merged[-1][1:]) == [size * stride for stride in strides]:
            merged[-1] = (merged[-1][0] * size, *strides)
        else:
            merged.append((size, *strides))
    return merged


def _index(begin: int, variables: Sequence[str], strides: list[int]) -> str:
    terms = [
        variable if stride == 1 else f"{stride} * {variable}"
        for variable, stride in zip(variables, strides, strict=False)
        if stride
    ]
    return " + ".join([*([str(begin)] if begin or not terms else []), *terms])


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous array."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of an array that is broadcast to a shape of as many axes or more."""
    strides = [0 if size == 1 else stride for size, stride in zip(shape, row_major(shape), strict=True)]
    return (*[0] * (len(to) - len(shape)), *strides)
